"""By which rules is compared: what `exptrack.yaml` declares, and what of that was declared before the first run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exptrack.analysis.experiments.declaration import LEAST_ALPHA
from exptrack.analysis.fieldnames import find_nearest, shown
from exptrack.analysis.settings import parse_settings
from exptrack.analysis.wording import name_few
from exptrack.backends.git import objects
from exptrack.errors import ExptrackError, SettingsError
from exptrack.model.comparison import Rules
from exptrack.model.experiment import Experiment
from exptrack.model.run import Run
from exptrack.model.settings import MetricDeclaration, Settings
from exptrack.operations.comparing.gather import known_metrics
from exptrack.operations.context import SETTINGS, Context
from exptrack.operations.sources import below

_NAMED = 8
_OF_RULES = ("goal", "unit", "min_effect", "alpha", "pair_by", "noise", "test_share", "planned", "looks")
_KEYS = {"planned": "seeds"}


def find_experiment(context: Context, name: str) -> Experiment:
    """The experiment that is declared by this name; raises ExptrackError, with the nearest name, if there is none."""
    declared = context.settings.experiments
    if name in declared:
        return declared[name]
    close = find_nearest(name, declared)
    advice = f"did you mean {shown(close)}?" if close else f"there is {name_few([*map(shown, declared)], _NAMED)}"
    raise ExptrackError(
        f"no experiment {shown(name)} in {SETTINGS}: {advice if declared else 'declare it below `experiments`'}"
    )


def find_metric(context: Context, experiment: Experiment | None, asked: str | None, runs: Sequence[Run]) -> str:
    """The metric to compare by: the one asked for, the experiment's, or the only one. Raises ExptrackError, also for one that no run has."""
    declared = context.settings.metrics
    known = known_metrics(runs)
    metric = asked.removeprefix("metrics.") if asked and asked not in known else asked
    metric = metric or (experiment.metric if experiment else None)
    if metric is None:
        open_ones = [name for name, one in declared.items() if not one.holdout and name in known] or sorted(known)
        if len(open_ones) != 1:
            some = f": there is {name_few(open_ones, _NAMED)}" if open_ones else ""
            raise ExptrackError(f"by which metric? Name one with --metric{some}")
        metric = open_ones[0]
    is_sealed = metric in declared and declared[metric].holdout
    if is_sealed or (experiment is not None and metric == experiment.holdout):
        raise ExptrackError(
            f"metric {shown(metric)} is sealed, it is a holdout: compare by another, or open it with `exptrack unseal`"
        )
    if runs and metric not in known:
        close = find_nearest(metric, known)
        there = f"there is {name_few(sorted(known), _NAMED)}" if known else "none of them has any"
        raise ExptrackError(
            f"no run has the metric {shown(metric)}: {f'did you mean {shown(close)}?' if close else there}"
        )
    return metric


def find_rules(
    context: Context, name: str | None, metric: str | None, runs: Sequence[Run], alpha: float | None = None
) -> tuple[Rules, Experiment | None]:
    """The rules for a metric (None: the experiment's) of these runs, and the experiment of that name, if one is given.

    They are those of `exptrack.yaml` as it is now. What it did not say in the snapshot of the first of the runs are lines of `changed`;
    `is_declared` says whether how runs are paired, and whether they vary alike, stood there as it stands now. Raises ExptrackError.
    """
    experiment = None if name is None else find_experiment(context, name)
    chosen = find_metric(context, experiment, metric, runs)
    now = make_rules(context.settings, experiment, chosen)
    if alpha is not None:
        if not LEAST_ALPHA <= alpha < 0.5:
            raise ExptrackError(
                f"alpha {alpha:g} makes no sense: give a number from 0.000001 and below 0.5, such as 0.05"
            )
        asked = (
            (f"alpha {alpha:g} asked for where {now.alpha:g} is declared",) if experiment and alpha != now.alpha else ()
        )
        now = now._replace(alpha=alpha, changed=asked)
    if not runs:
        return now, experiment
    before = _read_before(context, runs)
    if before is None:
        is_declared = experiment is not None or chosen in context.settings.metrics
        line = f"all of it: no {SETTINGS} can be read in the snapshot of the first run"
        return now._replace(changed=(*now.changed, *([line] if is_declared else []))), experiment
    lines, is_declared = _compare(before, name, chosen, now, context.settings)
    return now._replace(is_declared=is_declared, changed=(*now.changed, *lines)), experiment


def make_rules(settings: Settings, experiment: Experiment | None, metric: str) -> Rules:
    """The rules that settings declare for a metric, those of an experiment among them."""
    declared = settings.metrics.get(metric) or MetricDeclaration(metric)
    rules = Rules(metric, declared.goal, declared.unit, declared.min_effect or None)
    if experiment is None:
        return rules
    return rules._replace(
        alpha=experiment.alpha,
        pair_by=experiment.pair_by,
        noise=experiment.noise,
        test_share=experiment.test_share,
        planned=experiment.seeds,
        looks=experiment.looks,
    )


def _read_before(context: Context, runs: Sequence[Run]) -> Settings | None:
    """The settings in the snapshot of the run that started first; None if there are none that can be read."""
    first = min(runs, key=lambda one: (one.started, one.name))
    data = objects.read(context.repository, f"{first.oid}^:{below(first.record.project, SETTINGS)}")
    try:
        return None if data is None else parse_settings(data.decode(errors="replace"), SETTINGS, context.yaml.load)
    except SettingsError:
        return None


def _compare(
    before: Settings, name: str | None, metric: str, now: Rules, settings: Settings
) -> tuple[tuple[str, ...], bool]:
    """Lines on what is declared otherwise than it was, and whether pairs and noise are as they were."""
    lines: list[str] = []
    experiment: Experiment | None = None
    if name is not None:
        experiment = before.experiments.get(name)
        if experiment is None:
            lines.append(f"the experiment {name} was not there when its first run started")
        elif experiment.metric != (now_metric := settings.experiments[name].metric):
            lines.append(f"metric: {_tell(now_metric)}, was {_tell(experiment.metric)}")
    old = make_rules(before, experiment, metric)
    # Where there was no experiment at all, the defaults were not declared: one line says it.
    keys = _OF_RULES if experiment is not None or name is None else _OF_RULES[:3]
    for key in keys:
        was, is_now = getattr(old, key), getattr(now, key)
        if was != is_now and not (key == "alpha" and now.changed):
            lines.append(f"{_KEYS.get(key, key)}: {_tell(is_now)}, was {_tell(was)}")
    was_on, is_on = (_evaluated_on(one.metrics, metric) for one in (before, settings))
    if was_on != is_on:
        lines.append(f"evaluated_on: {_tell(is_on)}, was {_tell(was_on)}")
    is_there = experiment is not None if name is not None else metric in before.metrics
    return tuple(lines), is_there and (old.pair_by, old.noise) == (now.pair_by, now.noise)


def _evaluated_on(metrics: Mapping[str, MetricDeclaration], metric: str) -> tuple[str, ...]:
    return metrics[metric].evaluated_on if metric in metrics else ()


def _tell(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "not declared"
    return "not declared" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
