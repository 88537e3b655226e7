"""The word that a corrected case is given (STATISTICS 3.5), before failures and plans have their say."""

from __future__ import annotations

from typing import NamedTuple

from exptrack.analysis.verdicts.cases import Case, count_more, find_detectable, has_power
from exptrack.analysis.verdicts.several import Corrected
from exptrack.model.comparison import Interval, Rules, Word
from exptrack.model.settings import Goal

BY_MORE = "by more than min_effect"
BY_LESS = "smaller than min_effect"


class Finding(NamedTuple):
    """A word and what belongs to it; `reason` is why it is this one, where no test says so."""

    word: Word
    reason: str = ""
    equivalence: Interval | None = None
    min_effect: str = ""
    more: int | None = None
    detectable: float | None = None


def find_word(rules: Rules, case: Case, corrected: Corrected, alpha: float) -> Finding:
    """The word for a case that was corrected at this alpha."""
    if case.block and case.word in {Word.IDENTICAL, Word.DETERMINISTIC}:
        return Finding(Word.WITHHELD, f"not comparable ({case.block}); {case.reason}")
    if case.word is not None:
        return Finding(case.word, case.reason)
    if corrected.p is None:
        return Finding(Word.NOT_ENOUGH, corrected.lack)
    if case.block:
        return Finding(Word.WITHHELD, f"not comparable ({case.block})")
    return (
        _name_difference(rules, case, corrected) if corrected.is_rejected else _name_none(rules, case, corrected, alpha)
    )


def _name_difference(rules: Rules, case: Case, corrected: Corrected) -> Finding:
    word = turn(rules, corrected.direction)
    if word is None:
        lack = f"they differ, but no goal of {rules.metric} is declared: maximize or minimize"
        return Finding(Word.WITHHELD, lack)
    return Finding(word, _tell_ranks(case), min_effect=_size(rules, corrected.interval))


def _name_none(rules: Rules, case: Case, corrected: Corrected, alpha: float) -> Finding:
    """Nothing was found: because there is nothing that matters, because the runs are too few to tell, or for no known reason."""
    alpha_e = alpha / corrected.over
    detectable = find_detectable(case, alpha_e)
    if case.result is None or not rules.min_effect:
        return Finding(Word.NO_DIFFERENCE, _tell_ranks(case), detectable=detectable)
    inner = Interval(*case.result.interval(1 - 2 * alpha_e), 1 - 2 * alpha_e)
    if -rules.min_effect < inner.low and inner.high < rules.min_effect:
        return Finding(Word.EQUIVALENT, equivalence=inner, detectable=detectable)
    if not has_power(case, rules.min_effect, alpha_e):
        more = count_more(rules, case, rules.min_effect, alpha_e)
        return Finding(Word.NOT_ENOUGH, more=more, detectable=detectable)
    return Finding(Word.NO_DIFFERENCE, detectable=detectable)


def turn(rules: Rules, direction: float) -> Word | None:
    """What a difference in this direction, in the metric's own sign, is by the metric's goal; None if it has none."""
    if rules.goal is None or direction == 0:
        return None
    return Word.BETTER if (direction > 0) is (rules.goal is Goal.MAXIMIZE) else Word.WORSE


def _size(rules: Rules, interval: Interval | None) -> str:
    if interval is None or not rules.min_effect:
        return ""
    # The ends by how far they lie from 0, on which side soever.
    near, far = sorted((abs(interval.low), abs(interval.high)))
    return BY_MORE if near > rules.min_effect else BY_LESS if far < rules.min_effect else ""


def _tell_ranks(case: Case) -> str:
    """Ranks say on how many datasets, which the mean difference need not."""
    if case.result is not None:
        return ""
    higher = sum(b > a for a, b in zip(case.x, case.y, strict=True))
    lower = sum(b < a for a, b in zip(case.x, case.y, strict=True))
    return f"on average, higher on {higher} and lower on {lower} of {len(case.x)}"
