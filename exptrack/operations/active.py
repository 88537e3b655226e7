"""Runs that are not recorded yet: those under way, and those that died."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from exptrack.analysis.history import collect
from exptrack.analysis.holdout import is_holdout
from exptrack.model.run import Record
from exptrack.operations.context import Context
from exptrack.store import journal as journals
from exptrack.store.start import read_start


class Active(NamedTuple):
    """A run that is not recorded yet. `record` is None if it died before its command could start; `pid` is the command's.

    `metrics` holds the last logged value of each metric. A run whose recorder died may have a command that still runs.
    """

    name: str
    is_alive: bool
    is_command_running: bool
    record: Record | None
    pid: int | None
    metrics: dict[str, float]


def list_active(context: Context) -> tuple[Active, ...]:
    """Every run that has a journal, by name. Only reads."""
    shared = context.repository.shared
    seen = (look(shared, name) for name in journals.list_names(shared))
    return tuple(one for one in seen if one.is_alive or journals.is_dead(shared, one.name))


def look(shared: Path, name: str) -> Active:
    """What the journal of one run says."""
    folder = journals.folder_of(shared, name)
    start = read_start(folder)
    entries = list(journals.read_stream(folder))
    pid = next((entry["pid"] for entry in entries if entry["kind"] == "command"), None)
    return Active(
        name,
        journals.is_alive(shared, name),
        journals.is_command_running(shared, name),
        start.record if start else None,
        pid if isinstance(pid, int) else None,
        {
            metric: points[-1].value
            for metric, points in collect(entries).items()
            if start is None or not is_holdout(metric, start.holdouts)
        },
    )


def count_dead(context: Context) -> int:
    """How many runs died and wait for `recover`: those whose command still runs do not yet."""
    shared = context.repository.shared
    names = journals.list_names(shared)
    return sum(1 for name in names if journals.is_dead(shared, name) and not journals.is_command_running(shared, name))
