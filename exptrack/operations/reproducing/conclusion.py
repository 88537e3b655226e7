"""What the conclusion of a run's experiment rests on: its runs on record, and the same with the reruns in the run's place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from exptrack.analysis.levels import NO_EXPERIMENT
from exptrack.errors import ExptrackError
from exptrack.model.run import Run
from exptrack.operations.context import SETTINGS, Context

if TYPE_CHECKING:
    from exptrack.analysis.experiments.conceptual import Conclusion


def gather_conclusion(context: Context, run: Run, reruns: Sequence[Run]) -> Conclusion | str:
    """The samples of the experiment's configurations with and without the reruns, by what the settings declare of it; else a line on why there are none.

    Reproductions are none of its runs. A run without an experiment, or without a baseline of that, costs nothing.
    """
    name, source = run.record.experiment, run.record.links.reproduces
    if name is None:
        return NO_EXPERIMENT
    experiment = context.settings.experiments.get(name)
    if experiment is None:
        return f"the experiment {name} is not declared in {SETTINGS}: which metric and baseline count is not known"
    if experiment.baseline is None:
        return f"the experiment {name} declares no baseline: write one below it in {SETTINGS}"
    if source is not None:
        return f"it is a rerun itself, which no conclusion rests on: reproduce {source}"
    try:
        return _gather(context, name, run, reruns)
    except ExptrackError as error:
        return str(error)


def _gather(context: Context, name: str, run: Run, reruns: Sequence[Run]) -> Conclusion | str:
    from exptrack.analysis.experiments.conceptual import Conclusion
    from exptrack.analysis.experiments.grouping import group, name_unit
    from exptrack.operations.compare import Asked, find_ground, list_samples
    from exptrack.operations.comparing.gather import gather

    ground = find_ground(context, Asked(experiment=name))
    own = next((one for one in ground.grouped.configurations if run.name in one.runs), None)
    row = next((one for one in ground.rows if one.name == run.name), None)
    if own is None or row is None:
        return f"it is not among the runs that the experiment {name} is concluded from"
    again = gather(context, reruns, ground.rules.metric)
    # Reruns of one seed are one draw; runs without a known seed count as distinct, as everywhere.
    seeds: dict[object, list[float]] = {}
    for one in again:
        seeds.setdefault(one.name if one.seed is None else one.seed, []).append(
            math.nan if one.value is None else one.value
        )
    values = tuple(math.fsum(some) / len(some) for some in seeds.values())
    is_whole = all(map(math.isfinite, values))
    replaced = row._replace(value=math.fsum(values) / len(values) if is_whole else None, evaluated=again[0].evaluated)
    rows = [replaced if one is row else one for one in ground.rows]
    kept = {one.label for one in ground.grouped.configurations}
    grouped = group(rows, ground.grouping)
    grouped = grouped._replace(configurations=tuple(one for one in grouped.configurations if one.label in kept))
    return Conclusion(
        rules=ground.rules,
        label=own.label,
        partners={label: base.label for label, base in ground.partners.items()},
        unit=name_unit(row, [one for one in ground.rows if one.name in own.runs], ground.grouping),
        before={one.label: one for one in list_samples(context, ground)},
        after={one.label: one for one in list_samples(context, ground._replace(grouped=grouped))},
        again=values if is_whole else (),
        reruns=len(reruns),
    )
