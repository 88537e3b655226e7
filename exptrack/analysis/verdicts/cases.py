"""One candidate beside the baseline, before any correction: which values are compared, by which test, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from exptrack.analysis.stats import NOISE, deviation, is_constant, mean
from exptrack.analysis.stats.intervals import prediction_half_width
from exptrack.analysis.stats.power import FEWEST, detectable, more_runs, seeds_for, upper_sd, welch_power
from exptrack.analysis.stats.student import Welch, nadeau_bengio, paired, welch
from exptrack.analysis.verdicts.gates import common_units, find_mismatch
from exptrack.analysis.wording import within
from exptrack.model.comparison import Rules, Sample, Word
from exptrack.model.experiment import Pairing

POWER = 0.8
# Squares and fourth powers of values inside of these are neither 0 nor infinite.
_LEAST, _MOST = 1e-60, 1e60
FEWEST_DATASETS = 6  # with five pairs the signed ranks cannot go below .0625

_NO_VARIATION = "no run-to-run variation was recorded: is the seed used?"


class Case(NamedTuple):
    """A candidate and what its values say before any correction. `x` and `y` are the values that are compared, by pairs if `units` are given.

    `word` and `reason` are set where no test can tell more, `block` where the samples may not be compared. `result` is of the t test;
    tests by ranks have none. `spread` are the values that its noise is told from: x and y, or zeros and the differences of pairs.
    """

    baseline: Sample
    candidate: Sample
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    units: tuple[str, ...] = ()
    word: Word | None = None
    reason: str = ""
    block: str = ""
    test: str = ""
    result: Welch | None = None
    spread: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())

    @property
    def n(self) -> tuple[int, int]:
        return len(self.x), len(self.y)

    @property
    def difference(self) -> float | None:
        """Candidate minus baseline, in the metric's own sign."""
        if not self.x or not self.y:
            return None
        return mean(self.y) - mean(self.x) if self.result is None else self.result.difference

    @property
    def is_testable(self) -> bool:
        """Whether there are runs enough for a p-value: these are corrected for, whether or not they have one."""
        return min(self.n) >= FEWEST


def make_case(rules: Rules, baseline: Sample, candidate: Sample, *, is_forced: bool = False) -> Case:
    """The candidate's case by the rules; its samples are clean (`gates.clean`). What may not be compared is tested only if that is forced."""
    case = _choose_values(rules, Case(baseline, candidate, block=find_mismatch(rules, baseline, candidate)))
    if case.block and not is_forced:
        return case._replace(word=Word.NOT_COMPARABLE, reason=case.block)
    too_few = _find_lack(rules, case)
    if too_few:
        return case._replace(word=Word.NOT_ENOUGH, reason=too_few)
    if not _LEAST < max(map(abs, (*case.x, *case.y))) < _MOST and any((*case.x, *case.y)):
        return case._replace(
            word=Word.WITHHELD, reason="values beyond 1e60, or all within 1e-60 of 0, are not compared"
        )
    settled = _settle(case)
    if settled.word is not None:
        return settled
    if not case.is_testable:
        return case._replace(word=Word.NOT_ENOUGH, reason=f"each needs {FEWEST} or more")
    return _test(rules, case)


def has_power(case: Case, effect: float, alpha: float) -> bool:
    """Whether a true difference of `effect` would be seen with power .8, if the observed deviations are the true ones."""
    x, y = case.spread
    return welch_power(effect, deviation(x), deviation(y), len(x), len(y), alpha) >= POWER


def count_more(rules: Rules, case: Case, effect: float, alpha: float) -> int | None:
    """About how many more runs of each show a difference of `effect` with power .8; None for more than 10,000, and where training data overlap."""
    if has_overlap(rules):
        return None
    x, y = case.spread
    if not case.units:
        more = more_runs(x, y, effect, alpha)
    else:
        needed = seeds_for(effect, 0.0, upper_sd(deviation(y), len(y) - 1), alpha)
        more = None if needed is None else needed - len(y)
    return None if more is None else max(more, 1)


def has_overlap(rules: Rules) -> bool:
    """Whether the units share training data, so that their differences are no independent ones: folds do, splits if `test_share` says so."""
    return rules.pair_by is Pairing.FOLD or (rules.pair_by is Pairing.SPLIT and rules.test_share is not None)


def find_detectable(case: Case, alpha: float) -> float | None:
    """The difference that this comparison could have detected with power .8; None of ranks."""
    return detectable(*case.spread, alpha) if case.result is not None else None


def _choose_values(rules: Rules, case: Case) -> Case:
    base, other = case.baseline.values, case.candidate.values
    if rules.pair_by is Pairing.NONE:
        return case._replace(x=tuple(sorted(base.values())), y=tuple(sorted(other.values())))
    units = common_units((base, other))
    return case._replace(x=tuple(base[unit] for unit in units), y=tuple(other[unit] for unit in units), units=units)


def _find_lack(rules: Rules, case: Case) -> str:
    """Why there is nothing to be tested, where a sample has one usable run or none."""
    for sample in (case.baseline, case.candidate):
        if not sample.values:
            return f"{sample.label} has no usable run"
    if rules.pair_by is not Pairing.NONE and len(case.units) < FEWEST:
        return f"{len(case.units)} of {FEWEST} pairs that it takes"
    if len(case.x) > 1 and len(case.y) > 1:
        return ""
    lack = f"each needs {FEWEST} or more"
    if len(case.x) == len(case.y):
        return lack
    many, one, whose = (case.x, case.y[0], "baseline's") if len(case.y) == 1 else (case.y, case.x[0], "candidate's")
    if is_constant(many) or case.block:
        return lack
    width = prediction_half_width(len(many), 1, deviation(many))
    centre = mean(many)
    texts = within(one, centre, width)
    place = "inside" if abs(one - centre) <= width else "outside"
    told = f"the single run's {texts[0]} is {place} the {whose} 95% prediction interval {texts[1]} +/- {texts[2]}"
    return f"{told}; {lack}"


def _settle(case: Case) -> Case:
    """Values that do not vary are the same or they are not: a test of them would say p = 0 or nan."""
    largest = max(map(abs, (*case.x, *case.y)))
    spreads = [deviation(case.x), deviation(case.y)]
    offset = abs(mean(case.y) - mean(case.x))
    if max(spreads) <= NOISE * largest:
        word = Word.IDENTICAL if offset <= NOISE * largest else Word.DETERMINISTIC
        return case._replace(word=word, reason=_NO_VARIATION)
    if case.units:
        steps = [b - a for a, b in zip(case.x, case.y, strict=True)]
        if deviation(steps) <= NOISE * largest or is_constant(steps):
            is_same = max(map(abs, steps)) <= NOISE * largest
            word, told = (Word.IDENTICAL, "the same") if is_same else (Word.DETERMINISTIC, "the same difference")
            return case._replace(word=word, reason=f"{told} in each of {len(steps)} pairs")
    return case


def _test(rules: Rules, case: Case) -> Case:
    if rules.pair_by is Pairing.NONE:
        return case._replace(test="Welch", result=welch(case.x, case.y), spread=(case.x, case.y))
    if rules.pair_by is Pairing.DATASET:
        return case._replace(test="ranks")
    zeros = (0.0,) * len(case.x)
    if not has_overlap(rules):
        return case._replace(test="paired t", result=paired(case.x, case.y), spread=(zeros, _steps(case, 1.0)))
    share = rules.test_share
    if share is None:
        reason = "folds share their training data: declare test_share, the test data's size over the training data's"
        return case._replace(word=Word.WITHHELD, reason=reason)
    # What the overlap adds to the variance, as if the differences were noisier: a t test of these is Nadeau and Bengio's.
    steps = _steps(case, math.sqrt(1 + len(case.x) * share))
    return case._replace(test="Nadeau-Bengio", result=nadeau_bengio(case.x, case.y, share), spread=(zeros, steps))


def _steps(case: Case, factor: float) -> tuple[float, ...]:
    return tuple(factor * (b - a) for a, b in zip(case.x, case.y, strict=True))


def pool(samples: Sequence[Sequence[float]]) -> float:
    """The standard deviation that samples have in common, 0 where none varies."""
    degrees = sum(len(one) - 1 for one in samples)
    return (
        math.hypot(*(deviation(one) * math.sqrt((len(one) - 1) / degrees) for one in samples if len(one) > 1))
        if degrees
        else 0.0
    )
