"""What scripts log as JSON values: numbers out of tensors and arrays, trees out of configurations.

The objects are the script's own: whatever they raise when they are asked, nothing here raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from operator import attrgetter
from pathlib import PurePath
from re import sub
from typing import Any, TypeVar

from exptrack.model.tree import Value

_LONGEST = 1000  # characters of what has to be described in words
_MOST_ITEMS = 1000
_DEEPEST = 100  # levels of a tree
_WIDEST = 1 << 63  # whole numbers beyond are not told from each other by most readers of JSON
_MISSING = "???"  # as OmegaConf writes what is to be given and was not
_MOST_BITS = 10_000  # Python itself refuses to write more than 4,300 digits
_T = TypeVar("_T")


def attempt(ask: Callable[..., _T], *given: Any, otherwise: _T) -> _T:
    """What an object of the script gives when it is asked, `otherwise` if it raises."""
    try:
        return ask(*given)
    except Exception:  # noqa: BLE001 - it is the script's own, and no reason to end its training
        return otherwise


def as_number(value: Any) -> int | float | str:
    """A metric's value as a plain number, of a tensor or an array the one that it holds; else a text that says what it is."""
    if isinstance(value, int):
        return _as_whole(value)
    if isinstance(value, float):
        return float(value)
    if value is None or isinstance(value, str | bytes) or attempt(lambda: bool(value.mask.all()), otherwise=False):
        return describe(value)  # what NumPy has masked gives a number, too
    plain = attempt(lambda: value.item(), otherwise=value)  # noqa: PLW0108 - there may be none
    if isinstance(plain, int):
        return _as_whole(plain)
    # Also of `item` itself: NumPy's longdouble gives one again.
    number = attempt(lambda: plain.__float__(), otherwise=None)  # noqa: PLW0108 - there may be none
    return float(number) if isinstance(number, float) else describe(value)


def _as_whole(value: int) -> int | float:
    """As metrics are read: beyond 64 bits a float, and beyond those infinite."""
    whole = int(value)
    if -_WIDEST <= whole < _WIDEST:
        return whole
    return attempt(float, whole, otherwise=float("inf") if whole > 0 else -float("inf"))


def finite_only(number: float) -> str:
    """A number as JSON; NaN and infinities are texts."""
    return repr(number) if number - number == 0 else f'"{number}"'


def describe(value: Any) -> str:
    """A value that is no number, in a few words."""
    if value is None:
        return "None"
    if isinstance(value, str):
        return f"the text {value[:50]!r}"
    shape = None if isinstance(value, type) else attempt(lambda: tuple(value.shape), otherwise=None)
    return f"a {type(value).__name__}" if shape is None else f"a {type(value).__name__} of shape {shape}"


def as_text(value: object) -> str:
    """Anything in its own words; where it has none, in ours."""
    return attempt(str, value, otherwise=describe(value))


def as_tree(params: object) -> dict[str, Value] | None:
    """Parameters as a tree: of a mapping, a dataclass, a namespace or a configuration of OmegaConf; None if it is nothing of the kind."""
    found = as_value(params)
    return dict(found) if isinstance(found, Mapping) else None


def as_value(value: Any, above: tuple[int, ...] = ()) -> Value:
    """Anything as a JSON value; what has no better form is described by its text. `above` are the ids of what it lies in."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return as_value(value.value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int | float):
        return _as_finite(value)
    if id(value) in above or len(above) > _DEEPEST:
        return f"a {type(value).__name__} within itself" if id(value) in above else f"a {type(value).__name__}"
    return _as_structure(value, (*above, id(value)))


def _as_finite(value: Any) -> Value:
    if isinstance(value, float):
        number = float(value)
        return number if number - number == 0 else str(number)
    whole = int(value)
    return whole if whole.bit_length() < _MOST_BITS else f"{whole:#x}"[:_LONGEST]


def _as_structure(value: Any, above: tuple[int, ...]) -> Value:
    if isinstance(value, Mapping):
        return _as_mapping(value, above)
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=_show) if isinstance(value, set | frozenset) else value
        return [as_value(item, above) for item in items]
    if isinstance(value, PurePath):
        return str(value)
    fields = attempt(_fields, value, otherwise=None)
    return _as_mapping(fields, above) if fields is not None else _as_item(value, above)


def _as_mapping(values: Mapping[object, object], above: tuple[int, ...]) -> Value:
    """With what can be read of it: OmegaConf raises for a value that is missing."""
    return {as_text(name): as_value(_get(values, name), above) for name in _list(values)}


def _get(values: Mapping[object, object], name: object) -> object:
    missing: object = _MISSING
    return attempt(values.__getitem__, name, otherwise=missing)


def _list(values: Any) -> list[Any]:
    return attempt(list, values, otherwise=[])


def _show(item: object) -> str:
    return attempt(repr, item, otherwise="")


def _fields(value: Any) -> Mapping[object, object] | None:
    """The fields of a dataclass, a namespace (of argparse, say) or a model of pydantic."""
    if isinstance(value, type):
        return None
    if hasattr(value, "__dataclass_fields__"):
        return {name: attempt(attrgetter(name), value, otherwise=_MISSING) for name in value.__dataclass_fields__}
    if type(value).__name__ in {"Namespace", "SimpleNamespace"}:
        return dict(vars(value))
    dump = getattr(value, "model_dump", None)
    found = dump() if callable(dump) else None
    return found if isinstance(found, Mapping) else None


def _name(value: Any) -> str:
    return f"{value.__module__}.{getattr(value, '__qualname__', type(value).__qualname__)}"


def _as_item(value: Any, above: tuple[int, ...]) -> Value:
    number = as_number(value)
    if not isinstance(number, str):
        return as_value(number)
    listed = attempt(lambda: value.tolist() if value.size <= _MOST_ITEMS else None, otherwise=None)
    if listed is not None:
        return as_value(listed, above)
    # OmegaConf's lists and others that count as sequences without being lists.
    if isinstance(value, Sequence) and not isinstance(value, bytes) and attempt(len, value, otherwise=0) <= _MOST_ITEMS:
        return [as_value(item, above) for item in _list(value)]
    if isinstance(value, type) or callable(value):
        return attempt(_name, value, otherwise=describe(value))
    # Where it lies in memory is no part of a parameter: each run would be a configuration of its own.
    return sub(r" at 0x[0-9a-f]+", "", as_text(value)[:_LONGEST])
