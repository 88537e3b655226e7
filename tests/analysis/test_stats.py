"""The formulas, against published values, against SciPy's own tests, and by simulation."""

from __future__ import annotations

import math
import random
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exptrack.analysis.stats import (
    deviation,
    is_constant,
    mean,
    prediction_half_width,
    quantile,
    same_bits,
    tost,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
# R's `sleep`: extra hours of sleep of ten patients under two drugs.
SLEEP = (
    [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
    [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
)


def test_a_prediction_interval_is_that_of_the_textbook():
    # Devore, section 7.3: fat in ten hot dogs; the next one's lies in 21.90 +- 9.81 (95 %).
    fat = [25.2, 21.3, 22.8, 17.0, 29.8, 21.0, 25.5, 16.0, 20.9, 19.5]
    assert mean(fat) == pytest.approx(21.90)
    assert deviation(fat) == pytest.approx(4.134, abs=5e-4)
    assert prediction_half_width(10, 1, deviation(fat)) == pytest.approx(9.81, abs=5e-3)


@pytest.mark.parametrize(("n", "width"), [(2, 15.6), (3, 4.97), (5, 3.04), (10, 2.37)])
def test_one_more_run_lies_within_known_multiples_of_the_standard_deviation(n, width):
    assert prediction_half_width(n, 1, 1.0) == pytest.approx(width, rel=5e-3)


@pytest.mark.parametrize(
    ("df", "p", "value"),
    [
        (2, 0.975, 4.303),
        (4, 0.975, 2.776),
        (4, 0.9875, 3.495),
        (9, 0.975, 2.262),
        (1, 0.975, 12.706),
        (30, 0.95, 1.697),
    ],
)
def test_quantiles_are_those_of_the_printed_tables(df, p, value):
    assert quantile(df, p) == pytest.approx(value, abs=6e-4)


def test_quantiles_are_those_of_scipy_stats_for_any_degrees_of_freedom():
    from scipy import stats

    for df in (1, 1.5, 2, 3.7, 9, 17.776, 200.5):
        for p in (0.6, 0.95, 0.975, 0.9975, 0.99975):
            assert quantile(df, p) == pytest.approx(stats.t.ppf(p, df), rel=1e-9)


@pytest.mark.parametrize(("n", "m", "metrics"), [(3, 1, 1), (5, 3, 1), (10, 1, 1), (5, 1, 4)])
def test_an_honest_rerun_lies_in_the_interval_in_95_of_100_studies(n, m, metrics):
    draw = random.Random(20_000 + n * 10 + m)
    width = prediction_half_width(n, m, 1.0, 0.05 / metrics)
    studies, covered = 4000, 0
    for _ in range(studies):
        for _ in range(metrics):
            prior = [draw.gauss(0.0, 1.0) for _ in range(n)]
            rerun = mean([draw.gauss(0.0, 1.0) for _ in range(m)])
            if abs(rerun - mean(prior)) > width * deviation(prior):
                break
        else:
            covered += 1
    # Bonferroni errs on the safe side by 0.1 % at four metrics; 4000 studies have a standard error of 0.35 %.
    assert covered / studies == pytest.approx(0.95, abs=0.012)


def test_welch_s_interval_is_that_of_r():
    # R: t.test(extra ~ group, data = sleep): df = 17.776, 95 percent confidence interval: -3.3654832  0.2054832
    found = tost(SLEEP[1], SLEEP[0], 3.0, alpha=0.025)
    assert (found.low, found.high) == pytest.approx((-3.3654832, 0.2054832), abs=1e-7)
    assert not found.holds
    assert found.difference == pytest.approx(-1.58)


@pytest.mark.parametrize("margin", [0.5, 2.0, 3.0, 3.2, 5.0])
def test_two_one_sided_tests_are_those_of_scipy(margin):
    from scipy import stats

    x, y = SLEEP
    lower = stats.ttest_ind([one + margin for one in y], x, equal_var=False, alternative="greater").pvalue
    upper = stats.ttest_ind([one - margin for one in y], x, equal_var=False, alternative="less").pvalue
    found = tost(x, y, margin)
    assert found.p == pytest.approx(max(lower, upper), rel=1e-9)
    assert found.holds == (found.p < 0.05)


def test_values_at_the_margin_are_called_equivalent_in_at_most_5_of_100_studies():
    draw = random.Random(7)
    called = sum(
        tost([draw.gauss(0, 1) for _ in range(10)], [draw.gauss(2, 1) for _ in range(5)], 2.0).holds
        for _ in range(2000)
    )
    assert called / 2000 == pytest.approx(0.05, abs=0.015)


def test_constants_are_no_case_for_a_test():
    assert tost([0.1 + 0.2] * 3, [0.3] * 3, 0.01).holds  # scipy: p = 0 for a difference of 5e-17
    assert tost([1.0] * 3, [2.0] * 3, 0.5) == (1.0, 1.0, 1.0, 1.0, False)
    one_varies = tost([1.0] * 3, [1.0, 1.1, 0.9], 0.5)
    assert one_varies.high - one_varies.difference == pytest.approx(2.919986 * 0.1 / math.sqrt(3), rel=1e-6)


@pytest.mark.parametrize(("values", "constant"), [([0.3, 0.1 + 0.2], True), ([0.0, 0.0], True), ([5.0], True)])
def test_float_noise_is_no_variation(values, constant):
    assert is_constant(values) is constant
    assert not is_constant([*values, max(values) + 1e-6])


@pytest.mark.parametrize(
    "call",
    [
        lambda: prediction_half_width(1, 1, 1.0),
        lambda: prediction_half_width(3, 0, 1.0),
        lambda: prediction_half_width(3, 1, math.nan),
        lambda: prediction_half_width(3, 1, 1.0, 0.0),
        lambda: tost([1.0], [1.0, 2.0], 1.0),
        lambda: tost([1.0, 2.0], [1.0, 2.0], 0.0),
        lambda: tost([1.0, 2.0], [1.0, 2.0], 1.0, alpha=0.6),
    ],
)
def test_what_cannot_be_computed_is_refused(call):
    with pytest.raises(ValueError, match=r"^no (prediction|equivalence) from n="):
        call()


@given(st.lists(finite, min_size=2, max_size=6))
@example([sys.float_info.max] * 3)
@example([1e308, 1e308, -1e308])
def test_mean_and_deviation_hold_for_all_floats_in_any_order(values):
    centre, spread = mean(values), deviation(values)
    assert math.nextafter(min(values), -math.inf) <= centre <= math.nextafter(max(values), math.inf)
    assert spread >= 0
    assert (mean(values[::-1]), deviation(values[::-1])) == (centre, spread)


@given(st.lists(finite, min_size=2, max_size=4), st.lists(finite, min_size=2, max_size=4), st.floats(1e-300, 1e300))
def test_equivalence_has_an_answer_for_all_floats(x, y, margin):
    assert tost(x, y, margin).holds in {True, False}


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
