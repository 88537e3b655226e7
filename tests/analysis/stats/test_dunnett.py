"""Dunnett's test, against his tables, high-precision values, R and SciPy's integrals."""

from __future__ import annotations

import math
import random
import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from exptrack.analysis.stats.dunnett import critical, dunnett, excess
from exptrack.analysis.stats.student import quantile

number = st.integers(-1000, 1000).map(lambda whole: whole / 16)

# MATLAB's example of multcompare, as in SciPy's test_multicomp.py.
CONTROL = """18 15 18 16 17 15 14 14 14 15 15 14 15 14 22 18 21 21 10 10 11 9 25 26 17.5 16 15.5 14.5 22 22 24 22.5 29 24.5 20 18 18.5
17.5 26.5 13 16.5 13 13 13 28 27 34 31 29 27 24 23 38 36 25 38 26 22 36 27 27 32 28 31"""
MATLAB = (
    [float(one) for one in CONTROL.split()],
    (
        [24, 27, 33, 32, 28, 19, 37, 31, 36, 36, 34, 38, 32, 38, 32],
        [26, 24, 26, 25, 29, 29.5, 16.5, 36, 44],
        [25, 27, 19],
        [25, 20],
        [28],
    ),
)
# Dunnett 1955: blood counts of animals under two drugs, and without.
BLOOD = ([7.40, 8.50, 7.20, 8.24, 9.84, 8.32], ([9.76, 8.80, 7.68, 9.36], [12.80, 9.68, 12.16, 9.20, 10.55]))
BREAKING = ([55, 47, 48], ([55, 64, 64], [55, 49, 52], [50, 44, 41]))
# Thomson and Short 1969, table 1: mucociliary function.
LUNGS = ([2.9, 3.0, 2.5, 2.6, 3.2], ([3.8, 2.7, 4.0, 2.4], [2.8, 3.4, 3.7, 2.2, 2.0]))


def test_p_values_are_kern_s_of_high_precision():
    # R. Kern in SciPy's pull request 18107, by his qmvnt: sizes from 1 to 15 beside 64; his own errors are below 3e-7.
    expected = (4.73672853e-06, 2.23422453e-02, 9.79126727e-01, 9.99534983e-01, 8.65810954e-01)
    found = dunnett(*MATLAB)
    assert found.p == pytest.approx(expected, abs=4e-7)
    assert found.p[0] == pytest.approx(expected[0], abs=1e-8)
    ts = [difference / error for difference, error in zip(found.differences, found.errors, strict=True)]
    assert ts == pytest.approx([5.27356082, 2.91270226, 0.60831257, 0.27001821, 0.96637163], abs=1e-8)
    assert found.df == 88


@pytest.mark.parametrize(
    ("data", "ps", "low", "high"),
    [
        (BLOOD, (0.6201020, 0.0058254), (-1.2564116462124, 0.8396273539789), (2.5564116462124, 4.4163726460211)),
        (BREAKING, (0.036407, 0.896539, 0.409295), (0.7529028, -8.2470972, -15.2470972), (21.2470972, 12.2470972, 5.24709720)),
        (LUNGS, (0.58317, 0.99819), (-0.6898153448579, -1.0333456251632), (1.4598153448579, 0.9933456251632)),
    ],
)  # fmt: skip
def test_p_values_and_intervals_are_those_of_r(data, ps, low, high):
    # R's multcomp::glht, as in SciPy's test_multicomp.py. Its integrals are drawn at random, to 1e-3 as it says itself: the 0.036407 is
    # 0.036622 by this quadrature, by an adaptive one, and by SciPy's multivariate t with 400,000 points (0.0366221 to 0.0366226).
    found = dunnett(*data)
    assert found.p == pytest.approx(ps, abs=3e-4)
    reach = found.critical(0.05)
    ends = [(d - reach * e, d + reach * e) for d, e in zip(found.differences, found.errors, strict=True)]
    assert [end for end, _ in ends] == pytest.approx(low, abs=2e-3)
    assert [end for _, end in ends] == pytest.approx(high, abs=2e-3)


@pytest.mark.parametrize(
    ("df", "row"),
    [
        (5, (2.57, 3.03, 3.29, 3.48, 3.62, 3.73, 3.82, 3.90, 3.97)),
        (10, (2.23, 2.57, 2.76, 2.89, 2.99, 3.07, 3.14, 3.19, 3.24)),
        (20, (2.09, 2.38, 2.54, 2.65, 2.73, 2.80, 2.86, 2.90, 2.95)),
        (60, (2.00, 2.27, 2.41, 2.51, 2.58, 2.64, 2.69, 2.73, 2.77)),
    ],
)
def test_critical_values_are_those_of_dunnett_s_tables(df, row):
    # Dunnett 1964, New tables for multiple comparisons with a control, Biometrics 20, table II: 5 %, equal sizes, 1 to 9 groups.
    assert [critical([math.sqrt(0.5)] * k, df, 0.05) for k in range(1, 10)] == pytest.approx(row, abs=6e-3)


@pytest.mark.parametrize(
    ("df", "row"),
    [
        (10, (3.17, 3.53, 3.74, 3.88, 3.99, 4.08, 4.16, 4.22, 4.28)),
        (20, (2.85, 3.13, 3.29, 3.40, 3.48, 3.55, 3.60, 3.65, 3.69)),
        (60, (2.66, 2.90, 3.03, 3.12, 3.19, 3.25, 3.29, 3.33, 3.37)),
    ],
)
def test_critical_values_at_one_percent_are_those_of_dunnett_s_tables(df, row):
    # The same, table III.
    assert [critical([math.sqrt(0.5)] * k, df, 0.01) for k in range(1, 10)] == pytest.approx(row, abs=6e-3)


@pytest.mark.parametrize(
    ("k", "df", "alpha", "printed", "slack"),
    [
        (1, 10, 0.05, 2.23, 0),
        (2, 30, 0.05, 2.32, 0),
        (2, 60, 0.01, 2.90, 0),
        (3, 10, 0.05, 2.81, 0.06),
        (3, 20, 0.05, 2.57, 0.04),
        (4, 60, 0.05, 2.55, 0.05),
        (4, 60, 0.01, 3.14, 0.02),
        (4, 12, 0.01, 3.76, 0.06),
        (7, 12, 0.01, 4.08, 0.13),
    ],
)
def test_critical_values_of_1955_err_on_the_safe_side(k, df, alpha, printed, slack):
    # Dunnett 1955, tables 2a and 2b, as in SciPy's test_multicomp.py. From 3 groups on they are too large, as Dunnett says in 1964.
    assert printed - slack - 0.006 < critical([math.sqrt(0.5)] * k, df, alpha) < printed + 0.006


@settings(max_examples=40, deadline=None)
@given(st.lists(number, min_size=3, max_size=8), st.lists(number, min_size=3, max_size=8))
def test_one_group_is_student_s_test(x, y):
    assume(len(set(x)) > 1 or len(set(y)) > 1)
    found = dunnett(x, [y])
    with warnings.catch_warnings(action="ignore"):  # SciPy's of precision, where one group does not vary
        theirs = stats.ttest_ind(x, y).pvalue
    assert found.p[0] == pytest.approx(theirs, abs=1e-9)
    assert found.critical(0.05) == pytest.approx(quantile(found.df, 0.975), rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_p_values_are_the_integral_that_scipy_draws(seed):
    draw = random.Random(seed)
    loadings = [math.sqrt(draw.uniform(0.2, 0.9)) for _ in range(draw.randint(2, 5))]
    df, t = draw.choice([3, 7, 30]), draw.uniform(0.5, 3.5)
    shape = np.outer(loadings, loadings)
    np.fill_diagonal(shape, 1)
    whole = stats.multivariate_t(shape=shape, df=df, seed=1)
    inside = whole.cdf([t] * len(loadings), lower_limit=[-t] * len(loadings), maxpts=50_000)
    assert excess(t, loadings, df) == pytest.approx(1 - inside, abs=3e-4)


@pytest.mark.parametrize(("df", "k", "loading"), [(1, 3, 0.5), (2, 50, 0.5), (4, 3, 0.95), (30, 5, 0.5)])
def test_p_values_are_shares_of_simulated_studies(df, k, loading):
    generator = np.random.default_rng(0)
    shared = generator.normal(size=(20_000, 1)) * math.sqrt(loading)
    noise = generator.normal(size=(20_000, k)) * math.sqrt(1 - loading)
    largest = abs((shared + noise) / np.sqrt(generator.chisquare(df, size=(20_000, 1)) / df)).max(axis=1)
    for t in (1.0, 2.5, 5.0):
        # 20,000 studies have a standard error of 0.35 % at most.
        assert excess(t, [math.sqrt(loading)] * k, df) == pytest.approx((largest > t).mean(), abs=0.012)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 60), st.lists(st.floats(0.1, 0.98), min_size=1, max_size=4), st.floats(0, 30))
def test_p_values_lie_between_student_s_and_bonferroni_s(df, loadings, t):
    single = 2 * stats.t.sf(t, df)
    assert single - 1e-7 <= excess(t, loadings, df) <= min(1, len(loadings) * single) + 1e-7


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 60), st.lists(st.floats(0.1, 0.98), min_size=1, max_size=4), st.sampled_from([0.01, 0.05, 0.3]))
def test_the_critical_value_is_exceeded_with_probability_alpha(df, loadings, alpha):
    assert excess(critical(loadings, df, alpha), loadings, df) == pytest.approx(alpha, abs=1e-7)


def test_the_order_of_values_changes_nothing_and_that_of_groups_nothing_else():
    control, groups = MATLAB
    found, turned = dunnett(control, groups), dunnett(control[::-1], [group[::-1] for group in groups[::-1]])
    assert turned.p[::-1] == pytest.approx(found.p, abs=1e-12)
    assert turned.errors[::-1] == pytest.approx(found.errors, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_the_unit_changes_nothing(scale):
    scaled = dunnett([value * scale for value in BLOOD[0]], [[value * scale for value in group] for group in BLOOD[1]])
    assert scaled.p == pytest.approx(dunnett(*BLOOD).p, rel=1e-9)


@pytest.mark.parametrize(
    ("x", "groups"),
    [
        ([1.0, 2.0, math.nan], [[1.0, 2.0, 3.0]]),  # scipy: p = 1
        ([1.0, 2.0], [[math.inf, 2.0]]),
        ([1.0, 1.0, 1.0], [[1.0, 1.0, 1.0]]),  # scipy: p = 1
        ([0.3, 0.1 + 0.2], [[0.5, 0.5]]),  # scipy: p = 0
        ([1.0, 2.0], []),
        ([1.0], [[2.0], [3.0]]),
        ([1.0, 2.0], [[]]),
    ],
)
def test_what_cannot_be_tested_is_refused(x, groups):
    with pytest.raises(ValueError, match=r"^no Dunnett's test (of|from)"):
        dunnett(x, groups)


def test_fifty_groups_of_any_sizes_have_a_critical_value():
    draw = random.Random(5)
    groups = [[draw.gauss(0, 1) for _ in range(3 + place % 25)] for place in range(50)]
    found = dunnett(groups[0], groups)
    # Above that of one comparison, below Bonferroni's.
    assert quantile(found.df, 1 - 0.05 / 2) < found.critical(0.05) < quantile(found.df, 1 - 0.05 / 2 / len(groups))
