"""Runs that are not recorded yet: those under way, and those that died."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from exptrack.model.run import Record
from exptrack.operations.context import Context
from exptrack.operations.follow import Follower, State, find_state
from exptrack.store import journal as journals


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
    with closing(Follower(shared, name)) as follower:
        state, _ = follower.look()
    return Active(
        name,
        state is State.RUNNING,
        journals.is_command_running(shared, name),
        follower.record,
        follower.live.pid,
        {metric: series.value for metric, series in follower.live.metrics.items()},
    )


def is_any_under_way(context: Context) -> bool:
    """Whether a run is under way, or its command though its recorder died."""
    shared = context.repository.shared
    return any(find_state(shared, name) in {State.RUNNING, State.ORPHANED} for name in journals.list_names(shared))


def count_dead(context: Context) -> int:
    """How many runs died and wait for `recover`: those whose command still runs do not yet."""
    shared = context.repository.shared
    names = journals.list_names(shared)
    return sum(1 for name in names if journals.is_dead(shared, name) and not journals.is_command_running(shared, name))
