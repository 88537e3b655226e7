"""At which level does a run reproduce? Each of the four is answered by itself, with its evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from exptrack.analysis.statistical import (
    describe_prior,
    find_farthest,
    get_number,
    judge_metrics,
    summarize,
    tell,
)
from exptrack.analysis.stats import same_bits
from exptrack.analysis.terms import is_volatile_metric, is_volatile_path
from exptrack.analysis.wording import counted, number, percentages, shorten
from exptrack.model.reproduction import Answer, Level, LevelAnswer, Outcome, Replicates, Terms
from exptrack.model.run import Status
from exptrack.model.settings import MetricDeclaration
from exptrack.model.tree import flatten

if TYPE_CHECKING:
    from exptrack.analysis.experiments.conceptual import Conclusion

_MOST_LINES = 5
NO_EXPERIMENT = "the run is of no experiment, which would declare a metric and a baseline: `exptrack run -e NAME` files one under it"


class _Case(NamedTuple):
    """What is judged: metrics are flat, `primary` are the metrics that decide, `notes` says why these."""

    original: Outcome
    reruns: tuple[Outcome, ...]
    replicates: Replicates
    declared: Mapping[str, MetricDeclaration]
    terms: Terms
    primary: tuple[str, ...]
    notes: tuple[str, ...]


def judge(  # noqa: PLR0913 - those that are keyword-only may be left out
    original: Outcome,
    reruns: Sequence[Outcome],
    replicates: Replicates,
    declared: Mapping[str, MetricDeclaration],
    terms: Terms,
    *,
    differences: Sequence[str] = (),
    exact_doubts: Sequence[str] = (),
    conclusion: Conclusion | str = NO_EXPERIMENT,
) -> tuple[LevelAnswer, ...]:
    """The answers for the four levels, the strongest first. The order of the reruns does not matter.

    `declared` is `metrics` of `exptrack.yaml` by name. `differences` name what was executed otherwise than recorded (code, data,
    parameters); `exact_doubts` name what an exact reproduction would have to agree in and cannot be compared: with any of them the
    answer is not `yes`, but `cannot assess`. The outputs of an outcome hold no metric files: these count by their values.
    `conclusion` is what the experiment of the run is concluded from, or a line on why there is none.

    Exact: the same status, outputs and metrics in all reruns, but for what is volatile. 1 and 1.0 are the same metric.
    Statistical: see `analysis.statistical`. Primary metrics are those declared that are no holdout; if the run has none of these, all
    that are not volatile.
    Methodological: nothing differs in what was executed, and every primary metric of every rerun lies within `terms.similar` of the
    recorded value. Of a recorded 0 no share can be taken: there the absolute tolerance counts, else `min_effect`, else 0 is asked for.
    Conceptual: see `analysis.experiments.conceptual`.
    """
    flat = [one._replace(metrics=flatten(one.metrics)) for one in sorted(reruns, key=lambda one: one.name)]
    earlier = [one._replace(metrics=flatten(one.metrics)) for one in replicates.outcomes]
    recorded = original._replace(metrics=flatten(original.metrics))
    primary, notes = _find_primary(recorded, declared, terms)
    case = _Case(recorded, tuple(flat), replicates._replace(outcomes=tuple(earlier)), declared, terms, primary, notes)
    if not flat:
        return tuple(LevelAnswer(level, Answer.CANNOT_ASSESS, ("nothing was executed again",)) for level in Level)
    return (
        _judge_exact(case, tuple(exact_doubts)),
        _judge_statistical(case),
        _judge_methodological(case, tuple(differences)),
        _judge_conceptual(case, conclusion),
    )


def _find_primary(
    original: Outcome, declared: Mapping[str, MetricDeclaration], terms: Terms
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    named = tuple(name for name, one in declared.items() if not one.holdout and name in original.metrics)
    if named:
        return named, ()
    holdout = {name for name, one in declared.items() if one.holdout}
    others = tuple(
        name for name, value in sorted(original.metrics.items()) if name not in holdout and value not in ([], {})
    )
    stable = tuple(name for name in others if not is_volatile_metric(name, terms.volatile))
    volatile = ", but for the volatile" if len(stable) < len(others) else ""
    why = "none of the declared metrics is in the run" if declared.keys() - holdout else "no metric is declared"
    return stable, (f"{why}: {_all_of(len(stable))}{volatile}",) if stable else ()


def _all_of(number: int) -> str:
    return "the only one is judged" if number == 1 else f"all {number} are judged"


# Exact


class _Contrast(NamedTuple):
    """What of one kind there is in the run and its reruns, what of it differs, with a line about each, and what is volatile."""

    all: frozenset[str]
    lines: Mapping[str, str]
    volatile: int


def _judge_exact(case: _Case, doubts: tuple[str, ...]) -> LevelAnswer:
    files, metrics = _contrast_files(case), _contrast_metrics(case)
    statuses = _contrast_statuses(case)
    volatile = _counted(files.volatile, metrics.volatile)
    left_out = (f"left out as volatile: {volatile}",) if volatile else ()
    differing = tuple(next(iter(contrast.lines.values())) for contrast in (files, metrics) if contrast.lines)
    reruns = f" in all {len(case.reruns)} reruns" if len(case.reruns) > 1 else ""
    if differing:
        of = ", ".join(
            f"{len(contrast.lines)} of {counted(len(contrast.all), noun)}"
            for contrast, noun in ((files, "file"), (metrics, "metric"))
            if contrast.all
        )
        return LevelAnswer(Level.EXACT, Answer.NO, (*statuses, f"differs: {of}", *differing, *left_out, *doubts))
    if statuses:
        return LevelAnswer(Level.EXACT, Answer.NO, (*statuses, *left_out, *doubts))
    compared = _counted(len(files.all), len(metrics.all))
    equal = f"equal: {compared}{reruns}" if compared else "no outputs and no metrics to compare"
    answer = Answer.YES if compared and not doubts else Answer.CANNOT_ASSESS
    return LevelAnswer(Level.EXACT, answer, (*doubts, equal, *left_out))


def _counted(files: int, metrics: int) -> str:
    return ", ".join(counted(number, noun) for number, noun in ((files, "file"), (metrics, "metric")) if number)


def _contrast_files(case: _Case) -> _Contrast:
    lines: dict[str, str] = {}
    paths = case.original.outputs.keys() | {path for rerun in case.reruns for path in rerun.outputs}
    compared = frozenset(path for path in paths if not is_volatile_path(path, case.terms.volatile))
    for path in sorted(compared):
        old = case.original.outputs.get(path)
        rerun = next((rerun for rerun in case.reruns if rerun.outputs.get(path) != old), None)
        if rerun is not None:
            what = (
                "differs"
                if old and path in rerun.outputs
                else "is missing"
                if old
                else "was not recorded, but is there"
            )
            lines[path] = f"{path} {what} in {rerun.name}"
    return _Contrast(compared, lines, len(paths) - len(compared))


def _contrast_metrics(case: _Case) -> _Contrast:
    lines: dict[str, str] = {}
    names = case.original.metrics.keys() | {name for rerun in case.reruns for name in rerun.metrics}
    compared = frozenset(name for name in names if not is_volatile_metric(name, case.terms.volatile))
    for name in sorted(compared):
        rerun = next((rerun for rerun in case.reruns if not _agree(case.original, rerun, name)), None)
        if rerun is not None:
            is_hidden = name in case.declared and case.declared[name].holdout
            told = f"{_recorded(case.original, name)}, {tell(rerun, name)} in"
            lines[name] = f"{name} {'(holdout) differs in' if is_hidden else told} {rerun.name}"
    return _Contrast(compared, lines, len(names) - len(compared))


def _agree(original: Outcome, rerun: Outcome, name: str) -> bool:
    is_in_both = name in original.metrics and name in rerun.metrics
    return is_in_both and same_bits(original.metrics[name], rerun.metrics[name])


def _recorded(original: Outcome, name: str) -> str:
    return f"{number(original.metrics[name])} recorded" if name in original.metrics else "not recorded"


def _contrast_statuses(case: _Case) -> tuple[str, ...]:
    recorded = case.original.status
    return tuple(
        f"{rerun.name} {_ended(rerun.status)}, the recorded run {_ended(recorded)}"
        for rerun in case.reruns
        if rerun.status is not recorded
    )[:1]


def _ended(status: Status) -> str:
    return f"was {status}" if status is Status.INTERRUPTED else str(status)


# Statistical and methodological


def _find_incomplete(case: _Case) -> tuple[Answer, tuple[str, ...]] | None:
    """What a run that did not complete says of its results: nothing, if it is the recorded one, else that it did not reproduce."""
    if case.original.status is not Status.COMPLETED:
        return Answer.CANNOT_ASSESS, (f"the recorded run {_ended(case.original.status)}: it has no result to compare",)
    wrong = [rerun for rerun in case.reruns if rerun.status is not Status.COMPLETED]
    if not wrong:
        return None
    others = f", and {len(wrong) - 1} more of {len(case.reruns)} reruns did not complete" if len(wrong) > 1 else ""
    return Answer.NO, (f"{wrong[0].name} {_ended(wrong[0].status)}{others}",)


def _judge_statistical(case: _Case) -> LevelAnswer:
    incomplete = _find_incomplete(case)
    if incomplete is not None:
        return LevelAnswer(Level.STATISTICAL, *incomplete)
    if not case.primary:
        return LevelAnswer(Level.STATISTICAL, Answer.CANNOT_ASSESS, ("no metric to compare",))
    findings = judge_metrics(case.primary, case.original, case.reruns, case.replicates, case.declared, case.terms)
    lines = shorten([finding.line for finding in findings], _MOST_LINES, "metric")
    about = describe_prior(case.original, case.reruns, case.replicates)
    return LevelAnswer(Level.STATISTICAL, summarize(findings), (*lines, *case.notes, *about))


def _judge_methodological(case: _Case, differences: tuple[str, ...]) -> LevelAnswer:
    incomplete = _find_incomplete(case)
    if incomplete is not None:
        answer, lines = incomplete
        return LevelAnswer(Level.METHODOLOGICAL, answer, (*lines, *differences))
    as_recorded = [metric for metric in case.primary if all(_agree(case.original, one, metric) for one in case.reruns)]
    folded = as_recorded if len(as_recorded) > 1 else []
    judged = [(True, f"{len(folded)} metrics as recorded")] if folded else []
    judged += [_judge_similar(case, metric) for metric in case.primary if metric not in folded]
    ordered = [line for is_near, line in judged if not is_near] + [line for is_near, line in judged if is_near]
    lines = (*shorten(ordered, _MOST_LINES, "metric"), *case.notes) if judged else ("no metric to compare",)
    answer = Answer.YES if judged else Answer.CANNOT_ASSESS
    if differences or not all(is_near for is_near, _ in judged):
        answer = Answer.NO
    return LevelAnswer(Level.METHODOLOGICAL, answer, (*differences, *lines))


def _judge_similar(case: _Case, metric: str) -> tuple[bool, str]:
    """Whether a metric is near the recorded one in all reruns, and a line that says so."""
    recorded = get_number(case.original, metric)
    if recorded is None or any(get_number(rerun, metric) is None for rerun in case.reruns):
        rerun = next((one for one in case.reruns if not _agree(case.original, one, metric)), None)
        told = (
            f"{tell(case.original, metric)} as recorded" if rerun is None else f"{tell(rerun, metric)} in {rerun.name}"
        )
        return (
            rerun is None,
            f"{metric} {told}" if rerun is None else f"{metric} {told}, {_recorded(case.original, metric)}",
        )
    value = find_farthest(metric, recorded, case.reruns)
    if recorded == 0:
        return _judge_similar_to_zero(case, metric, value)
    share = abs(value / recorded - 1)
    # 0.95 is 5 % off 1, whatever floats say.
    is_near = share <= case.terms.similar * (1 + 1e-9)
    off, allowed = percentages(share, case.terms.similar, is_within=is_near)
    return is_near, f"{metric} {value:.6g} is {off} off the recorded {recorded:.6g} ({allowed} allowed)"


def _judge_similar_to_zero(case: _Case, metric: str, value: float) -> tuple[bool, str]:
    tolerance = case.terms.tolerance.get(metric)
    declaration = case.declared.get(metric)
    allowed = (tolerance and tolerance.absolute) or (declaration and declaration.min_effect) or 0.0
    told = f"± {allowed:g} allowed" if allowed else "no share of 0 can be allowed: see check.tolerance"
    return abs(value) <= allowed, f"{metric} {value:.6g} where 0 was recorded" + (f" ({told})" if value else "")


# Conceptual


def _judge_conceptual(case: _Case, conclusion: Conclusion | str) -> LevelAnswer:
    if isinstance(conclusion, str):
        return LevelAnswer(Level.CONCEPTUAL, Answer.CANNOT_ASSESS, (conclusion,))
    from exptrack.analysis.experiments.conceptual import judge_conclusion

    return judge_conclusion(conclusion, _find_incomplete(case))
