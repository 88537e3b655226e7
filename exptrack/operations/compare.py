"""Compare configurations by a metric: which of them is better than the baseline, and what may be said of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exptrack.analysis.experiments.grouping import Grouped, Grouping, Row, group, sort_best
from exptrack.analysis.experiments.positional import note_positional
from exptrack.analysis.experiments.suites import describe_suite
from exptrack.analysis.fieldnames import find_nearest, shown
from exptrack.analysis.rows import RunRows
from exptrack.analysis.seeds import SEEDS
from exptrack.analysis.verdicts import describe_winner, explore
from exptrack.analysis.wording import counted, name_few
from exptrack.errors import ExptrackError
from exptrack.model.comparison import Comparison, Configuration, Rules, Sample, Verdict
from exptrack.model.experiment import Experiment
from exptrack.model.run import Run
from exptrack.operations.comparing.beside import name_differences_beside
from exptrack.operations.comparing.best import flag_best
from exptrack.operations.comparing.chosen import Meant, find_baselines, understand, with_configurations
from exptrack.operations.comparing.counting import leave_out, leave_out_others, with_baseline
from exptrack.operations.comparing.declared import find_rules, make_rules
from exptrack.operations.comparing.gather import BEST, FINAL, gather, read_values
from exptrack.operations.comparing.material import Known, Material, with_evaluated
from exptrack.operations.comparing.members import Members, asks_for_reproductions, read_experiment, read_members
from exptrack.operations.comparing.partners import (
    Bases,
    check_partners,
    decide_beside,
    find_again,
    find_partners,
    pair_up,
    tell_partners,
)
from exptrack.operations.comparing.past import find_choices
from exptrack.operations.comparing.removed import count_removed, tell_removed
from exptrack.operations.context import Context

_NAMED = 5


class Asked(NamedTuple):
    """What is to be compared. `words` are queries and revs (none: all runs), `experiment` the name of a declared one.

    `baseline` are values (`lr=0.1`), a run, a branch or a commit; None takes the experiment's. `group_by` are the parameters that alone
    make a configuration. `alpha` counts in place of the declared one. `step` is `final`, `best`, or the step whose value counts.
    What `reproduce` and `check` executed again is left out, unless a word names it.
    """

    words: tuple[str, ...] = ()
    experiment: str | None = None
    metric: str | None = None
    baseline: str | None = None
    group_by: tuple[str, ...] | None = None
    is_code_merged: bool = False
    is_strict: bool = False
    is_forced: bool = False
    alpha: float | None = None
    step: str | float = FINAL


class Ground(NamedTuple):
    """What is compared: runs and their rows, the configurations that they make, and by which rules.

    `partners` are by the label of each candidate the configuration that it is held against: the baseline, or that of several with its parameters.
    `picked` are names of the runs that were asked for within an experiment (None: all). `notes` are lines on how it came to be.
    """

    runs: Sequence[Run]
    rows: Sequence[Row]
    rules: Rules
    experiment: Experiment | None
    grouping: Grouping
    grouped: Grouped
    bases: Bases
    partners: Mapping[str, Configuration]
    picked: frozenset[str] | None
    notes: tuple[str, ...]

    @property
    def baseline(self) -> Configuration | None:
        """The baseline, if it is one configuration."""
        return self.bases.configurations[0] if len(self.bases.configurations) == 1 else None


def compare(context: Context, asked: Asked, known: Known | None = None, alpha: float | None = None) -> Comparison:
    """The configurations of the runs that are asked for, best first, and a verdict for each but the baseline. Writes nothing.

    Within an experiment the correction is over all its configurations, whichever of them are asked for. What is `known` is
    not read again. `alpha` is the share of the declared one that a look spends. Raises ExptrackError, RevError, QueryError.
    """
    ground = find_ground(context, asked, known)
    rules, grouped = ground.rules._replace(alpha=alpha or ground.rules.alpha), ground.grouped
    samples = list_samples(context, ground)
    decided = decide_beside(rules, samples, ground.partners, is_forced=asked.is_forced)
    verdicts = {one.label: one for one in _add_differences(decided, ground)}
    labels = ground.bases.labels
    ordered = sort_best([one._replace(is_baseline=one.label in labels) for one in grouped.configurations], rules.goal)
    if (picked := ground.picked) is not None:
        ordered = tuple(one for one in ordered if one.is_baseline or not picked.isdisjoint(one.runs))
    told = tuple(verdicts[one.label] for one in ordered if one.label in verdicts)
    return Comparison(
        rules=rules,
        configurations=ordered,
        verdicts=flag_best(context, _as_material(ground, asked), told, ground.partners),
        experiment=ground.experiment.name if ground.experiment else None,
        baseline=ground.bases.label,
        shared=grouped.shared,
        tried=len(grouped.configurations),
        winner=describe_winner(rules, samples) if rules.goal else "",
        secondary=_look_beside(context, ground, asked),
        described=describe_suite(rules, ground.rows, ground.grouping, ordered, labels),
        notes=ground.notes,
    )


def find_ground(context: Context, asked: Asked, known: Known | None = None) -> Ground:
    """Which runs are compared, as which configurations, beside which baseline, by which rules; raises as `compare`."""
    runs, notes = _find_runs(context, asked, known)
    meant = understand(context, asked.words, runs)
    name = _infer(context, runs, meant) if asked.experiment is None else asked.experiment
    if name is not None and asked.experiment is None:
        runs = [one for one in runs if one.record.experiment == name]
        notes.append(f"all are of the experiment {name}: its configurations count, whichever are asked for")
    rules, experiment = find_rules(context, name, asked.metric, runs, asked.alpha)
    grouping = _make_grouping(asked, experiment, rules)
    rows = _gather(context, runs, rules.metric, asked.step, known)
    _check_names(grouping, rows, context.settings.seed)
    _check_step(rows, rules.metric, asked.step)
    grouped = group(rows, grouping)
    bases, more = _find_bases(context, asked, experiment, grouped, runs)
    notes += [*(note for one in meant for note in one.notes), *more]
    picked = _pick(meant, grouped) if asked.words else None
    if picked is not None and name is None:
        rows = with_baseline(rows, picked, bases)
        runs = [one for one in runs if one.name in {row.name for row in rows}]
        picked, grouped = None, group(rows, grouping)
        bases = find_again(bases, grouped.configurations)
    grouped, left = leave_out_others(grouped, rules.metric, rows, bases)
    partners = find_partners(bases, grouped.configurations)
    check_partners(bases, rules)
    told = tell_partners(bases, partners, grouped.configurations)
    notes += [
        *told,
        *grouped.notes,
        *left,
        *note_positional(rows, grouping),
        *_tell_lacks(rules, bases, partners, asked),
    ]
    notes += tell_removed(count_removed(context).get(name, {})) if name is not None else ()
    return Ground(runs, rows, rules, experiment, grouping, grouped, bases, partners, picked, tuple(notes))


def _gather(
    context: Context, runs: Sequence[Run], metric: str, step: str | float, known: Known | None
) -> Sequence[Row]:
    if known and (metric, step) == (known.metric, FINAL) and all(one.name in known.rows for one in runs):
        return [known.rows[one.name] for one in runs]
    return gather(context, runs, metric, step)


def _find_runs(context: Context, asked: Asked, known: Known | None) -> tuple[list[Run], list[str]]:
    """The runs among which is compared, and lines on those that are not."""
    members = known.members if known else _read_members(context, asked)
    found, broken = members.runs, members.broken
    notes = [f"{counted(broken, 'run')} cannot be read: `exptrack fsck` tells more"] if broken else []
    if not found:
        if asked.experiment is None:
            raise ExptrackError("no run yet: make one with `exptrack run -- COMMAND`")
        if asked.experiment in context.settings.experiments:
            raise ExptrackError(
                f"no run of the experiment {asked.experiment} yet: make one with `exptrack run -e {asked.experiment} -- COMMAND`"
            )
    again = asks_for_reproductions(asked.words, RunRows(found))
    kept, left = leave_out(found, members.left, has_reproductions=again)
    return kept, [*notes, *left]


def _read_members(context: Context, asked: Asked) -> Members:
    if asked.experiment is not None:
        return read_experiment(context, asked.experiment)
    return read_members(context, asked.words, context.settings.experiments)


def _infer(context: Context, runs: Sequence[Run], meant: Sequence[Meant]) -> str | None:
    """The declared experiment that all the runs are of: its configurations count, whichever are asked for."""
    chosen = frozenset().union(*(one.names for one in meant)) if meant else {one.name for one in runs}
    names = {one.record.experiment for one in runs if one.name in chosen}
    [name] = names if len(names) == 1 else [None]
    return name if name in context.settings.experiments else None


def _make_grouping(asked: Asked, experiment: Experiment | None, rules: Rules) -> Grouping:
    by = None if asked.group_by is None else tuple(dict.fromkeys(one.removeprefix("params.") for one in asked.group_by))
    key = experiment.pair_key if experiment else None
    return Grouping(by, rules.pair_by, key, asked.is_code_merged, asked.is_strict)


def _check_names(grouping: Grouping, rows: Sequence[Row], seed: str | None) -> None:
    known = {key for row in rows for key in row.params}
    for name in grouping.by or ():
        if name not in known and (name == seed or name.rpartition(".")[2] in SEEDS):
            raise ExptrackError(f"{shown(name)} is the seed: runs with other seeds are replicates, so leave it out")
        if name not in known:
            close = find_nearest(name, known)
            raise ExptrackError(
                f"no run has the parameter {shown(name)}: "
                + (f"did you mean {shown(close)}?" if close else "`exptrack ls --all-columns` shows what they have")
            )


def _check_step(rows: Sequence[Row], metric: str, step: str | float) -> None:
    if step == FINAL or not rows or any(row.value is not None for row in rows):
        return
    what = f"no run has a history of {metric}" if step == BEST else f"no run has {metric} at step {step:g}"
    raise ExptrackError(
        f"{what}: `exptrack show REV --history {metric}` shows what one has, --step final takes the last value"
    )


def _find_bases(
    context: Context, asked: Asked, experiment: Experiment | None, grouped: Grouped, runs: Sequence[Run]
) -> tuple[Bases, tuple[str, ...]]:
    wanted = asked.baseline if asked.baseline is not None else experiment.baseline if experiment else None
    if wanted is None:
        return Bases(), ()
    return find_baselines(context, wanted, grouped, runs, is_code_merged=asked.is_code_merged)


def _pick(meant: Sequence[Meant], grouped: Grouped) -> frozenset[str]:
    """The names of the runs that are asked for."""
    return frozenset().union(*(with_configurations(one.names, grouped) if one.is_whole else one.names for one in meant))


def list_samples(context: Context, ground: Ground) -> list[Sample]:
    """The samples; what the metric is declared to be evaluated on stands in each, known or not."""
    return [one.sample for one in with_evaluated(context, ground.grouped, ground.rules).configurations]


def _add_differences(verdicts: Sequence[Verdict], ground: Ground) -> tuple[Verdict, ...]:
    """Verdicts with a note on what else than parameters differs from the baseline."""
    found = name_differences_beside(ground.rows, ground.grouped, ground.partners)
    return tuple(
        one._replace(notes=(*one.notes, f"differs from the baseline in {name_few(found[one.label], _NAMED)}, too"))
        if found.get(one.label)
        else one
        for one in verdicts
    )


def _as_material(ground: Ground, asked: Asked) -> Material:
    """The same as that which was chosen from; nothing was chosen by another value of each run than the final one."""
    experiment = ground.experiment or Experiment("")
    choices = find_choices(ground.runs, experiment.name) if asked.step == FINAL else ()
    runs, rows = tuple(sorted(ground.runs, key=lambda run: (run.started, run.name))), tuple(ground.rows)
    return Material(experiment, ground.rules, runs, rows, ground.grouping, ground.grouped, choices, ground.baseline)


def _tell_lacks(rules: Rules, bases: Bases, partners: Mapping[str, Configuration], asked: Asked) -> list[str]:
    """Lines on what is not known, and on which value of each run counts."""
    lines = []
    if asked.step == BEST:
        lines.append(f"of each run the best {rules.metric} of its history counts, which the choice alone makes better")
    elif asked.step != FINAL:
        lines.append(f"of each run {rules.metric} at step {asked.step} counts")
    if bases.configurations and not partners:
        lines.append("no candidate, so no verdict: all runs that are compared are of the baseline")
    if not bases.configurations:
        how = "by values (lr=0.1), a run, a branch or a commit"
        lines.append(f"no baseline, so no verdict: name one with --baseline, {how}")
    if rules.goal is None:
        lines.append(
            f"no goal of {rules.metric} is declared: write maximize or minimize below `metrics` in exptrack.yaml"
        )
    return lines


def _look_beside(context: Context, ground: Ground, asked: Asked) -> Mapping[str, tuple[Verdict, ...]]:
    """The secondary metrics of the experiment, exploratory; those that are sealed are left out."""
    experiment, settings = ground.experiment, context.settings
    if experiment is None or not ground.partners:
        return {}
    sealed = {experiment.holdout, *(name for name, one in settings.metrics.items() if one.holdout)}
    rules = {name: make_rules(settings, experiment, name) for name in experiment.secondary if name not in sealed}
    tables: dict[str, tuple[Verdict, ...]] = {}
    pairs: dict[str, list[tuple[Sample, Sample]]] = {}
    for metric, own in rules.items():
        values = read_values(context, ground.runs, metric, asked.step)
        rows = [row._replace(value=value, evaluated={}) for row, value in zip(ground.rows, values, strict=True)]
        samples = [one.sample for one in group(rows, ground.grouping).configurations]
        pairs[metric] = pair_up(samples, ground.partners)
        tables[metric] = decide_beside(own, samples, ground.partners, is_forced=asked.is_forced)
    return explore(tables, rules, pairs)
