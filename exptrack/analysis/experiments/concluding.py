"""What follows of a hypothesis from verdicts, at which alpha it may be asked again, and what speaks against believing it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from exptrack.analysis.verdicts import look_alphas
from exptrack.analysis.verdicts.beside import describe_sample
from exptrack.analysis.verdicts.gates import find_plan
from exptrack.analysis.wording import counted, name_few
from exptrack.model.comparison import Comparison, Rules, Verdict, Word
from exptrack.model.selection import Answer, Look, PastConclusion

_NAMED = 5
_AGAINST = frozenset({Word.WORSE, Word.EQUIVALENT, Word.IDENTICAL})


def answer(verdicts: Sequence[Verdict]) -> tuple[Answer, str]:
    """Accepted if a candidate is better, rejected if each is worse, equivalent or identical, else not yet; and why, in a line."""
    if not verdicts:
        return Answer.NOT_YET, "there is no verdict: it takes runs of a baseline and of a candidate"
    better = [one.label for one in verdicts if one.word is Word.BETTER]
    if better:
        verb = "is" if len(better) == 1 else "are"
        return Answer.ACCEPTED, f"{name_few(better, _NAMED, ' and ')} {verb} better than the baseline"
    if all(one.word in _AGAINST for one in verdicts):
        return Answer.REJECTED, f"no candidate is better than the baseline: {_count_words(verdicts)}"
    return Answer.NOT_YET, f"no candidate is better so far, and not all are decided: {_count_words(verdicts)}"


def find_status(verdicts: Sequence[Verdict]) -> int:
    """The exit status: 0 if a candidate is better, or all are equivalent, 1 if all are decided and one is worse, else 4."""
    words = {one.word for one in verdicts}
    if Word.BETTER in words or (words and words <= {Word.EQUIVALENT, Word.IDENTICAL}):
        return 0
    return 1 if words and words <= _AGAINST else 4


def find_look(rules: Rules, n: int, earlier: Sequence[PastConclusion], evidence: str) -> Look:
    """At which alpha this conclusion is decided, after those before it (STATISTICS 3.4). Look.alpha is 0 where nothing is left to spend.

    `n` is the smallest number of runs of a configuration that is decided on, below 3 for none. With `seeds` or `looks` declared, their
    numbers of runs are decided at as planned, and nothing is left beyond. Without, the j-th conclusion spends alpha/(j(j+1)), which
    sums up to alpha. On the same runs it is decided as it was.
    """
    spending = {one.evidence: one for one in reversed(earlier) if one.spent > 0}
    number = len(spending) + 1
    if evidence in spending:
        same = spending[evidence]
        order = sorted(spending.values(), key=lambda one: (one.time, one.id))
        alpha = rules.alpha if rules.looks else min(same.spent, rules.alpha)
        return Look(order.index(same) + 1, alpha, 0.0, is_repeated=True)
    if n < 3 or find_plan(rules, n).waits:
        is_known = any(one.evidence == evidence for one in earlier)
        return Look(number, rules.alpha, 0.0, is_repeated=is_known)
    if rules.looks:
        if n > rules.looks[-1] and spending:
            return Look(number, 0.0, 0.0)
        alphas = dict(zip(rules.looks, look_alphas(len(rules.looks), rules.alpha), strict=True))
        return Look(number, rules.alpha, alphas.get(n, alphas[rules.looks[-1]]))
    spent = sum(one.spent for one in spending.values())
    if spent >= rules.alpha * (1 - 1e-9):
        return Look(number, 0.0, 0.0)
    alpha = rules.alpha if rules.planned is not None and not spending else rules.alpha / (number * (number + 1))
    return Look(number, alpha, alpha)


def list_threats(
    comparison: Comparison, differences: Mapping[str, Sequence[str]], modified: Iterable[str] = ()
) -> tuple[str, ...]:
    """Lines on what else may explain a difference. `differences` are by label what a candidate has otherwise than the baseline.

    `modified` is data that was changed without its pointer.
    """
    lines = [f"declared later: {line}" for line in comparison.rules.changed]
    by_name: dict[str, list[str]] = {}
    for label, names in differences.items():
        for name in names:
            by_name.setdefault(name, []).append(label)
    for name, labels in sorted(by_name.items()):
        lines.append(f"{name} of {name_few(labels, _NAMED, ' and ')} is not that of the baseline")
    failed = {one.label: note for one in comparison.verdicts for note in one.notes if note.startswith("failed")}
    for one in comparison.configurations:
        lines += [f"{one.label} mixes {name_few(one.mixed, _NAMED, ' and ')}"] if one.mixed else []
        lines += describe_sample(comparison.rules, one.sample)
        if one.sample.failed and one.label not in failed and not (one.is_baseline and failed):
            lines.append(f"{one.label}: {counted(one.sample.failed, 'run')} did not complete")
    lines += [f"{path} was changed without its pointer" for path in sorted({*modified})]
    lines += [f"{label}: {note}" for label, note in failed.items()]
    return tuple(lines)


def _count_words(verdicts: Sequence[Verdict]) -> str:
    counts: dict[str, int] = {}
    for one in verdicts:
        counts[one.word.value] = counts.get(one.word.value, 0) + 1
    return ", ".join(f"{number:,} {word}" for word, number in counts.items())
