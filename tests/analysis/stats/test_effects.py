"""Effect sizes, against R's metafor and effsize, Hedges' table, and brute force."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exptrack.analysis.stats.effects import (
    cliffs_delta,
    hedges_g,
    iqm,
    pooled_deviation,
    probability_of_improvement,
    share_better,
)
from exptrack.analysis.stats.plain import deviation, is_constant, mean

number = st.integers(-1000, 1000).map(lambda whole: whole / 16)
sample = st.lists(number, min_size=2, max_size=12)
tied = st.lists(st.integers(0, 4).map(float), min_size=1, max_size=8)


def make(n, centre, spread):
    """`n` values with this mean and standard deviation."""
    values = [float(one) for one in range(n)]
    return [centre + spread * (one - mean(values)) / deviation(values) for one in values]


class TestHedges:
    @pytest.mark.parametrize(
        ("x", "y", "g"),
        [((156, 75, 64), (155, 55, 47), -0.3552), ((32, 29, 4), (31, 27, 7), -0.3479)],
    )
    def test_it_is_that_of_metafor(self, x, y, g):
        # R: escalc("SMD", ..., data = dat.normand1999): the first two studies of stays in hospital
        assert hedges_g(make(*x), make(*y)) == pytest.approx(g, abs=5e-5)

    @pytest.mark.parametrize(
        ("df", "c"), [(2, 0.5642), (3, 0.7236), (4, 0.7979), (5, 0.8408), (10, 0.9228), (20, 0.9619), (50, 0.9849)]
    )
    def test_its_correction_is_that_of_hedges_table(self, df, c):
        # Hedges 1981: c(m)
        n = (df + 2) // 2
        x, y = make(n, 0.0, 1.0), make(df + 2 - n, 1.0, 1.0)
        assert hedges_g(x, y) == pytest.approx(c, abs=6e-5)

    @given(sample, sample)
    def test_it_is_nearly_that_of_statsmodels(self, x, y):
        from statsmodels.stats.meta_analysis import effectsize_smd

        assume(not is_constant(x) and not is_constant(y))
        df = len(x) + len(y) - 2
        other, _ = effectsize_smd(mean(y), deviation(y), len(y), mean(x), deviation(x), len(x))
        # It corrects by 1 - 3/(4 df - 1), the usual approximation of J.
        exact = math.gamma(df / 2) / math.sqrt(df / 2) / math.gamma((df - 1) / 2)
        assert hedges_g(x, y) == pytest.approx(other / (1 - 3 / (4 * df - 1)) * exact, rel=1e-9, abs=1e-9)

    @given(sample, sample)
    def test_sides_change_the_sign(self, x, y):
        assume(not (is_constant(x) and is_constant(y)))
        assert hedges_g(x, y) == -hedges_g(y, x)

    @pytest.mark.parametrize(
        ("x", "y"),
        [
            ([1.0, 1.0], [2.0, 2.0]),
            ([0.3, 0.1 + 0.2], [0.3, 0.3]),
            ([1.0], [1.0, 2.0]),
            ([1.0, math.nan], [1.0, 2.0]),
            ([1.7e308, -1.7e308], [1.0, 2.0]),
            ([0.0] * 4 + [5e-324], [0.0] * 4 + [5e-324]),
        ],
    )
    def test_constants_have_no_effect_size(self, x, y):
        with pytest.raises(ValueError, match=r"^no effect size"):
            hedges_g(x, y)


class TestDominance:
    def test_it_is_that_of_effsize(self):
        # R: cliff.delta(treatment, control): delta estimate: -0.25 (small)
        treatment, control = [10, 10, 20, 20, 20, 30, 30, 30, 40, 50], [10, 20, 30, 40, 40, 50]
        assert cliffs_delta(control, treatment) == -0.25

    @given(tied, tied)
    def test_it_counts_pairs(self, x, y):
        better = sum(b > a for a in x for b in y)
        worse = sum(b < a for a in x for b in y)
        pairs = len(x) * len(y)
        assert cliffs_delta(x, y) == pytest.approx((better - worse) / pairs)
        assert share_better(x, y) == pytest.approx((better + (pairs - better - worse) / 2) / pairs)
        assert share_better(x, y) + share_better(y, x) == pytest.approx(1)

    @given(tied, tied)
    def test_the_share_is_u_of_mann_and_whitney(self, x, y):
        from scipy import stats

        u = stats.mannwhitneyu(y, x, method="asymptotic").statistic
        assert share_better(x, y) == pytest.approx(u / (len(x) * len(y)))

    def test_all_better_all_worse_and_all_the_same(self):
        assert (cliffs_delta([1.0], [2.0]), cliffs_delta([2.0], [1.0]), cliffs_delta([1.0], [1.0])) == (1, -1, 0)

    @pytest.mark.parametrize(("x", "y"), [([], [1.0]), ([1.0], []), ([math.nan], [1.0])])
    def test_no_values_have_no_dominance(self, x, y):
        with pytest.raises(ValueError, match=r"^no effect size"):
            cliffs_delta(x, y)
        with pytest.raises(ValueError, match=r"^no effect size"):
            share_better(x, y)

    def test_improvement_is_the_mean_over_tasks(self):
        assert probability_of_improvement([([1.0], [2.0]), ([1.0, 2.0], [1.0, 2.0])]) == 0.75
        with pytest.raises(ValueError, match="0 tasks"):
            probability_of_improvement([])


class TestPooling:
    @given(st.lists(sample, min_size=1, max_size=5))
    def test_it_is_the_root_of_the_mean_square_within_groups(self, groups):
        squares = sum((one - mean(group)) ** 2 for group in groups for one in group)
        assert pooled_deviation(*groups) == pytest.approx(
            math.sqrt(squares / sum(len(group) - 1 for group in groups)), rel=1e-9, abs=1e-9
        )

    def test_a_single_value_adds_nothing(self):
        assert pooled_deviation([1.0, 3.0], [7.0]) == pytest.approx(deviation([1.0, 3.0]))
        with pytest.raises(ValueError, match="single values"):
            pooled_deviation([1.0], [2.0])


class TestInterquartileMean:
    @given(st.lists(number, min_size=1, max_size=40))
    def test_it_is_scipy_s_trimmed_mean_as_in_rliable(self, values):
        from scipy import stats

        assert iqm(values) == pytest.approx(stats.trim_mean(values, 0.25), rel=1e-9, abs=1e-9)
        assert iqm(values[::-1]) == iqm(values)

    def test_of_three_values_it_is_the_mean(self):
        assert iqm([1.0, 2.0, 9.0]) == 4.0
        assert iqm([1.0, 2.0, 3.0, 90.0]) == 2.5

    @pytest.mark.parametrize("values", [[], [math.nan], [1.0, math.inf]])
    def test_no_values_have_none(self, values):
        with pytest.raises(ValueError, match=r"^no interquartile mean"):
            iqm(values)
