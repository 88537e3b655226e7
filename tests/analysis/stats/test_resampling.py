"""Bootstrap intervals, against all resamples there are and the normal theory."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exptrack.analysis.stats.plain import deviation, mean
from exptrack.analysis.stats.resampling import paired_bootstrap, stratified_bootstrap

number = st.integers(-1000, 1000).map(lambda whole: whole / 16)


def difference(x, y):
    return float((y - x).mean())


def test_the_interval_of_a_mean_is_that_of_the_normal_theory():
    draw = random.Random(3)
    x = [draw.gauss(0, 1) for _ in range(400)]
    y = [value + draw.gauss(0.1, 0.5) for value in x]
    gains = [b - a for a, b in zip(x, y, strict=True)]
    found = paired_bootstrap(x, y, difference, draws=4000)
    half = 1.96 * deviation(gains) / math.sqrt(400)
    assert found.value == pytest.approx(mean(gains))
    assert (found.low, found.high) == pytest.approx((mean(gains) - half, mean(gains) + half), abs=0.15 * half)


def test_the_interval_of_pairs_is_that_of_all_resamples():
    import numpy as np

    x, y = [1.0, 2.0, 4.0, 8.0], [1.5, 1.0, 7.0, 20.0]
    every = [mean([y[place] - x[place] for place in chosen]) for chosen in itertools.product(range(4), repeat=4)]
    found = paired_bootstrap(x, y, difference, confidence=0.8)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(every, [0.1, 0.9])), abs=0.3)


def test_the_interval_of_tasks_is_that_of_all_resamples_within_them():
    import numpy as np

    tasks = [[1.0, 2.0, 4.0], [100.0, 103.0, 104.0]]
    every = [
        mean([*one, *other])
        for one in itertools.product(tasks[0], repeat=3)
        for other in itertools.product(tasks[1], repeat=3)
    ]
    found = stratified_bootstrap(tasks, mean, confidence=0.9)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(every, [0.05, 0.95])), abs=0.2)
    assert found.value == pytest.approx(mean([*tasks[0], *tasks[1]]))


def test_constants_have_an_interval_without_width():
    # scipy.stats.bootstrap answers nan by its BCa.
    assert paired_bootstrap([1.0] * 3, [1.5] * 3, difference, draws=20) == (0.5, 0.5, 0.5)
    assert stratified_bootstrap([[2.0] * 3, [4.0]], mean, draws=20) == (2.5, 2.5, 2.5)


def test_the_interval_is_that_of_scipy():
    from scipy.stats import bootstrap

    draw = random.Random(8)
    x, y = ([draw.gauss(0, 1) for _ in range(60)] for _ in range(2))
    theirs = bootstrap((x, y), lambda a, b, axis: (b - a).mean(axis=axis), paired=True, method="percentile", rng=1)
    found = paired_bootstrap(x, y, difference)
    assert found[1:] == pytest.approx(tuple(theirs.confidence_interval), abs=0.03)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(number, number), min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_the_pairs_changes_nothing(pairs, draw):
    shuffled = draw.sample(pairs, len(pairs))
    first = paired_bootstrap(*zip(*pairs, strict=True), difference, draws=50)
    assert paired_bootstrap(*zip(*shuffled, strict=True), difference, draws=50) == first
    assert first.low <= first.high


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(number, min_size=1, max_size=5), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_runs_and_tasks_changes_nothing(tasks, draw):
    shuffled = [draw.sample(task, len(task)) for task in draw.sample(tasks, len(tasks))]
    assert stratified_bootstrap(shuffled, mean, draws=50) == stratified_bootstrap(tasks, mean, draws=50)


def test_another_seed_draws_otherwise():
    x, y = [1.0, 2.0, 4.0, 8.0], [1.5, 1.0, 7.0, 20.0]
    first, other = (paired_bootstrap(x, y, difference, draws=40, seed=seed) for seed in (0, 1))
    assert first != other
    assert first.value == other.value


@pytest.mark.parametrize(
    "call",
    [
        lambda: paired_bootstrap([1.0], [2.0], difference),
        lambda: paired_bootstrap([1.0, 2.0], [2.0], difference),
        lambda: paired_bootstrap([1.0, math.nan], [2.0, 3.0], difference),
        lambda: paired_bootstrap([1.0, 2.0], [2.0, 3.0], difference, draws=0),
        lambda: paired_bootstrap([1.0, 2.0], [2.0, 3.0], lambda x, y: math.nan, draws=5),
        lambda: paired_bootstrap([1.0, 2.0], [2.0, 3.0], difference, confidence=1.0),
        lambda: stratified_bootstrap([], mean),
        lambda: stratified_bootstrap([[1.0], []], mean),
        lambda: stratified_bootstrap([[1.0, math.inf]], mean),
    ],
)
def test_what_cannot_be_drawn_from_is_refused(call):
    with pytest.raises(ValueError, match=r"^no (bootstrap|interval)|^alpha is"):
        call()
