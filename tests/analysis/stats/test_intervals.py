"""Prediction and tolerance intervals against printed tables and by simulation; limits of failure rates."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from exptrack.analysis.stats import deviation, is_constant, mean, prediction_half_width
from exptrack.analysis.stats.intervals import failure_limit, howe_factor, tolerance_factor


def test_a_prediction_interval_is_that_of_the_textbook():
    # Devore, section 7.3: fat in ten hot dogs; the next one's lies in 21.90 +- 9.81 (95 %).
    fat = [25.2, 21.3, 22.8, 17.0, 29.8, 21.0, 25.5, 16.0, 20.9, 19.5]
    assert mean(fat) == pytest.approx(21.90)
    assert deviation(fat) == pytest.approx(4.134, abs=5e-4)
    assert prediction_half_width(10, 1, deviation(fat)) == pytest.approx(9.81, abs=5e-3)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(-1000, 1000).map(lambda whole: whole / 16), min_size=3, max_size=12),
    st.sampled_from([0.2, 0.05, 0.0125]),
)
def test_a_prediction_interval_is_that_of_statsmodels_regression_on_a_constant(values, alpha):
    import numpy as np
    from statsmodels.regression.linear_model import OLS

    assume(not is_constant(values))
    told = OLS(values, np.ones(len(values))).fit().get_prediction([1.0]).summary_frame(alpha=alpha)
    width = prediction_half_width(len(values), 1, deviation(values), alpha)
    assert (mean(values) - width, mean(values) + width) == pytest.approx(
        (told["obs_ci_lower"][0], told["obs_ci_upper"][0]), rel=1e-9, abs=1e-9
    )
    # Of more and more new runs it becomes the interval of the mean.
    far = prediction_half_width(len(values), 10**12, deviation(values), alpha)
    assert mean(values) + far == pytest.approx(told["mean_ci_upper"][0], rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("n", "width"), [(2, 15.6), (3, 4.97), (5, 3.04), (10, 2.37)])
def test_one_more_run_lies_within_known_multiples_of_the_standard_deviation(n, width):
    assert prediction_half_width(n, 1, 1.0) == pytest.approx(width, rel=5e-3)


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


@pytest.mark.parametrize(
    ("n", "factors"),
    [
        (4, (5.37, 6.34, 8.22)),
        (5, (4.29, 5.08, 6.60)),
        (6, (3.73, 4.42, 5.76)),
        (7, (3.39, 4.02, 5.24)),
        (8, (3.16, 3.75, 4.89)),
        (9, (2.99, 3.55, 4.63)),
        (10, (2.86, 3.39, 4.44)),
        (12, (2.67, 3.17, 4.16)),
        (15, (2.49, 2.96, 3.89)),
        (20, (2.32, 2.76, 3.62)),
        (30, (2.15, 2.55, 3.35)),
        (60, (1.96, 2.34, 3.07)),
    ],
)
def test_tolerance_factors_are_those_of_the_printed_table(n, factors):
    # Berthouex and Brown, Statistics for Environmental Engineers, table 21.1: confidence 95 %, coverage 90, 95 and 99 %.
    for coverage, factor in zip((0.90, 0.95, 0.99), factors, strict=True):
        assert tolerance_factor(n, coverage, 0.95) == pytest.approx(factor, abs=0.0102)


def test_howe_s_factor_is_that_of_nist():
    # NIST/SEMATECH e-Handbook, section 7.2.6.3: 43 wafers, 90 % of them with confidence 99 %: k2 = 2.217
    assert howe_factor(43, 0.90, 0.99) == pytest.approx(2.217, abs=5e-4)


@given(st.integers(2, 1000), st.floats(0.01, 0.999), st.floats(0.01, 0.999))
def test_howe_s_factor_is_that_of_scipy_s_quantiles(n, coverage, confidence):
    from scipy import stats

    z, chi2 = stats.norm.isf((1 - coverage) / 2), stats.chi2.isf(confidence, n - 1)
    assert howe_factor(n, coverage, confidence) == pytest.approx(math.sqrt((n - 1 / n) * z * z / chi2), rel=1e-7)


@settings(max_examples=30)
@given(st.integers(2, 300), st.sampled_from([0.5, 0.9, 0.95, 0.99]), st.sampled_from([0.8, 0.95, 0.99]))
def test_the_exact_factor_holds_what_it_promises(n, coverage, confidence):
    # The share of a normal that mean +- k sd holds, over the mean's error by SciPy's own adaptive rule, and roots by its own search.
    from scipy import integrate, optimize, stats

    k = tolerance_factor(n, coverage, confidence)

    def weigh(z):
        error = z / math.sqrt(n)
        reach = optimize.brentq(
            lambda r: stats.norm.cdf(error + r) - stats.norm.cdf(error - r) - coverage, 0, 20 + abs(error), xtol=1e-12
        )
        return 2 * stats.norm.pdf(z) * stats.chi2.sf((n - 1) * (reach / k) ** 2, n - 1)

    if n < 40:
        assert integrate.quad(weigh, 0, 9, epsabs=1e-6, epsrel=1e-6)[0] == pytest.approx(confidence, abs=2e-6)
    assert k == pytest.approx(howe_factor(n, coverage, confidence), rel=0.08)


def test_tolerance_intervals_hold_their_share_in_95_of_100_studies():
    from statistics import NormalDist

    draw, normal, k = random.Random(3), NormalDist(), tolerance_factor(5)
    covered = 0
    for _ in range(2000):
        values = [draw.gauss(0.0, 1.0) for _ in range(5)]
        centre, reach = mean(values), k * deviation(values)
        covered += normal.cdf(centre + reach) - normal.cdf(centre - reach) >= 0.95
    assert covered / 2000 == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize(("n", "limit"), [(1, 0.95), (3, 0.63), (5, 0.45), (10, 0.26), (59, 0.0495)])
def test_runs_without_failure_leave_a_rate_possible(n, limit):
    assert failure_limit(n) == pytest.approx(limit, abs=5e-3)


@given(st.integers(1, 10_000), st.sampled_from([0.5, 0.95, 0.99]))
def test_the_limit_of_failures_is_that_of_clopper_and_pearson(n, confidence):
    from statsmodels.stats.proportion import proportion_confint

    _, high = proportion_confint(0, n, alpha=2 * (1 - confidence), method="beta")
    assert failure_limit(n, confidence) == pytest.approx(high, rel=1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda: prediction_half_width(1, 1, 1.0),
        lambda: prediction_half_width(3, 0, 1.0),
        lambda: prediction_half_width(3, 1, math.nan),
        lambda: prediction_half_width(3, 1, 1.0, 0.0),
        lambda: tolerance_factor(1),
        lambda: tolerance_factor(3, 1.0),
        lambda: tolerance_factor(3, 0.9, 0.0),
        lambda: howe_factor(3, math.nan),
        lambda: failure_limit(0),
        lambda: failure_limit(3, 1.0),
    ],
)
def test_what_cannot_be_computed_is_refused(call):
    with pytest.raises(ValueError, match=r"^no (prediction|tolerance|limit of failures) from n="):
        call()
