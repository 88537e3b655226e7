"""What stands beside a word: effect sizes, other tests, flags and notes. None of it changes the word."""

from __future__ import annotations

from typing import NamedTuple

from exptrack.analysis.stats import is_constant
from exptrack.analysis.stats.effects import cliffs_delta, hedges_g, share_better
from exptrack.analysis.stats.ranks import permutation, sign_flips
from exptrack.analysis.verdicts.cases import Case, has_overlap
from exptrack.analysis.verdicts.gates import Failures, describe_failures, limit_failures
from exptrack.analysis.verdicts.judging import turn
from exptrack.analysis.verdicts.several import Corrected
from exptrack.analysis.wording import counted
from exptrack.model.comparison import Rules, Sample, Word
from exptrack.model.experiment import Pairing
from exptrack.model.settings import Goal

_FEWEST_SHUFFLED = 6  # below, no shuffling of pairs reaches .05
_UNEQUAL = 4  # 20 beside 3 make 7.5 % claims in place of 5 (STATISTICS 3.5)
_CLAIMS = frozenset({Word.BETTER, Word.WORSE, Word.EQUIVALENT})


class Effects(NamedTuple):
    """Hedges' g and Cliff's delta of the candidate beside the baseline, in the metric's own sign, and the share of wins by its goal."""

    hedges_g: float | None = None
    better_share: float | None = None
    cliffs_delta: float | None = None


def measure(rules: Rules, case: Case) -> Effects:
    """Effect sizes of a case that was tested; of pairs the share is that of pairs won, ties counting one half."""
    if rules.pair_by is Pairing.NONE:
        share = share_better(case.x, case.y)
    else:
        share = sum((b > a) + (b == a) / 2 for a, b in zip(case.x, case.y, strict=True)) / len(case.x)
    better = None if rules.goal is None else 1 - share if rules.goal is Goal.MINIMIZE else share
    varies = not (is_constant(case.x) and is_constant(case.y))
    return Effects(hedges_g(case.x, case.y) if varies else None, better, cliffs_delta(case.x, case.y))


def shuffle(rules: Rules, case: Case) -> dict[str, float]:
    """The p of shuffled values, from six runs of each up; of pairs it is shown below, too, where it cannot reach .05."""
    if rules.pair_by in {Pairing.SEED, Pairing.SPLIT} and not has_overlap(rules):
        return {"sign flips": sign_flips(case.x, case.y).p}
    if rules.pair_by is Pairing.NONE and min(case.n) >= _FEWEST_SHUFFLED:
        return {"permutation": permutation(case.x, case.y).p}
    return {}


def list_flags(
    case: Case, corrected: Corrected, failures: Failures | None, beside: dict[str, float], alpha: float
) -> tuple[str, ...]:
    """Words on what a reader of the verdict should know."""
    samples = (case.baseline, case.candidate)
    shuffled = [
        beside[name] for name in ("permutation", "sign flips") if name in beside and min(case.n) >= _FEWEST_SHUFFLED
    ]
    n, m = case.n
    flags = {
        "conditional_on_completion": failures is not None,
        "duplicate_seeds_collapsed": any(one.collapsed for one in samples),
        "seeds_unknown": any(one.unseeded for one in samples),
        "constant_baseline": corrected.p is not None and is_constant(case.x),
        "constant_candidate": corrected.p is not None and is_constant(case.y),
        "unequal_sizes": corrected.p is not None and max(n, m) > _UNEQUAL * min(n, m),
        "tests_disagree": corrected.p is not None and any((p <= alpha) is not (corrected.p <= alpha) for p in shuffled),
        "unpaired_left_out": bool(_count_left(case)),
    }
    return tuple(flag for flag, holds in flags.items() if holds)


def list_notes(rules: Rules, case: Case, failures: Failures | None, word: Word) -> tuple[str, ...]:
    """Lines on the samples: failures, reruns, seeds, pairs, what was declared late."""
    samples = (case.baseline, case.candidate)
    notes = list(describe_failures(failures, (case.baseline.label, case.candidate.label)) if failures else ())
    notes += [line for one in samples for line in describe_sample(rules, one)]
    left = _count_left(case)
    if left:
        notes.append(f"{counted(left, _unit(rules))} without a partner left out")
    if case.test and rules.pair_by is not Pairing.NONE and not rules.is_declared:
        notes.append(
            "pairs were not declared before the first run: the smaller of two p-values makes more false claims"
        )
    if rules.pair_by is Pairing.SPLIT and not has_overlap(rules) and case.result is not None and word in _CLAIMS:
        notes.append("splits are taken to share no data: if their training data overlap, declare test_share")
    if word is Word.EQUIVALENT and failures is None:
        notes.append(limit_failures(min(case.n)))
    return (*notes, *(f"declared later: {line}" for line in rules.changed if word in _CLAIMS))


def describe_sample(rules: Rules, one: Sample) -> tuple[str, ...]:
    """Lines on a sample: runs without a value, reruns, runs of which the seed is not known."""
    lines = {
        f"{counted(one.missing, 'run')} without a finite {rules.metric}": one.missing,
        f"{counted(one.collapsed, 'rerun')} of a {_unit(rules)} averaged with it": one.collapsed,
        f"{counted(one.unseeded, 'run')} without a known seed, each taken for another": one.unseeded,
    }
    return tuple(f"{one.label}: {line}" for line, count in lines.items() if count)


def note_screen(rules: Rules, corrected: Corrected, word: Word) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Flags and notes on a find of a screen, which is never better by that."""
    if corrected.screened is None or word is Word.BETTER or corrected.screened > rules.alpha:
        return (), ()
    if turn(rules, corrected.direction) is not Word.BETTER:
        return (), ()
    note = (
        f"a candidate to confirm on fresh seeds (Benjamini-Hochberg p={corrected.screened:.2g} over {corrected.over})"
    )
    return ("candidate_to_confirm",), (note,)


def _unit(rules: Rules) -> str:
    return "seed" if rules.pair_by is Pairing.NONE else str(rules.pair_by)


def _count_left(case: Case) -> int:
    if not case.units:
        return 0
    return len(case.baseline.values) + len(case.candidate.values) - 2 * len(case.units)
