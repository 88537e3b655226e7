"""Parameters as an object of a dataclass: each value checked against the type of its field."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from exptrack.analysis.nearkeys import did_you_mean
from exptrack.errors import ExptrackError
from exptrack.model.tree import Tree

_LONGEST = 60
_NOT_FINITE = {"NaN", "Infinity", "-Infinity"}  # as parameters have them, which are finite
_MISSING = "???"  # OmegaConf's and Hydra's word for a value that has to be given


class _Wrong(Exception):  # noqa: N818 - it never leaves this module
    """The value does not have the type. `kind` says which one is wanted."""


class Field(NamedTuple):
    """A field of a dataclass."""

    name: str
    type: Any
    is_required: bool


def fill(cls: Any, tree: Tree, warn: Callable[[str], None]) -> Any:
    """An object of the dataclass `cls` with the values of `tree`; a field that `tree` lacks keeps its default.

    At the top, `tree` may have keys that are no fields: other scripts' parameters. `warn` hears of one that looks like a slip of the pen.
    Hyphens and underscores are alike. Raises ExptrackError, naming the key, for a value of another type, a field without a value, and
    below the top for a key that is no field.
    """
    if not _is_dataclass(cls):
        said = cls.__name__ if isinstance(cls, type) else repr(cls)
        raise ExptrackError(f"parameters cannot be read as {said}: give a dataclass")
    given = {str(key).replace("-", "_"): value for key, value in tree.items()}
    fields = _list_fields(cls)
    missing = [field.name for field in fields if field.name not in given]
    for key in given.keys() - {field.name for field in fields}:
        if said := did_you_mean(key, [(name, name) for name in missing]):
            warn(f"parameter {key!r} is no field of {cls.__name__}{said}")
    return _fill(cls, fields, given, "")


def _fill(cls: type, fields: Sequence[Field], given: Mapping[str, Any], prefix: str) -> Any:
    values = {}
    for field in fields:
        key = prefix + field.name
        if field.name in given:
            values[field.name] = _convert(given[field.name], field.type, key)
        elif field.is_required:
            raise ExptrackError(f"parameter {key!r} is missing: give it, or its field in {cls.__name__} a default")
    return cls(**values)


def _list_fields(cls: type) -> list[Field]:
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
    except (NameError, TypeError, SyntaxError) as error:
        raise ExptrackError(
            f"the types of {cls.__name__} cannot be read: {error}; define it at the top of its module"
        ) from None
    return [
        Field(field.name, hints[field.name], _is_required(field))
        for field in cls.__dataclass_fields__.values()  # type: ignore[attr-defined]
        if field.init and field._field_type.name != "_FIELD_CLASSVAR"  # noqa: SLF001
    ]


def _is_required(field: Any) -> bool:
    from dataclasses import MISSING

    return (field.default is MISSING and field.default_factory is MISSING) or (
        isinstance(field.default, str) and field.default == _MISSING
    )


def _convert(value: Any, kind: Any, key: str) -> Any:
    try:
        return _as(value, kind, key)
    except _Wrong:
        raise ExptrackError(f"parameter {key!r} is {_show(value)}: {_name(kind)} is wanted") from None


def _as(value: Any, kind: Any, key: str) -> Any:
    kind = _bare(kind)
    if kind is Any or kind is object or isinstance(kind, typing.TypeVar):
        return value
    origin = typing.get_origin(kind)
    if origin is typing.Union or origin is types.UnionType:
        return _as_any(value, typing.get_args(kind), key)
    if origin is typing.Literal:
        for one in typing.get_args(kind):
            if type(one) is type(value) and one == value:
                return one
        raise _Wrong
    return _as_structure(value, kind, origin or kind, key)


def _as_any(value: Any, kinds: Sequence[Any], key: str) -> Any:
    """As the first of several types that it has exactly, else as the first that it can be read as."""
    refused: list[ExptrackError] = []
    for kind in sorted(kinds, key=lambda kind: kind is not type(value)):
        try:
            return _as(value, kind, key)
        except _Wrong:
            continue
        except ExptrackError as error:
            refused.append(error)
    raise refused[0] if len(refused) == 1 else _Wrong


def _as_structure(value: Any, kind: Any, origin: Any, key: str) -> Any:
    if not isinstance(origin, type):
        raise _cannot(key, kind)
    if _is_dataclass(origin):
        return _as_dataclass(value, origin, key)
    inner = typing.get_args(kind)
    if issubclass(origin, Mapping) or origin is Mapping:
        return _as_mapping(value, inner or (Any, Any), key)
    if not issubclass(origin, str) and any(issubclass(one, origin) for one in (list, tuple, set, frozenset)):
        return _as_items(value, origin, inner, key)
    return _as_plain(value, origin, key)


def _cannot(key: str, kind: Any) -> ExptrackError:
    return ExptrackError(
        f"parameter {key!r} cannot be read as {_name(kind)}: give its field a plain type, a list, a mapping, an Enum or a dataclass"
    )


def _as_dataclass(value: Any, cls: type, key: str) -> Any:
    if not isinstance(value, Mapping):
        raise _Wrong
    given = {str(name).replace("-", "_"): item for name, item in value.items()}
    fields = _list_fields(cls)
    names = [field.name for field in fields]
    for name in given.keys() - set(names):
        near = did_you_mean(f"{key}.{name}", [(f"{key}.{one}",) * 2 for one in names])
        raise ExptrackError(f"parameter '{key}.{name}' is no field of {cls.__name__}{near}")
    return _fill(cls, fields, given, f"{key}.")


def _as_mapping(value: Any, inner: Sequence[Any], key: str) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise _Wrong
    kind_of_key, kind = inner
    return {_as_key(name, kind_of_key, key): _convert(item, kind, f"{key}.{name}") for name, item in value.items()}


def _as_key(name: str, kind: Any, key: str) -> Any:
    """A key of a mapping, which parameters have as a text."""
    if kind is int or kind is float:
        try:
            return kind(name)
        except ValueError:
            raise ExptrackError(f"parameter {key!r} has the key {name!r}: {_name(kind)} is wanted") from None
    return _convert(name, kind, f"{key}.{name}")


def _as_items(value: Any, origin: type, inner: Sequence[Any], key: str) -> Any:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise _Wrong
    kinds = _kinds_of_items(origin, inner, len(value))
    items = [
        _convert(item, kind, f"{key}.{number}") for number, (item, kind) in enumerate(zip(value, kinds, strict=True))
    ]
    made: Any = next(one for one in (list, tuple, set, frozenset) if issubclass(one, origin))
    return made(items)


def _kinds_of_items(origin: type, inner: Sequence[Any], count: int) -> Sequence[Any]:
    if origin is tuple and inner and inner[-1] is not Ellipsis:
        if len(inner) != count:
            raise _Wrong
        return inner
    return [inner[0] if inner else Any] * count


def _as_plain(value: Any, kind: type, key: str) -> Any:
    if issubclass(kind, Enum):
        return _as_member(value, kind)
    if kind in _READERS:
        fits, read = _READERS[kind]
        return read(_only(value, fits(value)))
    if issubclass(kind, PurePath):
        return (kind if kind is not PurePath else Path)(_only(value, isinstance(value, str)))
    if isinstance(value, kind):
        return value
    raise _cannot(key, kind)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# What fits, and how it is read.
_READERS: dict[type, tuple[Callable[[Any], bool], Callable[[Any], Any]]] = {
    types.NoneType: (lambda value: value is None, lambda value: value),
    bool: (lambda value: isinstance(value, bool), bool),
    int: (lambda value: _is_number(value) and value == int(value), int),
    float: (lambda value: _is_number(value) or (isinstance(value, str) and value in _NOT_FINITE), float),
    # A word of a command has no quotes to say that `123` is a text.
    str: (lambda value: _is_number(value) or isinstance(value, str), str),
}


def _as_member(value: Any, kind: type[Enum]) -> Enum:
    if isinstance(value, str) and value in kind.__members__:
        return kind[value]
    for member in kind:
        if type(member.value) is type(value) and member.value == value:
            return member
    raise _Wrong


def _only(value: Any, fits: Any) -> Any:
    if not fits:
        raise _Wrong
    return value


def _bare(kind: Any) -> Any:
    """A type without `Annotated`, `Final`, `NewType` and names that stand for it."""
    while True:
        if typing.get_origin(kind) in {typing.Annotated, typing.Final}:
            kind = typing.get_args(kind)[0]
        elif hasattr(kind, "__supertype__"):
            kind = kind.__supertype__
        elif type(kind).__name__ == "TypeAliasType":  # of Python 3.12
            kind = kind.__value__
        elif kind is None:
            return types.NoneType
        else:
            return kind


def _is_dataclass(cls: Any) -> bool:
    return isinstance(cls, type) and hasattr(cls, "__dataclass_fields__")


def _show(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, str):
        return f"the text {value[:_LONGEST]!r}"
    if isinstance(value, Sequence):
        return "a list"
    return f"the number {value}"


_NAMES = {
    bool: "true or false", int: "a whole number", float: "a number", str: "a text", types.NoneType: "null", list: "a list", dict: "a mapping",
    tuple: "a list", set: "a list", frozenset: "a list",
}  # fmt: skip


def _name(kind: Any) -> str:
    """A type in words."""
    kind = _bare(kind)
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Union or origin is types.UnionType:
        return " or ".join(map(_name, inner))
    if origin is typing.Literal:
        return f"one of {', '.join(map(repr, inner))}"
    origin = origin or kind
    if isinstance(origin, type) and issubclass(origin, Enum):
        return f"one of {', '.join(origin.__members__)}"
    if origin is tuple and inner and inner[-1] is not Ellipsis:
        return f"a list of {len(inner)}"
    if _is_dataclass(origin):
        return f"a mapping ({origin.__name__})"
    return _NAMES.get(origin) or str(getattr(origin, "__name__", kind))
