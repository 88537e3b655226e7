"""An experiment with its runs as configurations: what `select`, `unseal` and `conclude` start from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from exptrack.analysis.choosing import find_holder
from exptrack.analysis.grouping import Grouped, Grouping, Row, find_configurations, group
from exptrack.errors import ExptrackError
from exptrack.model.comparison import Configuration, Rules
from exptrack.model.experiment import Experiment
from exptrack.model.run import Run
from exptrack.operations.comparing.declared import find_experiment, find_rules
from exptrack.operations.comparing.gather import gather
from exptrack.operations.context import Context
from exptrack.operations.listing import list_runs


class Material(NamedTuple):
    """An experiment, its runs (the first that started first), and what is taken from them. `baseline` is None if none is declared."""

    experiment: Experiment
    rules: Rules
    runs: tuple[Run, ...]
    rows: tuple[Row, ...]
    grouping: Grouping
    grouped: Grouped
    baseline: Configuration | None

    def named(self, names: Sequence[str]) -> tuple[Run, ...]:
        """Those of the runs that have these names, in the order of their start."""
        wanted = {*names}
        return tuple(run for run in self.runs if run.name in wanted)


def gather_material(context: Context, name: str, alpha: float | None = None) -> Material:
    """The experiment of this name with all its runs; raises ExptrackError if there is none, it has no run or no metric with a goal."""
    find_experiment(context, name)
    found = [run for run in list_runs(context) if run.record.experiment == name and not run.is_removed]
    runs = tuple(sorted(found, key=lambda run: (run.started, run.name)))
    if not runs:
        raise ExptrackError(f"experiment '{name}' has no run yet: record some with `exptrack run -e {name}`")
    rules, experiment = find_rules(context, name, None, runs, alpha)
    assert experiment is not None  # noqa: S101 - of this name
    if rules.goal is None:
        raise ExptrackError(
            f"it is not declared which way {rules.metric} is better: give `metrics.{rules.metric}.goal` in exptrack.yaml, maximize or minimize"
        )
    rows = tuple(gather(context, runs, rules.metric))
    grouping = Grouping(pair_by=experiment.pair_by, pair_key=experiment.pair_key)
    grouped = group(rows, grouping)
    return Material(experiment, rules, runs, rows, grouping, grouped, _find_baseline(experiment, grouped))


def _find_baseline(experiment: Experiment, grouped: Grouped) -> Configuration | None:
    """The configuration that is declared as the baseline: by its values, or by the name of a run."""
    wanted = experiment.baseline
    if wanted is None:
        return None
    if isinstance(wanted, str):
        found = find_holder(grouped.configurations, [wanted])
        if found is None:
            raise ExptrackError(f"the baseline '{wanted}' of experiment '{experiment.name}' is none of its runs")
        return found
    holding = find_configurations(grouped, wanted)
    # Of several states of the code that with the most runs.
    return max(holding, key=lambda one: (len(one.sample.values), one.label), default=None)
