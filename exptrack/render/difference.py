"""A difference between two runs, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeGuard

from exptrack.model.change import Change, Kind
from exptrack.model.tree import Value
from exptrack.operations.diff import Difference
from exptrack.render.text import format_table, format_value, inert, inert_page


def format_difference(difference: Difference) -> str:
    """Parameters and metrics as tables, then the code; a single line if nothing differs."""
    parts = [f"{difference.old.name} → {difference.new.name}"]
    for area, title in (("params", "parameters"), ("metrics", "metrics")):
        changes = [change for change in difference.changes if change.area == area]
        if changes:
            parts.append(f"{title}:\n" + _table(changes))
    if difference.code:
        parts.append("code:\n" + inert_page(difference.code.rstrip("\n")))
    return "\n\n".join(parts if len(parts) > 1 else [parts[0], "no difference in parameters, metrics or code"])


def _table(changes: Sequence[Change]) -> str:
    has_delta = any(_delta(change) for change in changes)
    header = ["  key", "old", "new", *(["delta"] if has_delta else [])]
    return format_table(header, ([*_cells(change), *([_delta(change)] if has_delta else [])] for change in changes))


def _cells(change: Change) -> Iterator[str]:
    yield "  " + inert(".".join(change.key))
    yield "" if change.kind is Kind.ADDED else format_value(change.old)
    yield "" if change.kind is Kind.REMOVED else format_value(change.new)


def _delta(change: Change) -> str:
    old, new = change.old, change.new
    if change.area != "metrics" or not _is_number(old) or not _is_number(new):
        return ""
    try:
        return f"{new - old:+.6g}"
    except OverflowError:  # a whole number that no float can hold
        return ""


def _is_number(value: Value) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
