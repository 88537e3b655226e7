"""A run that continues another one: what that one logged stands before what it logs itself."""

from __future__ import annotations

from math import isfinite

from exptrack.analysis.points import Point
from exptrack.errors import RevError
from exptrack.model.run import Run
from exptrack.model.tree import Value, flatten
from exptrack.operations.context import Context
from exptrack.operations.histories import load_points
from exptrack.operations.recover import recover
from exptrack.store import journal as journals
from exptrack.store import revs
from exptrack.store.journal import Journal


def find_resumed(context: Context, rev: str) -> Run:
    """The run that a rev names, to be continued; if it died and waits for `recover`, it is recorded first.

    Raises RevError, also if it is still under way.
    """
    shared = context.repository.shared
    if rev in journals.list_names(shared):
        if journals.is_alive(shared, rev) or journals.is_command_running(shared, rev):
            raise RevError(f"run '{rev}' is still under way: end it before another one resumes it")
        recover(context, [rev])
    return revs.load(context.repository, rev)


def continue_histories(context: Context, run: Run, journal: Journal) -> int:
    """Write what a run has logged into the journal of the one that continues it; gives the first step that it did not come to."""
    metrics = flatten(run.metrics)
    following = 0
    for name, points in load_points(context, run).items():
        kind = "metrics" if name in metrics else "system"
        journal.extend(kind, (_as_entry(name, one) for one in points))
        if kind == "metrics":
            steps = [int(one) for one in points.steps if isinstance(one, int | float)]
            following = max([following, *(step + 1 for step in steps)])
    return following


def _as_entry(name: str, point: Point) -> dict[str, Value]:
    value = point.value if isfinite(point.value) else str(point.value)
    epoch: dict[str, Value] = {} if point.epoch is None else {"epoch": point.epoch}
    return {"time": point.time, "step": point.step, **epoch, "values": {name: value}}
