"""The statistical level of a reproduction: whether new runs look like those before them.

The unit is a distinct seed, as everywhere in exptrack: runs of one seed are averaged and count once. That holds of the reruns, too:
three reruns of one seed are no three draws. Counted as three, they would call a deterministic rerun of one of ten seeds wrong in 12 of
100 studies (simulated: 20,000 studies), of one of twenty in 19; counted as one, in 0.3 of 100.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exptrack.analysis.stats import (
    NOISE,
    deviation,
    is_constant,
    is_same_but_noise,
    mean,
    prediction_half_width,
    same_bits,
    tost,
)
from exptrack.analysis.wording import counted, number, within
from exptrack.model.reproduction import Answer, Outcome, Replicates, Terms, Tolerance
from exptrack.model.settings import MetricDeclaration

ALPHA = 0.05
FEWEST = 3

_ORDER = (Answer.NO, Answer.CANNOT_ASSESS, Answer.TOO_WEAK, Answer.YES)


class Finding(NamedTuple):
    """What is to be said of one metric; `lacking` is what there is too little of, which several metrics may have in common."""

    answer: Answer
    line: str
    lacking: str = ""


class Prior(NamedTuple):
    """What a metric was before, and is now: a value for each unit; `label` counts them, `before` those before. `varied`: the seeds were distinct."""

    old: tuple[float, ...]
    new: tuple[float, ...]
    label: str
    before: str
    varied: bool


def judge_metrics(
    metrics: Sequence[str],
    original: Outcome,
    reruns: Sequence[Outcome],
    replicates: Replicates,
    declared: Mapping[str, MetricDeclaration],
    terms: Terms,
) -> list[Finding]:
    """What is to be said of each metric, the worst first. All completed; their metrics are flat.

    A declared tolerance counts if there is one; else the interval of several runs of the original's seed, if there are three; else that
    of distinct seeds, if there are three. K is the number of metrics that an interval judges. What is recorded to the last bit is never
    outside.
    """
    earlier = _earlier(original, reruns, replicates)
    plain = [metric for metric in metrics if metric not in terms.tolerance]
    findings = []
    for metric in metrics:
        if get_number(original, metric) is None or any(get_number(rerun, metric) is None for rerun in reruns):
            findings.append(_judge_unusable(metric, original, reruns))
        elif metric in terms.tolerance:
            findings.append(_judge_tolerance(metric, original, reruns, terms.tolerance[metric]))
        else:
            prior = _prior(metric, original, reruns, earlier)
            margin = declared[metric].min_effect if metric in declared else None
            finding = _judge_prior(metric, prior, margin, ALPHA / len(plain))
            if finding.answer is Answer.NO and _is_as_recorded(metric, original, reruns):
                finding = Finding(Answer.YES, f"{finding.line}, as recorded to the last bit")
            findings.append(finding)
    return sorted(_fold(findings), key=lambda finding: _ORDER.index(finding.answer))


def _fold(findings: Sequence[Finding]) -> list[Finding]:
    """Metrics that lack the same have one line."""
    alike = Counter(finding.lacking for finding in findings if finding.lacking)
    folded = {
        lacking: Finding(Answer.CANNOT_ASSESS, f"{number} metrics: {lacking}, or check.tolerance")
        for lacking, number in alike.items()
        if number > 1
    }
    return list(dict.fromkeys(folded.get(finding.lacking, finding) for finding in findings))


def summarize(findings: Sequence[Finding]) -> Answer:
    """The answer for all metrics together: one that is outside decides, then one that nothing is known of, then one that is too weak."""
    return min((finding.answer for finding in findings), key=_ORDER.index)


def describe_prior(original: Outcome, reruns: Sequence[Outcome], replicates: Replicates) -> tuple[str, ...]:
    """Lines on which earlier runs count."""
    unknown = sum(one.seed is None for one in _earlier(original, reruns, replicates))
    said = "a known seed counts as distinct" if unknown == 1 else "a known seed count as distinct"
    return (
        *((f"{counted(unknown, 'earlier run')} without {said}",) if unknown else ()),
        *(
            f"{counted(left, 'earlier run')} left out: {why}"
            for why, left in sorted(replicates.left_out.items())
            if left
        ),
    )


def get_number(outcome: Outcome, metric: str) -> float | None:
    """The finite number that a metric is; None if it is none, or not there."""
    value = outcome.metrics.get(metric)
    try:
        known = float(value) if isinstance(value, (int, float)) else math.nan
    except OverflowError:
        return None
    return known if math.isfinite(known) else None


def tell(outcome: Outcome, metric: str) -> str:
    """The value of a metric as text, `missing` if it has none."""
    return number(outcome.metrics[metric]) if metric in outcome.metrics else "missing"


def _earlier(original: Outcome, reruns: Sequence[Outcome], replicates: Replicates) -> list[Outcome]:
    """The runs that were there before: the original first, each once, none of the reruns."""
    names = {original.name, *(rerun.name for rerun in reruns)}
    return [original, *(one for one in replicates.outcomes if one.name not in names)]


def _is_as_recorded(metric: str, original: Outcome, reruns: Sequence[Outcome]) -> bool:
    return all(
        metric in original.metrics
        and metric in rerun.metrics
        and same_bits(original.metrics[metric], rerun.metrics[metric])
        for rerun in reruns
    )


def _judge_unusable(metric: str, original: Outcome, reruns: Sequence[Outcome]) -> Finding:
    """A metric that is NaN, infinite or missing somewhere: it is the same everywhere, or it is not."""
    if _is_as_recorded(metric, original, reruns):
        return Finding(Answer.YES, f"{metric} {tell(original, metric)} as recorded")
    if get_number(original, metric) is None:
        return Finding(Answer.NO, f"{metric} {tell(reruns[0], metric)} where {tell(original, metric)} was recorded")
    rerun = next(one for one in reruns if get_number(one, metric) is None)
    return Finding(Answer.NO, f"{metric} {tell(rerun, metric)} in {rerun.name}")


def _judge_tolerance(metric: str, original: Outcome, reruns: Sequence[Outcome], tolerance: Tolerance) -> Finding:
    recorded = get_number(original, metric) or 0.0
    allowed = max(tolerance.absolute or 0.0, (tolerance.relative or 0.0) * abs(recorded))
    value = find_farthest(metric, recorded, reruns)
    # 0.97 is 0.01 from 0.96, whatever floats say.
    slack = 1e-12 * max(abs(value), abs(recorded)) if allowed else 0.0
    is_inside = abs(value - recorded) <= allowed + slack
    new, old, width = within(value, recorded, allowed + slack)
    told = f"tolerance, {counted(len(reruns), 'rerun')}"
    return Finding(
        Answer.YES if is_inside else Answer.NO,
        f"{metric} {new} {'inside' if is_inside else 'outside'} {old} ± {width} ({told})",
    )


def find_farthest(metric: str, recorded: float, reruns: Sequence[Outcome]) -> float:
    """The value of a metric, known in all reruns, that lies farthest from the recorded one."""
    values = [value for rerun in reruns if (value := get_number(rerun, metric)) is not None]
    return max(values, key=lambda value: (abs(value - recorded), value))


def _judge_prior(metric: str, prior: Prior, margin: float | None, alpha: float) -> Finding:
    n, m = len(prior.old), len(prior.new)
    if n < FEWEST:
        lacking = f"{prior.before}; an interval needs {FEWEST}"
        line = f"{metric} {_value(mean(prior.new), prior.old)}: {lacking}, or check.tolerance"
        return Finding(Answer.CANNOT_ASSESS, line, lacking)
    centre, value = mean(prior.old), mean(prior.new)
    if is_constant(prior.old):
        return _judge_constant(metric, prior, centre, value)
    width = prediction_half_width(n, m, deviation(prior.old), alpha)
    is_inside = abs(value - centre) <= width
    texts = within(value, centre, width)
    line = f"{metric} {texts[0]} {'inside' if is_inside else 'outside'} {texts[1]} ± {texts[2]} ({prior.label})"
    if not is_inside:
        return Finding(Answer.NO, line)
    if margin and m >= FEWEST:
        found = tost(prior.old, prior.new, margin)
        if found.holds:
            near = (
                f"{_signed(found.difference)} [90% CI {_signed(found.low)}, {_signed(found.high)}] within ±{margin:g}"
            )
            return Finding(Answer.YES, f"{line}, statistically equivalent: {near}")
    if margin and width > margin:
        return Finding(Answer.TOO_WEAK, f"{line}, but ± {texts[2]} is wider than min_effect {margin:g}")
    return Finding(Answer.YES, line)


def _judge_constant(metric: str, prior: Prior, centre: float, value: float) -> Finding:
    """Runs that do not vary foretell their value, give or take float noise."""
    largest = max(map(abs, (*prior.old, *prior.new)))
    if abs(value - centre) <= NOISE * largest:
        return Finding(Answer.YES, f"{metric} {_value(value, prior.old)} as in all earlier runs ({prior.label})")
    hint = ", no run-to-run variation was recorded: is the seed used?" if prior.varied else ""
    return Finding(
        Answer.NO, f"{metric} {_value(value, [centre])} outside {_value(centre, [value])} ± 0 ({prior.label}){hint}"
    )


def _prior(metric: str, original: Outcome, reruns: Sequence[Outcome], earlier: Sequence[Outcome]) -> Prior:
    """The runs of the original's seed, if there are three before and nothing else now; else one value for each seed."""
    seed = original.seed
    now = counted(len(reruns), "rerun")
    if seed is not None and all(rerun.seed is not None and str(rerun.seed) == str(seed) for rerun in reruns):
        same = [one for one in earlier if one.seed is not None and str(one.seed) == str(seed)]
        old = [value for one in same if (value := get_number(one, metric)) is not None]
        if len(old) >= FEWEST:
            return Prior(
                tuple(old),
                tuple(_units(metric, reruns, by_seed=False)),
                f"{len(old)} runs of seed {seed}, {now}",
                f"{len(old)} earlier runs of seed {seed}",
                varied=False,
            )
    before, after = _units(metric, earlier, by_seed=True), _units(metric, reruns, by_seed=True)
    unit = "seed" if all(one.seed is not None for one in earlier) else "run"
    merged = f" of {counted(len(after), 'seed')}" if len(after) < len(reruns) else ""
    label = f"{counted(len(before), unit)}, {now}{merged}"
    return Prior(tuple(before), tuple(after), label, counted(len(before), f"earlier {unit}"), varied=True)


def _units(metric: str, outcomes: Sequence[Outcome], *, by_seed: bool) -> list[float]:
    """A value for each seed, a run without a known one being its own; or for each run."""
    values: dict[tuple[bool, str], list[float]] = {}
    for position, outcome in enumerate(outcomes):
        value = get_number(outcome, metric)
        if value is not None:
            known = by_seed and outcome.seed is not None
            values.setdefault((known, str(outcome.seed) if known else str(position)), []).append(value)
    return [mean(of_one) for of_one in values.values()]


def _value(value: float, others: Sequence[float]) -> str:
    """Six digits, or as many more as tell the value from the others that it is not, but for float noise."""
    apart = [other for other in others if not is_same_but_noise(value, other)]
    for digits in range(6, 17):
        text = f"{value:.{digits}g}"
        if all(text != f"{other:.{digits}g}" for other in apart):
            return text
    return number(value)


def _signed(value: float) -> str:
    return f"{value:+.2g}"
