"""In thousands of random studies, of every design and on nasty values, no interval, number or printed text contradicts the word."""

from __future__ import annotations

import math
import random
import re
from typing import NamedTuple

import pytest

from exptrack.analysis.verdicts import decide
from exptrack.model.comparison import Rules, Sample, Verdict, Word
from exptrack.model.experiment import Noise, Pairing
from exptrack.model.settings import Goal

STUDIES = 3000
CLAIMS = {Word.BETTER, Word.WORSE}
TESTED = {*CLAIMS, Word.EQUIVALENT, Word.NO_DIFFERENCE}
PAIRINGS = [Pairing.NONE] * 4 + [Pairing.SEED, Pairing.SPLIT, Pairing.FOLD, Pairing.DATASET]
NUMBER = r"[-+]?[\d.]+(?:e[-+]?\d+)?"
INTERVAL = re.compile(rf"\[(?:[\d.]+% CI )?({NUMBER}), ({NUMBER})\]")
INSIDE = re.compile(rf"within \+/-({NUMBER}) \([\d.]+% CI ({NUMBER})\.\.({NUMBER})\)")
P = re.compile(r"\bp([=<])([\d.e-]+)")


class Study(NamedTuple):
    rules: Rules
    baseline: Sample
    candidates: list[Sample]
    is_forced: bool


def draw_values(r, n, mean, sd):
    draw = KINDS[r.choice([*["normal"] * 6, *KINDS])]
    return [draw(r, mean, sd, place) for place in range(n)]


KINDS = {
    "normal": lambda r, mean, sd, _: mean + sd * r.gauss(0, 1),
    "constant": lambda r, mean, sd, _: mean,
    "tied": lambda r, mean, sd, _: mean + sd * round(r.gauss(0, 1)),
    "skewed": lambda r, mean, sd, _: mean + sd * r.expovariate(1),
    "two optima": lambda r, mean, sd, _: mean + sd * (r.choice([-2, 2]) + r.gauss(0, 0.1)),
    "one far out": lambda r, mean, sd, place: mean + sd * r.gauss(0, 1) * (1e6 if place == 0 else 1),
    "not finite": lambda r, mean, sd, _: r.choice([*[mean + sd * r.gauss(0, 1)] * 9, math.nan, math.inf, -math.inf]),
    "about float noise": lambda r, mean, sd, _: mean * (1 + r.gauss(0, 1) * 10 ** r.uniform(-11, -7)),
    "all the same but one": lambda r, mean, sd, place: mean + (sd if place == 0 else 0),
    "heavy tails": lambda r, mean, sd, _: mean + r.choice([-1, 1]) * sd * math.exp(2 * r.gauss(0, 1)),
    "whole": lambda r, mean, sd, _: float(round(mean)) + r.choice([0, 1]),
}


def draw_sample(r, label, scale, offset, base=None):
    n = r.choice([0, 1, 2, 3, 3, 3, 4, 5, 5, 5, 6, 8, 10, 12, 30])
    sd = scale * r.choice([0.01, 0.3, 1, 1, 1, 5])
    mean = offset + scale * r.choice([0, 0, 0, 0.5, 1, 2, -1, -3, 10])
    values = draw_values(r, n, mean, sd)
    if (
        base is not None and r.random() < 0.4
    ):  # as pairs are: what the baseline has, and the same for each or a little noise
        step, noise = r.choice([0, 1, 1, -2]) * scale, r.choice([0, 1e-12, 0.1, 0.1, 1]) * scale
        values = [one + step + noise * r.gauss(0, 1) for one in base.values.values()][: max(n, 3)]
    first = r.choice([0, 0, 0, 0, 2])
    return Sample(
        label,
        {str(first + unit): value for unit, value in enumerate(values)},
        failed=r.choice([0, 0, 0, 0, 0, 1, 4]),
        missing=r.choice([0, 0, 0, 0, 1]),
        collapsed=r.choice([0, 0, 1]),
        unseeded=r.choice([0, 0, 2]),
        evaluated={"test.csv": (r.choice("1" * 30 + "2"),)},
    )


def draw_study(seed):
    r = random.Random(seed)
    scale = 10 ** r.choice([0, 0, r.uniform(-12, 12)]) * r.choice([1, 1, 3])
    offset = scale * r.choice([0, 0, 0, 1, -1, 100, 1e4, 1e7])
    pair_by = r.choice(PAIRINGS)
    overlaps = pair_by is Pairing.FOLD or (pair_by is Pairing.SPLIT and r.random() < 0.5)
    rules = Rules(
        "accuracy",
        r.choice([*Goal, *Goal, None]),
        unit=r.choice([None, "s"]),
        min_effect=r.choice([None, None, 1e-6, 0.05, 0.5, 2.0, 1e3]),
        alpha=r.choice([0.05, 0.05, 0.05, 0.01, 0.2, 0.45, 0.05 / 90]),
        pair_by=pair_by,
        noise=r.choice(list(Noise)),
        test_share=r.choice([0.25, 1 / 9, 1]) if overlaps else None,
        planned=r.choice([None] * 6 + [3, 5]),
        looks=r.choice([()] * 6 + [(3, 5, 8), (3, 4, 5, 10, 30)]),
        is_declared=r.random() < 0.8,
    )
    rules = rules._replace(min_effect=rules.min_effect and rules.min_effect * scale)
    baseline = draw_sample(r, "baseline", scale, offset)
    count = r.choice([0, 1, 1, 1, 2, 2, 3, 3, 5, 5, 25])
    candidates = [draw_sample(r, f"candidate {place}", scale, offset, baseline) for place in range(count)]
    return Study(rules, baseline, candidates, r.random() < 0.3)


def finite(sample):
    return [value for value in sample.values.values() if math.isfinite(value)]


def side(low, high):
    """1 and -1 of an interval that leaves 0 out, 0 of one that does not."""
    return (low > 0) - (high < 0)


def check(study: Study, candidate: Sample, verdict: Verdict) -> None:
    check_word(study.rules, verdict)
    check_runs(study, candidate, verdict)
    check_numbers(verdict)
    check_line(study.rules, verdict)


def check_word(rules, verdict):
    if verdict.word in CLAIMS:
        assert verdict.adjusted <= verdict.alpha
        assert rules.goal is not None
    elif verdict.adjusted is not None and verdict.word is not Word.WITHHELD:
        assert verdict.adjusted > verdict.alpha
    if verdict.interval is not None and verdict.word is not Word.WITHHELD:
        low, high, _ = verdict.interval
        up = (verdict.word is Word.BETTER) is (rules.goal is Goal.MAXIMIZE)
        assert side(low, high) == ((1 if up else -1) if verdict.word in CLAIMS else 0)
        if rules.min_effect and verdict.word in CLAIMS:
            near, far = sorted((abs(low), abs(high)))
            sizes = {
                "by more than min_effect": near > rules.min_effect,
                "smaller than min_effect": far < rules.min_effect,
            }
            assert verdict.min_effect == next((size for size, holds in sizes.items() if holds), "")
    if verdict.word is Word.EQUIVALENT:
        low, high, confidence = verdict.equivalence
        assert -rules.min_effect < low <= high < rules.min_effect
        assert confidence == pytest.approx(1 - 2 * verdict.alpha / verdict.among)
    else:
        assert verdict.equivalence is None
    assert verdict.more is None or (verdict.more >= 1 and verdict.word is Word.NOT_ENOUGH and rules.min_effect)


def check_runs(study, candidate, verdict):
    counts = len(finite(study.baseline)), len(finite(candidate))
    assert all(n <= count for n, count in zip(verdict.n, counts, strict=True))
    if min(verdict.n) < 3:
        assert verdict.p is verdict.adjusted is verdict.interval is None
        assert verdict.word not in TESTED
    if study.rules.planned and not study.rules.looks and study.rules.pair_by is not Pairing.DATASET:
        assert min(verdict.n) >= study.rules.planned or verdict.word not in TESTED
    if study.baseline.evaluated != candidate.evaluated:
        unkeyed = study.rules.pair_by in {Pairing.NONE, Pairing.SEED}
        assert not unkeyed or verdict.word not in {*TESTED, Word.IDENTICAL, Word.DETERMINISTIC}


def check_numbers(verdict):
    if verdict.p is not None:
        assert 0 <= verdict.p <= verdict.adjusted <= 1 or verdict.test == "Dunnett"
    for number in (
        verdict.difference,
        verdict.p,
        verdict.adjusted,
        verdict.detectable,
        verdict.hedges_g,
        *verdict.beside.values(),
    ):
        assert number is None or math.isfinite(number)
    assert all(0 <= p <= 1 for p in verdict.beside.values())
    assert verdict.better_share is None or 0 <= verdict.better_share <= 1
    if verdict.hedges_g:
        assert (verdict.hedges_g > 0) is (verdict.difference > 0)
    if verdict.interval is not None:
        low, high, confidence = verdict.interval
        assert low < verdict.difference < high
        assert 1 - verdict.alpha <= confidence + 1e-12 < 1 + 1e-12
        if verdict.simultaneous is not None:
            assert verdict.simultaneous.high - verdict.simultaneous.low >= (high - low) * (1 - 1e-9)


def check_line(rules, verdict):
    assert verdict.line.startswith(str(verdict.word))
    assert not re.search(r"\b(nan|inf|None)\b|\n", verdict.line)
    if found := INTERVAL.search(verdict.line):
        assert side(*map(float, found.groups())) == side(*verdict.interval[:2])
    if found := INSIDE.search(verdict.line):
        _, low, high = map(float, found.groups())
        assert -rules.min_effect < low <= high < rules.min_effect
    if verdict.word is not Word.WITHHELD and (found := P.search(verdict.line)):
        assert found[1] == "<" or (float(found[2]) <= verdict.alpha) is (verdict.word in CLAIMS)


def test_in_3000_random_studies_no_interval_contradicts_its_word():
    words, tests = set(), set()
    for seed in range(STUDIES):
        study = draw_study(seed)
        verdicts = decide(*study[:3], is_forced=study.is_forced)
        assert [one.label for one in verdicts] == [one.label for one in study.candidates]
        for candidate, verdict in zip(study.candidates, verdicts, strict=True):
            try:
                check(study, candidate, verdict)
            except AssertionError as error:
                raise AssertionError(f"study {seed}: {verdict}") from error
            words.add(verdict.word)
            tests.add((verdict.test, verdict.among > 1))
    assert words == set(Word)
    assert tests >= {(test, several) for test in ("Welch", "paired t", "Nadeau-Bengio") for several in (True, False)}
    assert tests >= {("Wilcoxon", False), ("Friedman z", True), ("Dunnett", True)}
