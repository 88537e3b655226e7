"""Runs of a pipeline that made nothing."""

from __future__ import annotations

from collections.abc import Sequence

from exptrack.analysis.wording import counted
from exptrack.model.pipeline import StageState
from exptrack.model.run import Run


def without_idle(runs: Sequence[Run]) -> tuple[list[Run], int]:
    """Without runs of a pipeline that made nothing and have what an earlier run has, and how many these are: they are the same draw."""
    seen: set[tuple[object, ...]] = set()
    idle: set[str] = set()
    for one in sorted(runs, key=lambda run: run.started):
        if not one.record.stages:
            continue
        made = tuple(
            (stage.name, *sorted(stage.deps.items()), *sorted(stage.outs.items())) for stage in one.record.stages
        )
        if made in seen and all(
            stage.state in {StageState.SKIPPED, StageState.RESTORED} for stage in one.record.stages
        ):
            idle.add(one.oid)
        seen.add(made)
    return [one for one in runs if one.oid not in idle], len(idle)


def tell_idle(number: int) -> tuple[str, ...]:
    """A line on so many idle runs; none if there are none."""
    why = "no stage was run anew, so the result is that of an earlier run"
    return (f"{counted(number, 'run')} left out: {why}",) if number else ()
