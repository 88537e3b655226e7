"""An experiment with its runs as configurations: what `select`, `unseal` and `conclude` start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exptrack.analysis.experiments.choosing import find_holder
from exptrack.analysis.experiments.grouping import Grouped, Grouping, Row, group
from exptrack.errors import ExptrackError
from exptrack.model.comparison import Configuration, Rules, Sample
from exptrack.model.experiment import Experiment, Pairing
from exptrack.model.run import Run
from exptrack.model.selection import Chosen
from exptrack.operations.comparing.chosen import find_baselines
from exptrack.operations.comparing.counting import leave_out
from exptrack.operations.comparing.declared import find_experiment, find_rules
from exptrack.operations.comparing.gather import gather
from exptrack.operations.comparing.members import Members, read_experiment
from exptrack.operations.comparing.partners import refuse_several
from exptrack.operations.comparing.past import find_choices
from exptrack.operations.context import Context


class Material(NamedTuple):
    """An experiment, its runs (the first that started first, those left out that do not count), and what is taken from them.

    `choices` were made before, the last one counts. `baseline` is None if none is declared.
    """

    experiment: Experiment
    rules: Rules
    runs: tuple[Run, ...]
    rows: tuple[Row, ...]
    grouping: Grouping
    grouped: Grouped
    choices: tuple[Chosen, ...]
    baseline: Configuration | None

    def named(self, names: Sequence[str]) -> tuple[Run, ...]:
        """Those of the runs that have these names, in the order of their start."""
        wanted = {*names}
        return tuple(run for run in self.runs if run.name in wanted)


class Known(NamedTuple):
    """What was read before: the runs of the experiment, and the rows of some by name, with their final values of a metric."""

    members: Members
    metric: str
    rows: Mapping[str, Row]


def gather_material(
    context: Context, name: str, members: Members | None = None, *, has_several: bool = False
) -> Material:
    """The experiment of this name with all its runs; raises ExptrackError if there is none, it has no run or no metric with a goal.

    `members` are its runs, if they were read before.
    Once something was chosen, the baseline is the configuration that it was compared with. It must be one, unless it may be several
    (`has_several`), and then it is None.
    """
    find_experiment(context, name)
    everything = read_experiment(context, name) if members is None else members
    found = [run for run in everything.runs if not run.is_removed]
    kept, left = leave_out(sorted(found, key=lambda run: (run.started, run.name)))
    runs = tuple(kept)
    if not runs:
        raise ExptrackError(f"no run of the experiment {name} yet: make one with `exptrack run -e {name} -- COMMAND`")
    rules, experiment = find_rules(context, name, None, runs)
    if rules.goal is None:
        raise ExptrackError(
            f"no goal of {rules.metric} is declared: write `{rules.metric}: maximize` or `minimize` below `metrics` in exptrack.yaml"
        )
    declared = experiment or Experiment(name)
    rows = tuple(gather(context, runs, rules.metric))
    grouping = Grouping(pair_by=declared.pair_by, pair_key=declared.pair_key)
    grouped = with_evaluated(context, group(rows, grouping), rules)
    grouped = grouped._replace(notes=(*grouped.notes, *left))
    choices = find_choices(runs, name)
    before = find_holder(grouped.configurations, choices[-1].baseline_runs) if choices else None
    if before is None and declared.baseline is not None:
        bases, _ = find_baselines(context, declared.baseline, grouped, runs)
        if len(bases.configurations) > 1 and (choices or not has_several):
            raise refuse_several(bases.told, bases.configurations)
        before = bases.configurations[0] if len(bases.configurations) == 1 else None
    return Material(declared, rules, runs, rows, grouping, grouped, choices, before)


def sample(
    context: Context, material: Material, configuration: Configuration | None, rows: Sequence[Row], metric: str
) -> Sample:
    """What those of the rows say that are of a configuration, by the label that it has among all; empty without any.

    What the metric is declared to be evaluated on stands in it, known or not.
    """
    label = configuration.label if configuration else ""
    names = {*configuration.runs} if configuration else set()
    own = [row for row in rows if row.name in names]
    if not own:
        return Sample(label)
    found = with_evaluated(context, group(own, material.grouping), material.rules._replace(metric=metric))
    return found.configurations[0].sample._replace(label=label)


def with_evaluated(context: Context, grouped: Grouped, rules: Rules) -> Grouped:
    """What the metric is declared to be evaluated on stands in each sample, known or not."""
    declared = context.settings.metrics.get(rules.metric)
    if declared is None or not declared.evaluated_on or rules.pair_by not in {Pairing.NONE, Pairing.SEED}:
        return grouped
    unknown: dict[str, tuple[str, ...]] = dict.fromkeys(declared.evaluated_on, ())
    return grouped._replace(
        configurations=tuple(
            one._replace(sample=one.sample._replace(evaluated={**unknown, **one.sample.evaluated}))
            for one in grouped.configurations
        )
    )
