"""What came of sharing runs, in words."""

from __future__ import annotations

from collections.abc import Sequence

from exptrack.render.text import format_counted, format_size, inert

__all__ = ["enumerate_names", "format_counted", "format_data"]

_SHOWN = 5


def enumerate_names(names: Sequence[str]) -> str:
    """The names, commas between; of many the first few."""
    shown = names if len(names) <= _SHOWN + 1 else names[:_SHOWN]
    more = f" and {len(names) - len(shown):,} more" if len(names) > len(shown) else ""
    return inert(", ".join(shown)) + more


def format_data(objects: int, size: int) -> str:
    """How much data went along, behind a semicolon; nothing if there was none."""
    return f"; {format_counted(objects, 'file')}, {format_size(size)} of data" if objects else ""
