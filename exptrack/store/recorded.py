"""The names of the runs that were recorded here, in that order, for `@`. A cache: without it the dates of the commits tell."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def note_recorded(shared: Path, name: str) -> None:
    """Remember that a run was recorded here."""
    with suppress(OSError), (shared / "recorded").open("a", encoding="utf-8") as file:
        file.write(name + "\n")


def read_recorded(shared: Path) -> list[str]:
    """The names so far; none if the list was deleted."""
    try:
        return (shared / "recorded").read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        return []
