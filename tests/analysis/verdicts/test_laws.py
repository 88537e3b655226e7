"""What changes no verdict: the order of values and candidates, the unit, the sign; and that there always is one."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exptrack.analysis.verdicts import decide
from exptrack.model.comparison import Rules, Sample
from exptrack.model.experiment import Noise, Pairing
from exptrack.model.settings import Goal

PAIRINGS = [Pairing.NONE, Pairing.SEED, Pairing.SPLIT, Pairing.FOLD, Pairing.DATASET]


def draw_values(r, n, mean, sd):
    kind = r.randrange(6)
    if kind == 0:
        return [mean] * n
    if kind == 1:
        return [round(r.gauss(mean, sd), 1) for _ in range(n)]
    if kind == 2:
        return [mean + sd * r.expovariate(1) for _ in range(n)]
    if kind == 3:
        return [r.choice([mean, mean + 3 * sd, math.nan]) if r.random() < 0.3 else r.gauss(mean, sd) for _ in range(n)]
    return [r.gauss(mean, sd) for _ in range(n)]


def draw_sample(r, label):
    n = r.choice([0, 1, 2, 3, 3, 4, 5, 5, 6, 8, 12])
    values = draw_values(r, n, r.choice([0, 0, 1, 3]) / 2, r.choice([0.01, 0.3, 0.5, 1]))
    return Sample(
        label,
        {str(unit): value for unit, value in enumerate(values)},
        failed=r.choice([0, 0, 0, 0, 1, 4]),
        collapsed=r.choice([0, 0, 1]),
    )


def draw_study(seed):
    r = random.Random(seed)
    pair_by = r.choice([Pairing.NONE, Pairing.NONE, Pairing.NONE, *PAIRINGS])
    rules = Rules(
        "accuracy",
        r.choice([*Goal, Goal.MAXIMIZE, None]),
        min_effect=r.choice([None, 0.05, 0.5, 2.0]),
        alpha=r.choice([0.05, 0.05, 0.01, 0.2]),
        pair_by=pair_by,
        noise=r.choice([Noise.UNEQUAL, Noise.COMMON]),
        test_share=0.25 if pair_by is Pairing.FOLD else None,
        planned=r.choice([None, None, None, 3, 5]),
        looks=r.choice([(), (), (), (3, 5, 8)]),
        is_declared=r.random() < 0.7,
    )
    count = r.choice([1, 1, 1, 2, 2, 3, 3, 5, 5, 5, 5, 22])
    return rules, draw_sample(r, "baseline"), [draw_sample(r, f"candidate {place}") for place in range(count)]


def finite(sample):
    return [value for value in sample.values.values() if math.isfinite(value)]


@pytest.mark.parametrize("seed", range(0, 3000, 60))
def test_the_order_of_candidates_and_of_values_changes_nothing(seed):
    rules, baseline, candidates = draw_study(seed)
    r = random.Random(seed)

    def shuffled(sample):
        pairs = list(sample.values.items())
        r.shuffle(pairs)
        return sample._replace(values=dict(pairs))

    other = [shuffled(one) for one in candidates]
    r.shuffle(other)
    by_label = {one.label: one for one in decide(rules, shuffled(baseline), other)}
    assert repr(decide(rules, baseline, candidates)) == repr(tuple(by_label[one.label] for one in candidates))


def scaled(sample, factor):
    return sample._replace(values={unit: value * factor for unit, value in sample.values.items()})


def words(rules, baseline, candidates):
    return [(one.word, one.more, one.flags, one.min_effect) for one in decide(rules, baseline, candidates)]


@pytest.mark.parametrize("factor", [2.0**-20, 2.0**30])
def test_the_unit_changes_no_word(factor):
    for seed in range(0, 3000, 75):
        rules, baseline, candidates = draw_study(seed)
        effect = rules.min_effect and rules.min_effect * factor
        inflated = [scaled(one, factor) for one in candidates]
        assert words(rules, baseline, candidates) == words(
            rules._replace(min_effect=effect), scaled(baseline, factor), inflated
        )


def test_a_negated_metric_with_the_other_goal_has_the_same_words():
    turned = {Goal.MAXIMIZE: Goal.MINIMIZE, Goal.MINIMIZE: Goal.MAXIMIZE, None: None}
    for seed in range(0, 3000, 75):
        rules, baseline, candidates = draw_study(seed)
        other = rules._replace(goal=turned[rules.goal])
        assert words(rules, baseline, candidates) == words(
            other, scaled(baseline, -1), [scaled(one, -1) for one in candidates]
        )


@settings(max_examples=100)
@given(
    st.lists(
        st.lists(st.floats() | st.sampled_from([0.0, 1.0, 1e308, -1e308, 5e-324, 0.1 + 0.2, 0.3]), max_size=7),
        min_size=2,
        max_size=4,
    ),
    st.sampled_from(PAIRINGS),
    st.sampled_from(Noise),
)
def test_whatever_the_values_there_is_an_answer(values, pair_by, noise):
    samples = [
        Sample(f"s{place}", {str(unit): one for unit, one in enumerate(some)}) for place, some in enumerate(values)
    ]
    rules = Rules(
        "loss", Goal.MINIMIZE, min_effect=0.1, pair_by=pair_by, noise=noise, test_share=0.25, is_declared=True
    )
    for candidate, verdict in zip(samples[1:], decide(rules, samples[0], samples[1:]), strict=True):
        if verdict.p is not None:
            assert len(finite(candidate)) >= 3
            assert math.isfinite(verdict.p)
