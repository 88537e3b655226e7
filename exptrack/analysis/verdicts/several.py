"""Several candidates beside one baseline: the p of each, corrected for their number, and the interval that says the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from exptrack.analysis.stats import is_constant
from exptrack.analysis.stats.corrections import benjamini_hochberg, holm, holm_confidences
from exptrack.analysis.stats.dunnett import dunnett
from exptrack.analysis.stats.order import winners_curse
from exptrack.analysis.stats.ranks import friedman, friedman_against, wilcoxon
from exptrack.analysis.stats.student import bartlett
from exptrack.analysis.verdicts.cases import FEWEST_DATASETS, Case, pool
from exptrack.analysis.verdicts.gates import clean, common_units
from exptrack.model.comparison import Interval, Rules, Sample, Word
from exptrack.model.experiment import Noise, Pairing
from exptrack.model.settings import Goal

SCREEN = 20  # more candidates than that are a screen: its finds are to be confirmed
_GATE = 0.05
_SETTLED = frozenset({Word.IDENTICAL, Word.DETERMINISTIC})


class Corrected(NamedTuple):
    """What is known of a candidate after the correction over so many (`over`): `by` names it, `direction` is the sign of the difference.

    `lack` says why there is no p, `screened` is the p of a screen of many (Benjamini and Hochberg).
    """

    test: str
    by: str
    p: float | None = None
    adjusted: float | None = None
    is_rejected: bool = False
    interval: Interval | None = None
    direction: float = 0.0
    over: int = 1
    screened: float | None = None
    lack: str = ""
    notes: tuple[str, ...] = ()


class _Raw(NamedTuple):
    """p-values by place, the direction of each, and the name of the test; `lack` says why there are none.

    `floor` is the p of a test over all, below which no corrected p goes.
    """

    ps: dict[int, float]
    directions: dict[int, float]
    test: str
    lack: str = ""
    notes: tuple[str, ...] = ()
    floor: float = 0.0


def correct(rules: Rules, cases: Sequence[Case], alphas: Sequence[float]) -> list[Corrected]:
    """Each case corrected over all with three runs or more; `alphas` are those at which each is decided."""
    count = max(1, sum(case.is_testable for case in cases))
    raw = _rank(rules, cases) if rules.pair_by is Pairing.DATASET else _raw(cases)
    if rules.noise is Noise.COMMON and count > 1 and raw.ps:
        refusal = _refuse_common(rules, cases, sorted(raw.ps))
        if not refusal:
            return _by_dunnett(cases, alphas, raw, count)
        raw = raw._replace(notes=(*raw.notes, f"{refusal}: Welch and Holm in place of Dunnett"))
    return _by_holm(cases, alphas, raw, count)


def find_simultaneous(case: Case, corrected: Corrected, alpha: float) -> Interval | None:
    """The interval that holds for all of several differences at once: Dunnett's, or Bonferroni's at 1 - alpha/k. None of one, and of ranks.

    Source: Dunn 1961, Multiple comparisons among means, JASA 56.
    """
    if case.result is None or corrected.interval is None or corrected.over < 2:
        return None
    if corrected.by == "Dunnett":
        return corrected.interval
    confidence = 1 - alpha / corrected.over
    return Interval(*case.result.interval(confidence), confidence)


def describe_winner(rules: Rules, samples: Sequence[Sample]) -> str:
    """By how much the best of these configurations would look better by noise alone; empty where `noise_gain` is None."""
    gain = noise_gain(samples)
    count = sum(bool(clean(one).values) for one in samples)
    told = f" {rules.unit}" if rules.unit else ""
    return "" if gain is None else f"the best of {count} configurations looks {gain:.2g}{told} better by noise alone"


def noise_gain(samples: Sequence[Sample]) -> float | None:
    """By how much the best would look better if all were the same: s_pooled/sqrt(n) * E[Z_max(k)] (STATISTICS 3.4).

    k are all with a usable run: one that ran once may be the best, too. n is the harmonic mean of the numbers of runs, which gives their
    mean standard error. None for fewer than two, and where nothing varies.
    """
    values = [tuple(one.values.values()) for one in map(clean, samples) if one.values]
    sd = pool(values)
    if len(values) < 2 or not 0 < sd < math.inf:
        return None
    n = len(values) / math.fsum(1 / len(one) for one in values)
    return winners_curse(len(values), sd, 1) / math.sqrt(n)  # n need not be whole


def _raw(cases: Sequence[Case]) -> _Raw:
    results = {place: case.result for place, case in enumerate(cases) if case.result is not None}
    return _Raw(
        {place: one.p for place, one in results.items()},
        {place: one.difference for place, one in results.items()},
        next((cases[place].test for place in results), ""),
    )


def _by_holm(cases: Sequence[Case], alphas: Sequence[float], raw: _Raw, count: int) -> list[Corrected]:
    """Holm over `count` comparisons; those that have no p-value count as if theirs were 1."""
    places = sorted(raw.ps)
    ps = [raw.ps[place] for place in places] + [1.0] * (count - len(places))
    adjusted = [max(one, raw.floor) for one in holm(ps)]
    screened = benjamini_hochberg(ps) if count > SCREEN else ()
    confidences = {alpha: holm_confidences(ps, alpha) for alpha in set(alphas)}
    found = [
        Corrected(raw.test, "Holm" if count > 1 else "", over=count, lack=raw.lack, notes=raw.notes) for _ in cases
    ]
    for position, place in enumerate(places):
        result, alpha = cases[place].result, alphas[place]
        confidence = confidences[alpha][position]
        found[place] = found[place]._replace(
            p=raw.ps[place],
            adjusted=adjusted[position],
            is_rejected=adjusted[position] <= alpha,
            interval=None if result is None else Interval(*result.interval(confidence), confidence),
            direction=raw.directions[place],
            screened=screened[position] if screened else None,
        )
    return found


def _by_dunnett(cases: Sequence[Case], alphas: Sequence[float], raw: _Raw, count: int) -> list[Corrected]:
    places = sorted(raw.ps)
    # What may not be compared is tried, too: it counts as if it did not differ.
    untested = [case.n[1] for place, case in enumerate(cases) if case.is_testable and place not in raw.ps]
    found = dunnett(cases[places[0]].x, [cases[place].y for place in places], untested)
    criticals = {alpha: found.critical(alpha) for alpha in set(alphas)}
    # STATISTICS 3.4: with a noisy baseline Bartlett's test lets through 5.4 to 12.7 % false claims at n = 3, 1.6 to 2.5 % at n = 10.
    note = "one noise was declared for all; Bartlett's test guards against another at 10 runs of each, by half at 5, hardly at 3"
    corrected = [Corrected("Dunnett", "Dunnett", over=count, notes=(note,)) for _ in cases]
    for position, place in enumerate(places):
        alpha = alphas[place]
        difference, reach = found.differences[position], criticals[alpha] * found.errors[position]
        corrected[place] = corrected[place]._replace(
            p=raw.ps[place],
            adjusted=found.p[position],
            is_rejected=abs(difference) > reach,
            interval=Interval(difference - reach, difference + reach, 1 - alpha),
            direction=difference,
        )
    return corrected


def _refuse_common(rules: Rules, cases: Sequence[Case], places: Sequence[int]) -> str:
    """Why configurations are not taken to vary alike, though it is asked for."""
    if rules.pair_by is not Pairing.NONE:
        return "one noise for all says nothing of pairs"
    if not rules.is_declared:
        return "one noise for all was not declared before the first run"
    if any(cases[place].baseline is not cases[places[0]].baseline for place in places):
        return "one noise for all needs one baseline for all"
    groups = [cases[places[0]].x, *(cases[place].y for place in places)]
    if len(places) < 2 or any(map(is_constant, groups)):
        return "a configuration does not vary"
    p = bartlett(groups)
    return f"configurations vary differently (Bartlett p={p:.2g})" if p < _GATE else ""


def _rank(rules: Rules, cases: Sequence[Case]) -> _Raw:
    """Datasets: signed ranks of one candidate, Friedman and z against the baseline for several."""
    places = [place for place, case in enumerate(cases) if case.test == "ranks"]
    sign = -1 if rules.goal is Goal.MINIMIZE else 1
    if sum(case.is_testable for case in cases) < 2:
        if not places:
            return _Raw({}, {}, "Wilcoxon")
        place = places[0]
        if len(cases[place].x) < FEWEST_DATASETS:
            return _Raw({}, {}, "Wilcoxon", f"each needs {FEWEST_DATASETS} datasets or more")
        one = wilcoxon(cases[place].x, cases[place].y)
        return _Raw({place: one.p}, {place: one.plus - one.minus}, "Wilcoxon")
    # What settled itself (always the same, or the same difference) has a rank beside the others all the same.
    ranked = [place for place, case in enumerate(cases) if case.is_testable and case.word in {None, *_SETTLED}]
    samples = [cases[place].candidate for place in ranked]
    samples = [cases[ranked[0]].baseline, *samples] if places else []
    units = common_units(tuple(sample.values for sample in samples)) if samples else ()
    if len(units) < 3:
        return _Raw({}, {}, "Friedman", f"all have {len(units)} datasets in common, and 3 or more are needed")
    table = [[sign * sample.values[unit] for sample in samples] for unit in units]
    found = friedman(table)
    note = f"Friedman over {len(units)} datasets: chi2={found.chi2:.3g}, Iman-Davenport p={found.p_F:.2g}"
    against = {ranked[one.column - 1]: one for one in friedman_against(table, 0)}
    ps = {place: against[place].p for place in places}
    directions = {place: -sign * against[place].z for place in places}
    # z are read only where Friedman's test says that there are differences at all.
    return _Raw(ps, directions, "Friedman z", notes=(note,), floor=found.p_F)
