"""Where an execution first left the recorded one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from exptrack.analysis.points import Point, Points
from exptrack.analysis.stats import same_bits
from exptrack.analysis.terms import is_volatile_metric, is_volatile_path
from exptrack.analysis.thinning import thin
from exptrack.model.pipeline import StageRun
from exptrack.model.reproduction import Divergence
from exptrack.model.tree import Value

_Histories = Mapping[str, Sequence[Point]]


def find_divergence(
    old_stages: Sequence[StageRun] | None,
    new_stages: Sequence[StageRun] | None,
    old_histories: _Histories,
    new_histories: _Histories,
    volatile: Sequence[str] = (),
) -> Divergence | None:
    """The first stage whose outs differ although its dependencies agree, and the first step at which a metric differs; None if neither.

    Stages are taken in the order in which they were recorded. If the dependencies of all that differ differ, too, it is the first whose
    outs do, with the first of its dependencies that differs. Of its outs it is the first by name. Of metrics it is the smallest step, and there the first by name; values are compared
    to the last bit, times are not, and a point that only one side has is a difference. A step that is no whole number counts as the
    position in the history. Of a history of which a side has no more than its thinned points both are thinned first. What is `volatile` (see `analysis.terms`) is left out.

    Where both are known, both are given, and `old` and `new` are the values of the metric.
    """
    stage = _find_stage(old_stages or (), new_stages or (), volatile)
    metric = _find_step(old_histories, new_histories, volatile)
    if stage is None or metric is None:
        return stage or metric
    return metric._replace(stage=stage.stage, output=stage.output, input=stage.input)


def _find_stage(old: Sequence[StageRun], new: Sequence[StageRun], volatile: Sequence[str]) -> Divergence | None:
    """Only stages that were recorded are looked at: the outs of another one have nothing to be compared with."""
    again = {stage.name: stage for stage in new}
    first = None
    for stage in old if again else ():
        rerun = again.get(stage.name)
        path = _first_difference(stage.outs, rerun.outs if rerun else {}, volatile)
        if path is None:
            continue
        found = Divergence(stage.name, path, old=stage.outs.get(path), new=rerun.outs.get(path) if rerun else None)
        dep = _first_difference(stage.deps, rerun.deps, volatile) if rerun else None
        if rerun is not None and dep is None:
            return found
        first = first or found._replace(input=dep)
    return first


def _first_difference(old: Mapping[str, str], new: Mapping[str, str], volatile: Sequence[str]) -> str | None:
    differing = (path for path in sorted(old.keys() | new.keys()) if old.get(path) != new.get(path))
    return next((path for path in differing if not is_volatile_path(path, volatile)), None)


def _find_step(old: _Histories, new: _Histories, volatile: Sequence[str]) -> Divergence | None:
    found = (
        Divergence(metric=metric, step=step, old=before, new=after)
        for metric in sorted(old.keys() | new.keys())
        if not is_volatile_metric(metric, volatile)
        for step, before, after in _differences(old.get(metric, ()), new.get(metric, ()))
    )
    return min(found, key=lambda one: one.step or 0, default=None)


def _differences(old: Sequence[Point], new: Sequence[Point]) -> Iterator[tuple[int, Value, Value]]:
    """The smallest step at which two histories of a metric differ, with both values there; a step that was logged twice has two."""
    before, after = _by_step(old), _by_step(new)
    if not (_is_whole(old) and _is_whole(new)):
        before, after = _by_step(thin(Points(old))), _by_step(thin(Points(new)))
        # What is missing on one side may only have been thinned out there.
        both = [step for step in before.keys() & after.keys() if len(before[step]) == len(after[step])]
        changed = [step for step in both if not all(map(same_bits, before[step], after[step]))]
        if changed:
            before, after = ({step: values[step] for step in changed} for values in (before, after))
    for step in sorted(before.keys() | after.keys()):
        values, others = before.get(step, []), after.get(step, [])
        for position in range(max(len(values), len(others))):
            value = values[position] if position < len(values) else None
            other = others[position] if position < len(others) else None
            if not same_bits(value, other):
                yield step, value, other
                return


def _is_whole(points: Sequence[Point]) -> bool:
    return not isinstance(points, Points) or points.is_whole


def _by_step(points: Sequence[Point]) -> dict[int, list[float]]:
    values: dict[int, list[float]] = {}
    for position, point in enumerate(points):
        values.setdefault(_whole(point.step, position), []).append(point.value)
    return values


def _whole(step: Value, position: int) -> int:
    if isinstance(step, float):
        return int(step) if step.is_integer() else position
    return step if isinstance(step, int) else position
