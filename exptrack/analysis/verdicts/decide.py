"""From samples to verdicts: the gates in their order, the word, and everything that stands beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exptrack.analysis.stats.corrections import benjamini_hochberg
from exptrack.analysis.verdicts.beside import Effects, list_flags, list_notes, measure, note_screen, shuffle
from exptrack.analysis.verdicts.cases import Case, make_case
from exptrack.analysis.verdicts.gates import Failures, Plan, clean, count_failures, find_plan, rank_with_failures
from exptrack.analysis.verdicts.judging import Finding, find_word, turn
from exptrack.analysis.verdicts.several import Corrected, correct, find_simultaneous
from exptrack.analysis.verdicts.words import choose_unit, tell_difference, tell_p, write_line
from exptrack.analysis.wording import counted
from exptrack.model.comparison import Interval, Rules, Sample, Verdict, Word

# Beside more candidates than that, shuffled values are left out: those of 500 would take ten seconds.
_SHUFFLED = 50
_CLAIMS = frozenset({Word.BETTER, Word.WORSE, Word.EQUIVALENT})
_UNCLAIMED = frozenset({Word.NOT_ENOUGH, Word.NOT_COMPARABLE, Word.WITHHELD})
_RANKED = "rank test, failures worst"


def decide(
    rules: Rules, baseline: Sample, candidates: Sequence[Sample], *, is_forced: bool = False
) -> tuple[Verdict, ...]:
    """A verdict for each candidate, in the order given. Give all candidates of the experiment: the correction is over those with 3 runs or more.

    Values that are not finite count as missing. With `is_forced` there are numbers for what may not be compared, and no word. Samples
    and their values may come in any order. ValueError for an alpha that is none; whatever samples hold has an answer.
    """
    return decide_pairs(rules, [(baseline, one) for one in candidates], is_forced=is_forced)


def decide_pairs(
    rules: Rules, pairs: Sequence[tuple[Sample, Sample]], *, is_forced: bool = False
) -> tuple[Verdict, ...]:
    """As `decide`, for pairs of a baseline and a candidate: where each has its own baseline, too, the correction is over all of them."""
    if not 0 < rules.alpha < 0.5:
        raise ValueError(f"alpha is {rules.alpha}: give a number above 0 and below 0.5")
    bases = {id(base): clean(base) for base, _ in pairs}
    cases = [make_case(rules, bases[id(base)], clean(one), is_forced=is_forced) for base, one in pairs]
    plans = [find_plan(rules, min(case.n)) for case in cases]
    found = correct(rules, cases, [plan.alpha for plan in plans])
    return tuple(
        _conclude(rules, case, plan, one, has_shuffles=len(cases) <= _SHUFFLED)
        for case, plan, one in zip(cases, plans, found, strict=True)
    )


def explore(
    tables: Mapping[str, tuple[Verdict, ...]],
    rules: Mapping[str, Rules],
    pairs: Mapping[str, Sequence[tuple[Sample, Sample]]],
) -> dict[str, tuple[Verdict, ...]]:
    """Verdicts on secondary metrics, by metric, with p-values adjusted by Benjamini and Hochberg over all of them, and no words.

    `rules` are those of each metric, `pairs` the samples of each verdict. Where R of m are at most alpha, all intervals are at 1 - alpha*max(R, 1)/m:
    they leave 0 out exactly where the adjusted p is at most alpha. Source: Benjamini and Yekutieli 2005, False discovery rate-adjusted multiple
    confidence intervals, Journal of the American Statistical Association 100.
    """
    tested = {
        (metric, place): one.p
        for metric, table in tables.items()
        for place, one in enumerate(table)
        if one.p is not None
    }
    adjusted = dict(zip(tested, benjamini_hochberg([*tested.values()]), strict=True))
    found = sum(p <= rules[metric].alpha for (metric, _), p in adjusted.items())
    share = max(found, 1) / max(len(tested), 1)
    explored: dict[str, tuple[Verdict, ...]] = {}
    for metric, table in tables.items():
        own = rules[metric]
        explored[metric] = tuple(
            _explore(own, _widen(own, one, pair, own.alpha * share), adjusted.get((metric, place)), len(tested))
            for place, (one, pair) in enumerate(zip(table, pairs[metric], strict=True))
        )
    return explored


def _widen(rules: Rules, verdict: Verdict, pair: tuple[Sample, Sample], alpha: float) -> Verdict:
    """With the interval at 1 - alpha, where it is that of the test whose p stands beside it."""
    if verdict.interval is None:
        return verdict
    result = make_case(rules, clean(pair[0]), clean(pair[1]), is_forced=True).result
    if result is None or result.p != verdict.p:
        return verdict
    return verdict._replace(interval=Interval(*result.interval(1 - alpha), 1 - alpha), simultaneous=None)


def _explore(rules: Rules, verdict: Verdict, adjusted: float | None, count: int) -> Verdict:
    flags = (*verdict.flags, "exploratory")
    if adjusted is None:
        return verdict._replace(flags=flags)
    over = f" (Benjamini-Hochberg over {counted(count, 'comparison')})"
    shown = tell_difference(rules, verdict._replace(word=Word.BETTER))
    line = f"exploratory: {rules.metric} {shown}, {verdict.test} {tell_p(adjusted, rules.alpha)}{over}"
    return verdict._replace(
        word=Word.WITHHELD,
        line=line,
        adjusted=adjusted,
        among=count,
        equivalence=None,
        min_effect="",
        more=None,
        flags=flags,
    )


def _conclude(rules: Rules, case: Case, plan: Plan, corrected: Corrected, *, has_shuffles: bool) -> Verdict:
    failures = count_failures(case.baseline, case.candidate)
    finding = find_word(rules, case, corrected, plan.alpha)
    is_tested = corrected.p is not None
    is_waiting = bool(plan.waits) and is_tested and not case.block
    beside = {} if failures is None else {"fisher": failures.p}
    if is_waiting:
        finding = Finding(Word.WITHHELD, plan.waits)
    elif failures is not None and failures.is_serious and finding.word not in _UNCLAIMED:
        finding, beside[_RANKED] = _weigh_failures(rules, case, corrected, finding, failures, plan.alpha)
    if is_tested and not is_waiting and has_shuffles:
        beside |= shuffle(rules, case)
    flags, notes = note_screen(rules, corrected, finding.word) if not is_waiting else ((), ())
    if finding.word in _CLAIMS and is_tested:
        flags, notes = (*plan.flags, *flags), (*plan.notes, *notes)
    verdict = Verdict(
        label=case.candidate.label,
        word=finding.word,
        line="",
        n=case.n,
        difference=None if finding.word is Word.NOT_COMPARABLE else case.difference,
        interval=corrected.interval,
        simultaneous=find_simultaneous(case, corrected, plan.alpha),
        test=corrected.test if is_tested else "",
        p=None if is_waiting else corrected.p,
        adjusted=None if is_waiting else corrected.adjusted,
        among=corrected.over,
        alpha=plan.alpha,
        beside=beside,
        equivalence=finding.equivalence,
        min_effect=finding.min_effect,
        more=finding.more,
        detectable=finding.detectable,
        flags=(*list_flags(case, corrected, failures, beside, plan.alpha), *flags),
        notes=(*list_notes(rules, case, failures, finding.word), *notes, *(corrected.notes if is_tested else ())),
        **(measure(rules, case) if is_tested else Effects())._asdict(),
    )
    unit = choose_unit(rules, (case.baseline, case.candidate))
    return verdict._replace(line=write_line(rules, verdict, unit, finding.reason))


def _weigh_failures(
    rules: Rules, case: Case, corrected: Corrected, finding: Finding, failures: Failures, alpha: float
) -> tuple[Finding, float]:
    """The word, unless failures speak against it: withheld where ranking them worst does not say the same of all runs."""
    direction, p = rank_with_failures(rules, case.baseline, case.candidate)
    level = alpha / corrected.over if corrected.interval is None else 1 - corrected.interval.confidence
    agrees = p <= level and finding.word is turn(rules, direction)
    return (finding if agrees else Finding(Word.WITHHELD, failures.reason, detectable=finding.detectable)), p
