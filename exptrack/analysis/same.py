"""Whether two values are the same value, not only equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exptrack.model.tree import Value


def is_same(old: Value, new: Value) -> bool:
    """Whether two values are equal and of the same type; NaN is NaN."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(is_same(old[key], new[key]) for key in old)
    if _is_list(old) and _is_list(new):
        return len(old) == len(new) and all(map(is_same, old, new))  # type: ignore[arg-type]
    return type(old) is type(new) and repr(old) == repr(new)


def _is_list(value: Value) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
