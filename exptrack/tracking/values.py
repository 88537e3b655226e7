"""What scripts log as JSON values: numbers out of tensors and arrays, trees out of configurations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import PurePath

from exptrack.model.tree import Value

_LONGEST = 1000  # characters of what has to be described in words
_MOST_ITEMS = 1000


def as_number(value: object) -> int | float | str:
    """A metric's value as a plain number, of a tensor or an array the one that it holds; else a text that says what it is."""
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if value is None or isinstance(value, str | bytes):
        return describe(value)
    try:
        plain = value.item() if hasattr(value, "item") else value.__float__()  # type: ignore[attr-defined]
    except (AttributeError, TypeError, ValueError, RuntimeError, ArithmeticError):
        return describe(value)
    if isinstance(plain, bool | int):
        return int(plain)
    return float(plain) if isinstance(plain, float) else describe(value)


def finite_only(number: float) -> str:
    """A number as JSON; NaN and infinities are texts."""
    return repr(number) if number - number == 0 else f'"{number}"'


def describe(value: object) -> str:
    """A value that is no number, in a few words."""
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"a {type(value).__name__} of shape {tuple(shape)}"
    if value is None:
        return "None"
    if isinstance(value, str):
        return f"the text {value[:50]!r}"
    return f"a {type(value).__name__}"


def as_tree(params: object) -> dict[str, Value] | None:
    """Parameters as a tree: of a mapping, a dataclass, a namespace or a configuration of OmegaConf; None if it is nothing of the kind."""
    found = as_value(params)
    return dict(found) if isinstance(found, Mapping) else None


def as_value(value: object) -> Value:
    """Anything as a JSON value; what has no better form is described by its text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return as_value(value.value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if value - value == 0 else str(float(value))
    return _as_structure(value)


def _as_structure(value: object) -> Value:
    if isinstance(value, Mapping):
        return {str(key): as_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
        return [as_value(item) for item in items]
    if isinstance(value, PurePath):
        return str(value)
    fields = _fields(value)
    if fields is not None:
        return {str(name): as_value(item) for name, item in fields.items()}
    return _as_item(value)


def _fields(value: object) -> Mapping[str, object] | None:
    """The fields of a dataclass, a namespace (of argparse, say) or a model of pydantic."""
    if isinstance(value, type):
        return None
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if type(value).__name__ in {"Namespace", "SimpleNamespace"}:
        return vars(value)
    dump = getattr(value, "model_dump", None)
    found = dump() if callable(dump) else None
    return found if isinstance(found, Mapping) else None


def _as_item(value: object) -> Value:
    number = as_number(value)
    if not isinstance(number, str):
        return as_value(number)
    listed = getattr(value, "tolist", None)
    size = getattr(value, "size", None)
    if callable(listed) and isinstance(size, int) and size <= _MOST_ITEMS:
        return as_value(listed())
    # OmegaConf's lists and others that count as sequences without being lists.
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [as_value(item) for item in value]
    if isinstance(value, type) or callable(value):
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__name__)}"
    return str(value)[:_LONGEST]
