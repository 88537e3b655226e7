"""Means and deviations of any floats, and what is the same."""

from __future__ import annotations

import math
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exptrack.analysis.stats import deviation, is_constant, is_same_but_noise, mean, same_bits
from exptrack.analysis.stats.plain import require

finite = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(("values", "constant"), [([0.3, 0.1 + 0.2], True), ([0.0, 0.0], True), ([5.0], True)])
def test_float_noise_is_no_variation(values, constant):
    assert is_constant(values) is constant
    assert not is_constant([*values, max(values) + 1e-6])


def test_float_noise_is_no_difference():
    assert is_same_but_noise(0.1 + 0.2, 0.3)
    assert not is_same_but_noise(0.3, 0.3 + 1e-6)


@given(st.lists(finite, min_size=2, max_size=6))
@example([sys.float_info.max] * 3)
@example([1e308, 1e308, -1e308])
def test_mean_and_deviation_hold_for_all_floats_in_any_order(values):
    centre, spread = mean(values), deviation(values)
    assert math.nextafter(min(values), -math.inf) <= centre <= math.nextafter(max(values), math.inf)
    assert spread >= 0
    assert (mean(values[::-1]), deviation(values[::-1])) == (centre, spread)


@given(st.lists(st.integers(-1000, 1000).map(lambda whole: whole / 16), min_size=2, max_size=12))
def test_mean_and_deviation_are_those_of_the_standard_library(values):
    import statistics

    assert mean(values) == pytest.approx(statistics.fmean(values), abs=1e-12)
    assert deviation(values) == pytest.approx(statistics.stdev(values), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("sample", [[1.0], [], [1.0, math.nan], [1.0, math.inf]])
def test_a_sample_that_is_too_small_or_not_finite_is_refused(sample):
    with pytest.raises(ValueError, match=r"^no answer from n=2, \d: it needs 2 finite values or more"):
        require("answer", [1.0, 2.0], sample)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (1, 1.0, True),
        (0.1 + 0.2, 0.3, False),
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        (0.0, -0.0, False),
        (0, -0.0, False),
        (0, 0.0, True),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        (2**53 + 1, float(2**53), False),
        (10**400, 10**400, True),
        (True, 1, False),
        ("a", "a", True),
        ("1", 1, False),
        (None, None, True),
        ([], [], True),
    ],
)
def test_metrics_are_compared_to_the_last_bit(old, new, same):
    assert same_bits(old, new) is same
    assert same_bits(new, old) is same
