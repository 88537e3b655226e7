"""Which runs count in a comparison: those that drew a result of their own, and are of what is compared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from exptrack.analysis.experiments.grouping import Grouped, Row
from exptrack.analysis.wording import counted
from exptrack.model.pipeline import StageState
from exptrack.model.run import Run
from exptrack.operations.comparing.partners import Bases


class Left(NamedTuple):
    """How many runs are left out that were not even read: which somebody removed, and which executed others again."""

    removed: int = 0
    reproductions: int = 0


NONE_LEFT = Left()


def leave_out(
    runs: Sequence[Run], left: Left = NONE_LEFT, *, has_reproductions: bool = False
) -> tuple[list[Run], tuple[str, ...]]:
    """The runs that count, in their order, and lines on those that do not, among them those `left` out before.

    What somebody removed does not count, nor what `reproduce` and `check` executed again, unless it `has_reproductions`: such a run
    tests another, and is no draw of its own. Nor what made nothing.
    """
    there = [one for one in runs if not one.is_removed]
    drawn = [one for one in there if has_reproductions or one.record.links.reproduces is None]
    kept, idle = _without_idle(drawn)
    idle_too = "no stage was run anew, so the result is that of an earlier run"
    return kept, (
        *_tell(left.removed + len(runs) - len(there), "somebody removed it", "somebody removed them"),
        *_tell(
            left.reproductions + len(there) - len(drawn),
            "it executed another run again",
            "they executed other runs again",
        ),
        *_tell(idle, idle_too, idle_too),
    )


def with_baseline(rows: Sequence[Row], picked: Collection[str], bases: Bases) -> list[Row]:
    """The rows that are asked for, and those of the baseline where none of them is."""
    base = bases.runs
    wanted = set(picked) if not base.isdisjoint(picked) else base | set(picked)
    return [row for row in rows if row.name in wanted]


def leave_out_others(grouped: Grouped, metric: str, rows: Sequence[Row], bases: Bases) -> tuple[Grouped, list[str]]:
    """Without configurations of which runs completed, and none has the metric: they are of something else. NaN is a value."""
    valued = {row.name for row in rows if row.value is not None} | bases.runs
    kept = tuple(one for one in grouped.configurations if one.sample.failed or not valued.isdisjoint(one.runs))
    left = len(grouped.configurations) - len(kept)
    return grouped._replace(configurations=kept), [
        f"{counted(left, 'configuration')} without {metric} left out"
    ] if left else []


def _tell(number: int, one: str, many: str) -> tuple[str, ...]:
    return (f"{counted(number, 'run')} left out: {one if number == 1 else many}",) if number else ()


def _without_idle(runs: Sequence[Run]) -> tuple[list[Run], int]:
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
