"""The conceptual level of a reproduction: whether what an experiment's record concludes still stands with the reruns in a run's place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from exptrack.analysis.stats import deviation, mean
from exptrack.analysis.verdicts import decide_pairs
from exptrack.analysis.verdicts.cases import has_overlap
from exptrack.analysis.verdicts.gates import clean, common_units
from exptrack.analysis.verdicts.judging import BY_MORE
from exptrack.analysis.wording import counted, shorten, within
from exptrack.model.comparison import Rules, Sample, Verdict, Word
from exptrack.model.experiment import Pairing
from exptrack.model.reproduction import Answer, Level, LevelAnswer

_REACH = 1.96
_MOST_LINES = 5
# What concludes something. That no difference was detected concludes nothing: the next run may show one.
_CONCLUDED = frozenset({Word.BETTER, Word.WORSE, Word.EQUIVALENT, Word.IDENTICAL, Word.DETERMINISTIC})
_NAMES = {Word.DETERMINISTIC: "different without any noise"}
_CLAIMS = frozenset({Word.BETTER, Word.WORSE})
_ORDER = (Answer.NO, Answer.CANNOT_ASSESS, Answer.TOO_WEAK, Answer.YES)
_NOTHING = "its configuration is held against no other"


class Conclusion(NamedTuple):
    """What an experiment is concluded from, on record (`before`) and with the mean of the reruns in the place of a run (`after`).

    Both are samples of all its configurations by their labels; `label` is that of the run, `partners` has for each candidate that of the
    baseline, or of the one of several that it is held against. `unit` is the run's own in its sample. `again` is the metric of the reruns, a value for each distinct seed; empty if one of them has none. `reruns`
    counts them.
    """

    rules: Rules
    label: str
    partners: Mapping[str, str]
    unit: str
    before: Mapping[str, Sample]
    after: Mapping[str, Sample]
    again: tuple[float, ...] = ()
    reruns: int = 1

    @property
    def told(self) -> str:
        """What stands in the run's place."""
        return "the rerun" if self.reruns == 1 else f"{self.reruns:,} reruns"


class _Finding(NamedTuple):
    answer: Answer
    line: str
    old: Verdict
    new: Verdict


def judge_conclusion(found: Conclusion, incomplete: tuple[Answer, Sequence[str]] | None = None) -> LevelAnswer:
    """Whether the word of the record stands (STATISTICS 3.6). `incomplete` is what is to be said where a run or rerun did not complete.

    The same word with the reruns: yes. The opposite one: no, contradicted. Any other: too weak to tell if the new difference lies in
    d_old +- 1.96*sqrt(SE_old^2 + SE_new^2), else no, weakened. The new difference is between the mean of the reruns and the mean of the
    other side (of pairs: the run's own partner). SE_new takes the deviation of the reruns from two distinct seeds up; one seed has none
    of its own, however often it is run, so the deviation of the run's configuration on record is taken.

    Of a run of the baseline every verdict of the experiment that concludes something has to stand.
    """
    if incomplete is not None and incomplete[0] is not Answer.NO:
        return LevelAnswer(Level.CONCEPTUAL, incomplete[0], tuple(incomplete[1]))
    if found.unit not in clean(found.before[found.label]).values:
        return _cannot(f"the run has no finite {found.rules.metric}")
    told = _decide(found, found.before)
    concluded = {label: one for label, one in told.items() if one.word in _CONCLUDED}
    if not concluded:
        first, *others = [*shorten([one.line for one in told.values()], 1, "verdict"), _NOTHING][: len(told) or 1]
        return _cannot(f"the record draws no conclusion yet: {first}", *others)
    lost = (
        incomplete[1] if incomplete else () if found.again else (f"{found.told} gave no finite {found.rules.metric}",)
    )
    if lost:
        record = [f"on record: {one.line}" for one in concluded.values()]
        lines = shorten(record, _MOST_LINES, "verdict")
        return LevelAnswer(Level.CONCEPTUAL, Answer.NO, (f"weakened: {lost[0]}", *lost[1:], *lines))
    now = _decide(found, found.after)
    findings = [_judge_one(found, one, now[label]) for label, one in concluded.items()]
    findings.sort(key=lambda one: _ORDER.index(one.answer))
    return LevelAnswer(Level.CONCEPTUAL, findings[0].answer, _tell(findings, found.told))


def _cannot(*lines: str) -> LevelAnswer:
    return LevelAnswer(Level.CONCEPTUAL, Answer.CANNOT_ASSESS, lines)


def _decide(found: Conclusion, samples: Mapping[str, Sample]) -> dict[str, Verdict]:
    """The verdicts that the run takes part in, corrected over all configurations of the experiment."""
    pairs = [(samples[base], samples[label]) for label, base in found.partners.items()]
    verdicts = decide_pairs(found.rules, pairs)
    return {one.label: one for one in verdicts if found.label in {one.label, found.partners[one.label]}}


def _tell(findings: Sequence[_Finding], told: str) -> tuple[str, ...]:
    """The worst first, with both sentences; what else there is, a line each."""
    first, *others = findings
    lines = [f"on record: {first.old.line}", f"with {told}: {first.new.line}"]
    if not others:
        return (first.line, *lines)
    kept = sum(one.answer is Answer.YES for one in findings)
    about = f"{kept} of {counted(len(findings), 'verdict')} beside this baseline as on record"
    return (first.line, *lines, about, *shorten([one.line for one in others], _MOST_LINES, "verdict"))


def _judge_one(found: Conclusion, old: Verdict, new: Verdict) -> _Finding:
    beside = f"{old.label} beside {found.partners[old.label]}"
    if not _takes_part(found, old.label):
        line = f"{beside}: the {found.rules.pair_by} of the run has no partner there, so the run takes no part in it"
        return _Finding(Answer.CANNOT_ASSESS, line, old, new)
    if _is_opposite(old, new):
        was = f"{_name(old)} on record, {_name(new)} with {found.told}"
        return _Finding(Answer.NO, f"contradicted: {beside} is {was}", old, new)
    if old.word is new.word:
        return _Finding(
            Answer.YES, f"{beside} is {_NAMES.get(old.word, old.word)} by {found.rules.metric}, as on record", old, new
        )
    if new.word is Word.NOT_COMPARABLE:
        return _Finding(Answer.CANNOT_ASSESS, f"{beside}: {new.line}", old, new)
    before, now, reach = _measure(found, old.label)
    value, centre, width = within(now, before, reach)
    told = (
        f"{found.rules.metric} differs by {value} with {found.told}, {centre} +/- {width} is expected from the record"
    )
    lost = f"{beside} is not {_NAMES.get(old.word, old.word)} any more"
    if abs(now - before) <= reach:
        return _Finding(Answer.TOO_WEAK, f"not contradicted, but {lost}: {told}", old, new)
    return _Finding(Answer.NO, f"weakened: {lost}: {told}", old, new)


def _is_opposite(old: Verdict, new: Verdict) -> bool:
    if {old.word, new.word} == _CLAIMS:
        return True
    if old.word is new.word is Word.DETERMINISTIC:
        return (old.difference or 0.0) * (new.difference or 0.0) < 0
    others = [one for one in (old, new) if one.word is not Word.EQUIVALENT]
    return len(others) == 1 and others[0].word in _CLAIMS and others[0].min_effect == BY_MORE


def _name(verdict: Verdict) -> str:
    """The word so that it can follow `is`, and by how much."""
    effect = f" {verdict.min_effect}" if verdict.min_effect else ""
    return f"{_NAMES.get(verdict.word, verdict.word)}{effect}"


def _takes_part(found: Conclusion, label: str) -> bool:
    """Of pairs only a run whose partner is there does."""
    return found.rules.pair_by is Pairing.NONE or found.unit in _find_units(found, label)


def _find_units(found: Conclusion, label: str) -> tuple[str, ...]:
    return common_units((clean(found.before[found.partners[label]]).values, clean(found.before[label]).values))


def _measure(found: Conclusion, label: str) -> tuple[float, float, float]:
    """The difference on record and the new one, candidate minus baseline, and how far from each other noise puts them."""
    base, other = clean(found.before[found.partners[label]]).values, clean(found.before[label]).values
    again = mean(found.again)
    is_baseline = found.label != label
    if found.rules.pair_by is Pairing.NONE:
        own, partner = (base, other) if is_baseline else (other, base)
        was = mean([*other.values()]) - mean([*base.values()])
        now = mean([*partner.values()]) - again if is_baseline else again - mean([*partner.values()])
        old = math.hypot(_error(own.values()), _error(partner.values()))
        spread = deviation(found.again) if len(found.again) > 1 else _spread(own.values())
        new = math.hypot(spread / math.sqrt(len(found.again)), _error(partner.values()))
        return was, now, _REACH * math.hypot(old, new)
    units = _find_units(found, label)
    steps = {unit: other[unit] - base[unit] for unit in units}
    now = other[found.unit] - again if is_baseline else again - base[found.unit]
    # What shares training data (Nadeau and Bengio): the mean of its differences varies more than that of others.
    share = found.rules.test_share or 0.0 if has_overlap(found.rules) else 0.0
    noise = _spread(steps.values())
    return mean([*steps.values()]), now, _REACH * noise * math.sqrt(1 / len(units) + share + 1)


def _spread(values: Iterable[float]) -> float:
    listed = [*values]
    return deviation(listed) if len(listed) > 1 else 0.0


def _error(values: Iterable[float]) -> float:
    listed = [*values]
    return _spread(listed) / math.sqrt(len(listed))
