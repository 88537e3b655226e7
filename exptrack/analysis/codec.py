"""Records, environments and metrics as bytes, and back.

`docs/format.md` is the norm for what is written here. What equals its default is left out, unknown keys are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from exptrack.analysis import datafields, stagefields
from exptrack.analysis.fields import (
    WrongFieldError,
    decode_mapping,
    encode_json,
    find_int,
    find_number,
    find_text,
    find_time,
    finite,
    format_json,
    format_time,
    read_choice,
    read_int,
    read_list,
    read_mapping,
    read_text,
    read_texts,
    read_time,
    text_or,
    without,
)
from exptrack.analysis.points import format_points
from exptrack.analysis.seeds import decode_seeding, encode_seeding
from exptrack.analysis.trees import decode_tree
from exptrack.errors import RecordError
from exptrack.model.run import SCHEMA, Links, Record, Status
from exptrack.model.tree import Tree, Value

if TYPE_CHECKING:
    from exptrack.analysis.points import Point
    from exptrack.model.environment import Environment

__all__ = [
    "decode_environment",
    "decode_holdout",
    "decode_metrics",
    "decode_record",
    "decode_tree",
    "encode_environment",
    "encode_holdout",
    "encode_metrics",
    "encode_record",
    "finite",
]

_STATUSES = {status.value: status for status in Status}
_NOT_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_NO_LINKS = Links()


def encode_record(record: Record) -> bytes:
    """The bytes of `.exptrack/run.json`: sorted keys, indented by 2, a newline at the end."""
    fields = {
        "ended": record.ended and format_time(record.ended),
        "duration": record.duration,
        "exit_code": record.exit_code,
        "signal": record.signal,
        "author": record.author,
        "host": record.host,
        "command": list(record.command),
        "overrides": list(record.overrides),
        "project": record.project,
        "directory": record.directory,
        "branch": record.branch,
        "experiment": record.experiment,
        "seed": record.seed,
        "seeding": encode_seeding(record.seeding),
        "note": record.note,
        "tags": list(record.tags),
        "sealed": list(record.sealed),
        "data": [datafields.encode_pointer(pointer) for pointer in record.data],
        "outputs": [datafields.encode_pointer(pointer) for pointer in record.outputs],
        "not_captured": [datafields.encode_omission(omission) for omission in record.not_captured],
        "changed": list(record.changed),
        "concurrent": list(record.concurrent),
        "ambiguous": list(record.ambiguous),
        "problems": list(record.problems),
        "thinned": dict(record.thinned),
        "kept": [datafields.encode_pointer(pointer) for pointer in record.kept],
        "artifacts": list(record.artifacts),
        "links": _links_fields(record.links),
    }
    return encode_json(
        {
            "schema": record.schema,
            "name": record.name,
            "status": record.status.value,
            "started": format_time(record.started),
            "params": finite(record.params),
            "metrics": finite(record.metrics),
            **without(fields, author="", host="", project=".", directory="."),
            # A pipeline that came to no stage has an empty list, a command none.
            **({} if record.stages is None else {"stages": [stagefields.encode(stage) for stage in record.stages]}),
        }
    )


def decode_record(data: bytes) -> Record:
    """The record in the bytes of `.exptrack/run.json`. RecordError, naming the key, if it is broken or of a later schema."""
    fields = decode_mapping(data, "record")
    try:
        schema = read_int(fields, "schema")
        if schema > SCHEMA:
            raise RecordError(
                f"the record was written by a later version of exptrack (schema {schema}): update exptrack"
            )
        return _record(fields, schema)
    except WrongFieldError as wrong:
        raise RecordError(f"broken record: {wrong}") from None


def encode_environment(environment: Environment) -> bytes:
    """The bytes of `.exptrack/environment.json`."""
    from exptrack.analysis import environments  # commands that only list runs do without it

    return environments.encode(environment)


def decode_environment(data: bytes) -> Environment:
    """The environment in the bytes of `.exptrack/environment.json`. RecordError, naming the key, if it is broken."""
    from exptrack.analysis import environments

    return environments.decode(data)


def encode_metrics(tree: Tree) -> bytes:
    """The bytes of `metrics.json`; NaN and infinities are strings."""
    return encode_json(finite(tree))


def decode_metrics(data: bytes) -> Tree:
    """The metrics in the bytes of a `metrics.json` that `encode_metrics` wrote. RecordError, naming the key, if they are broken."""
    fields = decode_mapping(data, "metrics")
    try:
        return _metrics(fields)
    except WrongFieldError as wrong:
        raise RecordError(f"broken metrics: {wrong}") from None


def encode_holdout(metrics: Tree, history: Mapping[str, Sequence[Point]]) -> bytes:
    """The bytes of `.exptrack/holdout.json`: the sealed metrics, nested, and the points of those that were logged while the command ran."""
    text = format_json(finite({"schema": SCHEMA, "metrics": metrics}))
    if history:
        # By its encoder in C: a million points with indents took 40 s.
        series = (f"    {format_json(name)}: {format_points(history[name])}" for name in sorted(history))
        text = '{\n  "history": {\n' + ",\n".join(series) + "\n  }," + text[1:]
    return f"{text}\n".encode()


def decode_holdout(data: bytes) -> Tree:
    """The sealed metrics in the bytes of `.exptrack/holdout.json`. RecordError, naming the key, if they are broken."""
    fields = decode_mapping(data, "holdout")
    try:
        return _metrics(read_mapping(fields, "metrics"), "metrics.")
    except WrongFieldError as wrong:
        raise RecordError(f"broken holdout: {wrong}") from None


def _record(fields: dict[str, Any], schema: int) -> Record:
    seed = fields.get("seed")
    if seed is not None and type(seed) is not int and type(seed) is not str:
        raise WrongFieldError("seed", "is neither a whole number nor a text")
    params = read_mapping(fields, "params")
    for source, tree in params.items():
        if type(tree) is not dict:
            raise WrongFieldError(f"params.{source}", "is not a mapping")
    name = read_text(fields, "name")
    if not name:
        raise WrongFieldError("name", "is empty")
    return Record(
        name=name,
        status=read_choice(fields, "status", _STATUSES),
        started=read_time(fields, "started"),
        ended=find_time(fields, "ended"),
        duration=find_number(fields, "duration"),
        exit_code=find_int(fields, "exit_code"),
        signal=find_text(fields, "signal"),
        author=find_text(fields, "author") or "",
        host=find_text(fields, "host") or "",
        command=read_texts(fields, "command"),
        overrides=read_texts(fields, "overrides"),
        project=text_or(fields, "project", "."),
        directory=text_or(fields, "directory", "."),
        branch=find_text(fields, "branch"),
        experiment=find_text(fields, "experiment"),
        seed=seed,
        seeding=decode_seeding(fields),
        note=find_text(fields, "note"),
        tags=read_texts(fields, "tags"),
        params=params,
        metrics=_metrics(read_mapping(fields, "metrics"), "metrics."),
        sealed=read_texts(fields, "sealed"),
        data=read_list(fields, "data", datafields.decode_pointer),
        outputs=read_list(fields, "outputs", datafields.decode_pointer),
        not_captured=read_list(fields, "not_captured", datafields.decode_omission),
        changed=read_texts(fields, "changed"),
        concurrent=read_texts(fields, "concurrent"),
        ambiguous=read_texts(fields, "ambiguous"),
        problems=read_texts(fields, "problems"),
        thinned=_thinned(fields),
        kept=read_list(fields, "kept", datafields.decode_pointer),
        artifacts=read_texts(fields, "artifacts"),
        links=_links(fields),
        stages=None if fields.get("stages") is None else read_list(fields, "stages", stagefields.decode),
        schema=schema,
    )


def _metrics(tree: dict[str, Any], path: str = "") -> dict[str, Value]:
    return {key: item if type(item) is float else _metric(item, path, key) for key, item in tree.items()}


def _metric(item: Any, path: str, key: str) -> Value:
    kind = type(item)
    if kind is float or kind is int or kind is bool:
        return item  # type: ignore[no-any-return]
    if kind is dict:
        return _metrics(item, f"{path}{key}.")
    if kind is list:
        return [_metric(value, f"{path}{key}.", str(index)) for index, value in enumerate(item)]
    if kind is str and item in _NOT_FINITE:
        return _NOT_FINITE[item]
    raise WrongFieldError(path + key, "is not a number")


def _thinned(fields: dict[str, Any]) -> dict[str, int]:
    thinned = read_mapping(fields, "thinned")
    try:
        return {name: read_int(thinned, name) for name in thinned}
    except WrongFieldError as wrong:
        raise WrongFieldError(f"thinned.{wrong.key}", wrong.problem) from None


def _links_fields(links: Links) -> dict[str, Any] | None:
    return without({key: getattr(links, key) for key in Links._fields}) or None


def _links(fields: dict[str, Any]) -> Links:
    links = read_mapping(fields, "links")
    if not links:
        return _NO_LINKS
    try:
        return Links(
            reproduces=find_text(links, "reproduces"),
            resumes=find_text(links, "resumes"),
            copied_from=find_text(links, "copied_from"),
            parent=find_text(links, "parent"),
        )
    except WrongFieldError as wrong:
        raise WrongFieldError(f"links.{wrong.key}", wrong.problem) from None
