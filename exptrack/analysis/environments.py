"""Environments as bytes, and back: `encode_environment` and `decode_environment` of the codec."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from exptrack.analysis.fields import (
    WrongFieldError,
    decode_mapping,
    encode_json,
    find_bool,
    find_int,
    find_text,
    read_list,
    read_mapping,
    read_text,
    without,
)
from exptrack.errors import RecordError
from exptrack.model.environment import Environment, Gpu, Hardware, Interpreter, Package, Platform

T = TypeVar("T")


def encode(environment: Environment) -> bytes:
    """The bytes of `.exptrack/environment.json`."""
    hardware, interpreter = environment.hardware, environment.interpreter
    gpus = [without(_fields(gpu)) for gpu in hardware.gpus]
    fields = {
        "interpreter": interpreter and _fields(interpreter),
        "packages": [without(_fields(package), editable=False) for package in environment.packages],
        "variables": dict(environment.variables),
    }
    return encode_json(
        {
            "platform": without(_fields(environment.platform)),
            "hardware": without({**_fields(hardware), "gpus": gpus}),
            **without(fields),
        }
    )


def decode(data: bytes) -> Environment:
    """The environment in these bytes. RecordError, naming the key, if it is broken."""
    fields = decode_mapping(data, "environment")
    try:
        return _environment(fields)
    except WrongFieldError as wrong:
        raise RecordError(f"broken environment: {wrong}") from None


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value._fields}


def _environment(fields: dict[str, Any]) -> Environment:
    return Environment(
        platform=_inside(fields, "platform", _platform),
        hardware=_inside(fields, "hardware", _hardware),
        interpreter=_inside(fields, "interpreter", _interpreter) if fields.get("interpreter") is not None else None,
        packages=read_list(fields, "packages", _package),
        variables=_inside(fields, "variables", _variables),
    )


def _inside(fields: dict[str, Any], key: str, decode_one: Callable[[dict[str, Any]], T]) -> T:
    try:
        return decode_one(read_mapping(fields, key))
    except WrongFieldError as wrong:
        raise WrongFieldError(wrong.key if wrong.key == key else f"{key}.{wrong.key}", wrong.problem) from None


def _platform(fields: dict[str, Any]) -> Platform:
    return Platform(
        system=read_text(fields, "system"),
        release=read_text(fields, "release"),
        machine=read_text(fields, "machine"),
        distribution=find_text(fields, "distribution"),
        libc=find_text(fields, "libc"),
    )


def _hardware(fields: dict[str, Any]) -> Hardware:
    return Hardware(
        cpu=find_text(fields, "cpu"),
        cores=find_int(fields, "cores"),
        memory=find_int(fields, "memory"),
        gpus=read_list(fields, "gpus", _gpu),
    )


def _gpu(fields: dict[str, Any]) -> Gpu:
    return Gpu(name=read_text(fields, "name"), memory=find_int(fields, "memory"), driver=find_text(fields, "driver"))


def _interpreter(fields: dict[str, Any]) -> Interpreter:
    return Interpreter(
        path=read_text(fields, "path"),
        version=read_text(fields, "version"),
        implementation=read_text(fields, "implementation"),
        found=read_text(fields, "found"),
    )


def _package(fields: dict[str, Any]) -> Package:
    return Package(
        name=read_text(fields, "name"),
        version=read_text(fields, "version"),
        url=find_text(fields, "url"),
        commit=find_text(fields, "commit"),
        dirty=find_bool(fields, "dirty"),
        editable=find_bool(fields, "editable") or False,
    )


def _variables(fields: dict[str, Any]) -> dict[str, str]:
    return {name: read_text(fields, name) for name in fields}
