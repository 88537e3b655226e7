"""A diff as a value: a tuple of changes."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from exptrack.model.tree import Value


class Kind(StrEnum):
    """What happened to the thing between the old side and the new."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Change(NamedTuple):
    """One difference. `area` is one of `Area`, `key` the path of keys down to the value that differs."""

    area: str
    key: tuple[str, ...]
    kind: Kind
    old: Value = None
    new: Value = None
