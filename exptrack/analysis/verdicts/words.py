"""The sentences of verdicts: one line each, no adjective, with the numbers that the word rests on."""

from __future__ import annotations

import math
from collections.abc import Sequence

from exptrack.analysis.verdicts.cases import has_overlap
from exptrack.analysis.wording import counted, signed
from exptrack.model.comparison import Rules, Sample, Verdict, Word
from exptrack.model.experiment import Pairing

_UNITS = {Pairing.FOLD: "fold", Pairing.DATASET: "dataset", Pairing.SPLIT: "split"}
_USUAL_ALPHA = 0.05


def write_line(rules: Rules, verdict: Verdict, unit: str, reason: str = "") -> str:
    """The verdict in one line, as STATISTICS 3.5 has it; `unit` is what is counted (seed, run, fold, dataset, split).

    `reason` is why there is no test, why the word is withheld, or what else there is to be said of ranks.
    """
    if verdict.word in {Word.BETTER, Word.WORSE}:
        effect = f", {verdict.min_effect} {rules.min_effect:g}" if verdict.min_effect else ""
        told = f"{rules.metric} {tell_difference(rules, verdict)}{f' {reason}' if reason else ''}"
        return f"{verdict.word}: {told}, {tell_basis(rules, verdict, unit)}{effect}"
    if verdict.word is Word.EQUIVALENT and verdict.equivalence is not None and rules.min_effect:
        margin, (low, high, confidence) = rules.min_effect, verdict.equivalence
        ends = signed((low, high), (high - low) / 2, (0.0, -margin, margin))
        inside = f"({tell_confidence(confidence)} CI {ends[0]}..{ends[1]})"
        return f"{verdict.word} within +/-{margin:g} {inside}; {tell_basis(rules, verdict, unit)}"
    if verdict.word is Word.NO_DIFFERENCE:
        could = "" if verdict.detectable is None else f"could have detected +/-{verdict.detectable:.2g}"
        more = "; ".join(filter(None, (f"this comparison {could}" if could else "", reason)))
        return _join(f"{verdict.word}: {tell_difference(rules, verdict)}", more, tell_basis(rules, verdict, unit))
    if verdict.word is Word.NOT_ENOUGH and verdict.p is not None:
        needed = "more than 10,000 more" if verdict.more is None else f"about {verdict.more:,} more"
        noun = unit if verdict.more == 1 else f"{unit}s"
        more = f"{needed} {noun} per configuration to detect {rules.min_effect or 0:g}"
        if has_overlap(rules):
            more = f"too few {unit}s to detect {rules.min_effect or 0:g}"
        return _join(f"{verdict.word}: {tell_difference(rules, verdict)}", more, tell_basis(rules, verdict, unit))
    return _write_plain(rules, verdict, unit, reason)


def tell_difference(rules: Rules, verdict: Verdict) -> str:
    """`+0.0123 [95% CI +0.0041, +0.0205]`: the confidence is named where it is a claim's, or not 95 %."""
    if verdict.difference is None:
        return ""
    unit = f" {rules.unit}" if rules.unit else ""
    if verdict.interval is None:
        return f"{signed((verdict.difference,), abs(verdict.difference), (0.0,))[0]}{unit}"
    low, high, confidence = verdict.interval
    marks = (0.0,) if rules.min_effect is None else (0.0, -rules.min_effect, rules.min_effect)
    texts = signed((low, high), (high - low) / 2, marks, verdict.difference)
    is_named = verdict.word in {Word.BETTER, Word.WORSE} or not math.isclose(confidence, 0.95)
    name = f"{tell_confidence(confidence)} CI " if is_named else ""
    return f"{texts[2]}{unit} [{name}{texts[0]}, {texts[1]}]"


def tell_basis(rules: Rules, verdict: Verdict, unit: str) -> str:
    """`5 vs 5 seeds, Welch p=0.008 (Holm over 3 configurations)`, with alpha where it is not .05."""
    if verdict.p is None or verdict.adjusted is None:
        return tell_counts(rules, verdict, unit)
    over = f"over {counted(verdict.among, 'configuration')}" if verdict.among > 1 else ""
    correction = f"{'' if verdict.test == 'Dunnett' else 'Holm '}{over}" if over else ""
    alpha = "" if math.isclose(verdict.alpha, _USUAL_ALPHA) else f"alpha {verdict.alpha:.2g}"
    told = ", ".join(filter(None, (correction, alpha)))
    test = f"{verdict.test} {tell_p(verdict.adjusted, verdict.alpha)}"
    return f"{tell_counts(rules, verdict, unit)}, {test}{f' ({told})' if told else ''}"


def tell_counts(rules: Rules, verdict: Verdict, unit: str) -> str:
    """`5 vs 5 seeds`, `5 pairs of seeds`, `10 folds`."""
    n, m = verdict.n
    if rules.pair_by in _UNITS:
        return counted(m, unit)
    if rules.pair_by is Pairing.SEED:
        return f"{counted(m, 'pair')} of seeds"
    return f"{n:,} vs {m:,} {unit}s"


def tell_p(p: float, alpha: float) -> str:
    """`p=0.008`, never below `p<0.0001`, with as many digits as show on which side of alpha it lies."""
    if p < 0.0001:
        return "p<0.0001"
    for decimals in range(2 if p >= 0.1 else 3 if p >= 0.001 else 4, 17):
        text = f"{p:.{decimals}f}"
        if (float(text) <= alpha) is (p <= alpha):
            return f"p={text}"
    return f"p={p!r}"


def tell_confidence(confidence: float) -> str:
    """`95%`, `98.3%`; never 100 %."""
    for digits in range(3, 16):
        text = f"{100 * confidence:.{digits}g}"
        if float(text) < 100:
            return f"{text}%"
    return f"{100 * confidence!r}%"


def choose_unit(rules: Rules, samples: Sequence[Sample]) -> str:
    """What is counted: seeds where all runs have one, else runs; or what is paired by."""
    unseeded = any(sample.unseeded for sample in samples)
    return _UNITS.get(rules.pair_by, "run" if unseeded and rules.pair_by is Pairing.NONE else "seed")


def _write_plain(rules: Rules, verdict: Verdict, unit: str, reason: str) -> str:
    """Words without a test: what is known is said, and why nothing else is."""
    numbers = tell_difference(rules, verdict)
    if verdict.word in {Word.NOT_COMPARABLE, Word.WITHHELD}:
        known = tell_basis(rules, verdict, unit) if numbers else ""
        return _join(f"{verdict.word}: {reason}", f"{rules.metric} {numbers}" if numbers else "", known)
    if verdict.word is Word.IDENTICAL:
        return f"{verdict.word}: {tell_counts(rules, verdict, unit)}; {reason}"
    told = ", ".join(filter(None, (numbers, tell_counts(rules, verdict, unit))))
    return _join(f"{verdict.word}: {told}", reason)


def _join(*parts: str) -> str:
    return "; ".join(filter(None, parts))
