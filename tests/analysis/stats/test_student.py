"""The t tests, against what R prints, against SciPy's and statsmodels' own tests, and by simulation."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exptrack.analysis.stats import quantile, tost
from exptrack.analysis.stats.plain import is_constant, mean
from exptrack.analysis.stats.student import nadeau_bengio, paired, welch

finite = st.floats(allow_nan=False, allow_infinity=False)
number = st.integers(-1000, 1000).map(lambda whole: whole / 16)
sample = st.lists(number, min_size=2, max_size=12)
pairs = st.lists(st.tuples(number, number), min_size=2, max_size=12)

# R's `sleep`: extra hours of sleep of ten patients under two drugs.
SLEEP = (
    [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
    [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
)
# `clinic` of statsmodels' test_tost.py, the first variable in both groups.
CLINIC = (
    [2.84, 2.51, 2.41, 2.95, 3.14, 3.79, 4.14, 3.85, 3.02, 3.45, 5.37, 3.81, 4.19, 3.16, 3.84],
    [2.60, 2.82, 2.18, 3.46, 4.01, 3.04, 3.47, 4.06, 2.91, 3.59, 4.51, 3.16, 3.86, 3.31, 3.02],
)
# By how many of 25 pairs of examples a support vector machine with a radial kernel is better than a linear one (25 times the gain in
# area under the curve), in each fold of the data that scikit-learn's example makes (two moons, noise .352, seed 1; folds by seed 0).
MOONS = (
    -1, -3, 0, 0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1, -1, 0, 0, 0, 0, -1, -1, 1, -2, 0, 1, 1, 1, 0, 0, -1, 1, 0, 0,
    1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 1, 1, 0, 1, -1, 2, 0, 0, 0, 0, 0, 5, -1, 0, 1, 0,
    0, 0, 0, 1, 1, 2, 0, 1, 0, -1, 0, 0, 1, -2, 1, 0, 1, 0, 0, 0, 0, 0, 0, -1, 0, -1, 0, 0, 1, 2, 0, 0,
)  # fmt: skip


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


class TestWelch:
    def test_it_is_that_of_r(self):
        # R: t.test(extra ~ group, data = sleep): t = -1.8608, df = 17.776, p-value = 0.07939, -3.3654832 0.2054832
        found = welch(SLEEP[1], SLEEP[0])
        assert found.difference == pytest.approx(-1.58)
        assert found.t == pytest.approx(-1.8608, abs=5e-5)
        assert found.df == pytest.approx(17.776, abs=5e-4)
        assert found.p == pytest.approx(0.07939, abs=5e-6)
        assert found.interval(0.95) == pytest.approx((-3.3654832, 0.2054832), abs=5e-8)

    @given(sample, sample)
    def test_it_is_that_of_statsmodels(self, x, y):
        from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

        assume(not is_constant(x) and not is_constant(y))
        means = CompareMeans(DescrStatsW(y), DescrStatsW(x))
        found = welch(x, y)
        assert (found.t, found.p, found.df) == pytest.approx(means.ttest_ind(usevar="unequal"), rel=1e-9, abs=1e-12)
        for alpha in (0.05, 0.05 / 3, 0.0005):
            low, high = means.tconfint_diff(alpha, usevar="unequal")
            assert found.interval(1 - alpha) == pytest.approx((low, high), rel=1e-9, abs=1e-9)

    @given(sample, sample, st.sampled_from([0.05, 0.05 / 2, 0.05 / 7, 0.01, 0.0005]))
    def test_the_interval_leaves_0_out_where_p_is_below_alpha(self, x, y, alpha):
        assume(not (is_constant(x) and is_constant(y)))
        found = welch(x, y)
        low, high = found.interval(1 - alpha)
        assert (found.p < alpha) is not (low <= 0 <= high)

    @given(sample, sample)
    def test_order_and_sides_change_nothing_but_the_sign(self, x, y):
        assume(not (is_constant(x) and is_constant(y)))
        found, other = welch(x, y), welch(sorted(y, reverse=True), sorted(x))
        assert (found.difference, found.error, found.p) == (-other.difference, other.error, other.p)

    def test_one_side_that_does_not_vary_leaves_the_degrees_of_the_other(self):
        found = welch([1.0, 1.0, 1.0], [1.0, 1.1, 0.9, 1.2])
        assert found.df == pytest.approx(3)

    @given(st.lists(finite, min_size=2, max_size=4), st.lists(finite, min_size=2, max_size=4))
    def test_it_has_an_answer_or_says_why_not_for_all_floats(self, x, y):
        try:
            found = welch(x, y)
        except ValueError:
            return
        assert 0 <= found.p <= 1
        assert found.error > 0

    @pytest.mark.parametrize(
        ("x", "y"),
        [
            ([1.0, 1.0, 1.0], [2.0, 2.0, 2.0]),
            ([0.1 + 0.2] * 3, [0.3] * 3),  # scipy: p = 0 for a difference of 5e-17
            ([0.1 + 0.2, 0.3, 0.3], [0.3, 0.3, 0.1 + 0.2]),
            ([1.0], [1.0, 2.0]),
            ([1.0, math.nan, 2.0], [1.0, 2.0]),
            ([1.0, 2.0], [1.0, math.inf]),
            ([1.7e308, 1.6e308], [-1.7e308, -1.6e308]),
        ],
    )
    def test_there_is_no_p_of_constants_nan_or_single_values(self, x, y):
        with pytest.raises(ValueError, match=r"^no (Welch|t) test"):
            welch(x, y)

    @pytest.mark.parametrize("confidence", [0.0, 1.0, 95, math.nan])
    def test_a_confidence_lies_between_0_and_1(self, confidence):
        with pytest.raises(ValueError, match="no interval of confidence"):
            welch(*SLEEP).interval(confidence)


class TestPairs:
    def test_it_is_that_of_r(self):
        # R: with(sleep, t.test(extra[group == 1], extra[group == 2], paired = TRUE)):
        # t = -4.0621, df = 9, p-value = 0.002833, -2.4598858 -0.7001142
        found = paired(SLEEP[1], SLEEP[0])
        assert (found.difference, found.df) == (pytest.approx(-1.58), 9)
        assert found.t == pytest.approx(-4.0621, abs=5e-5)
        assert found.p == pytest.approx(0.002833, abs=5e-7)
        assert found.interval(0.95) == pytest.approx((-2.4598858, -0.7001142), abs=5e-8)

    @given(pairs)
    def test_it_is_that_of_statsmodels(self, both):
        from statsmodels.stats.weightstats import DescrStatsW

        differences = [b - a for a, b in both]
        assume(not is_constant(differences))
        found, other = paired(*zip(*both, strict=True)), DescrStatsW(differences)
        assert (found.t, found.p, found.df) == pytest.approx(other.ttest_mean(0), rel=1e-9, abs=1e-12)
        assert found.interval(0.99) == pytest.approx(other.tconfint_mean(0.01), rel=1e-9, abs=1e-9)

    @pytest.mark.parametrize(
        ("x", "y"),
        [
            ([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]),
            ([0.1 + 0.2, 0.3, 0.7], [0.3, 0.3, 0.7]),  # differences of float noise alone
            ([1.0], [2.0]),
            ([1.0, 2.0], [1.0, 2.0, 3.0]),
            ([1.0, math.nan], [2.0, 3.0]),
            ([1.7e308, 0.0], [-1.7e308, 0.0]),
        ],
    )
    def test_there_is_no_p_of_differences_that_do_not_vary_or_are_none(self, x, y):
        with pytest.raises(ValueError, match=r"^no paired test"):
            paired(x, y)


class TestFolds:
    def test_a_worked_example(self):
        # mean(d) = 3, s^2 = 2.5, five folds: t = 3 / sqrt(2.5 * (1/5 + 1/4)) = 2 sqrt(2)
        found = nadeau_bengio([0.0] * 5, [1.0, 2.0, 3.0, 4.0, 5.0], 1 / 4)
        assert (found.t, found.df) == (pytest.approx(2 * math.sqrt(2)), 4)

    def test_it_takes_a_claim_back_as_in_scikit_learn_s_example(self):
        # "Statistical comparison of models using grid search" of its user guide, as it prints them: uncorrected t 2.611, p 0.005;
        # corrected t 0.750, p 0.227 (one-sided); 10 x 10 folds, n_test/n_train = 1/9.
        rbf, linear = [gain / 25 for gain in MOONS], [0.0] * 100
        plain, corrected = paired(linear, rbf), nadeau_bengio(linear, rbf, 1 / 9)
        assert (round(plain.t, 3), round(plain.p / 2, 3)) == (2.611, 0.005)
        assert (round(corrected.t, 3), round(corrected.p / 2, 3), corrected.df) == (0.750, 0.227, 99)

    @given(pairs, st.floats(0, 2))
    def test_it_is_the_paired_test_with_a_larger_error(self, both, share):
        x, y = zip(*both, strict=True)
        assume(not is_constant([b - a for a, b in both]))
        plain, corrected = paired(x, y), nadeau_bengio(x, y, share)
        assert corrected.t == pytest.approx(plain.t / math.sqrt(1 + len(both) * share), rel=1e-12)
        assert corrected.p >= plain.p * (1 - 1e-12)

    @pytest.mark.parametrize("share", [-0.1, math.inf, math.nan])
    def test_a_share_is_not_negative(self, share):
        with pytest.raises(ValueError, match="test_share"):
            nadeau_bengio([1.0, 2.0], [1.0, 3.0], share)


class TestEquivalence:
    def test_it_is_that_of_r_s_package_equivalence(self):
        # R: tost(clinic$var1[1:15], clinic$var1[16:30], eps=0.6), quoted there
        found = tost(CLINIC[1], CLINIC[0], 0.6)
        assert found.difference == pytest.approx(0.1646666666666667, rel=1e-12)
        assert (found.low, found.high) == pytest.approx((-0.2666862980722534, 0.596019631405587), rel=1e-12)
        assert found.p == pytest.approx(0.04853083976236974, rel=1e-9)
        assert found.holds

    @pytest.mark.parametrize("margin", [0.5, 2.0, 3.0, 3.2, 5.0])
    def test_it_is_two_one_sided_tests_of_scipy(self, margin):
        from scipy import stats

        x, y = SLEEP
        lower = stats.ttest_ind([one + margin for one in y], x, equal_var=False, alternative="greater").pvalue
        upper = stats.ttest_ind([one - margin for one in y], x, equal_var=False, alternative="less").pvalue
        found = tost(x, y, margin)
        assert found.p == pytest.approx(max(lower, upper), rel=1e-9)
        assert found.holds == (found.p < 0.05)

    @given(sample, sample, st.floats(0.01, 200))
    def test_it_is_that_of_statsmodels(self, x, y, margin):
        from statsmodels.stats.weightstats import ttost_ind

        assume(not is_constant(x) and not is_constant(y))
        p, _, _ = ttost_ind(y, x, -margin, margin, usevar="unequal")
        assert tost(x, y, margin).p == pytest.approx(p, rel=1e-8, abs=1e-12)

    @given(sample, sample, st.sampled_from([0.05, 0.05 / 3, 0.01]))
    def test_its_interval_is_welch_s_of_confidence_1_less_2_alpha(self, x, y, alpha):
        assume(not (is_constant(x) and is_constant(y)))
        found = tost(x, y, 1.0, alpha)
        assert (found.low, found.high) == pytest.approx(welch(x, y).interval(1 - 2 * alpha), rel=1e-9, abs=1e-9)

    def test_values_at_the_margin_are_called_equivalent_in_at_most_5_of_100_studies(self):
        draw = random.Random(7)
        called = sum(
            tost([draw.gauss(0, 1) for _ in range(10)], [draw.gauss(2, 1) for _ in range(5)], 2.0).holds
            for _ in range(2000)
        )
        assert called / 2000 == pytest.approx(0.05, abs=0.015)

    def test_constants_are_no_case_for_a_test(self):
        assert tost([0.0] * 4 + [5e-324], [0.0] * 4 + [5e-324], 0.01).holds  # the deviation is 0 in floats
        assert tost([0.1 + 0.2] * 3, [0.3] * 3, 0.01).holds  # scipy: p = 0 for a difference of 5e-17
        assert tost([1.0] * 3, [2.0] * 3, 0.5) == (1.0, 1.0, 1.0, 1.0, False)
        one_varies = tost([1.0] * 3, [1.0, 1.1, 0.9], 0.5)
        assert one_varies.high - one_varies.difference == pytest.approx(2.919986 * 0.1 / math.sqrt(3), rel=1e-6)

    @given(st.lists(finite, min_size=2, max_size=4), st.lists(finite, min_size=2, max_size=4), st.floats(1e-300, 1e300))
    def test_it_has_an_answer_for_all_floats(self, x, y, margin):
        assert tost(x, y, margin).holds in {True, False}

    @pytest.mark.parametrize(
        "call",
        [
            lambda: tost([1.0], [1.0, 2.0], 1.0),
            lambda: tost([1.0, 2.0], [1.0, 2.0], 0.0),
            lambda: tost([1.0, 2.0], [1.0, 2.0], 1.0, alpha=0.6),
        ],
    )
    def test_what_cannot_be_computed_is_refused(self, call):
        with pytest.raises(ValueError, match=r"^no equivalence from n="):
            call()


def test_a_claim_of_a_difference_is_false_as_often_as_the_procedure_foretells():
    # Normal noise, no true difference: 3.5, 4.4, 4.8 of 100 at n = 3, 5, 10 (simulated elsewhere, 20,000 studies); here 2,000.
    draw = random.Random(1)
    for n, expected in ((3, 0.035), (5, 0.044), (10, 0.048)):
        noise = iter(draw.gauss(0, 1) for _ in itertools.count())
        claims = sum(
            welch(list(itertools.islice(noise, n)), list(itertools.islice(noise, n))).p <= 0.05 for _ in range(2000)
        )
        assert claims / 2000 == pytest.approx(expected, abs=0.015)


def test_differences_are_the_candidate_s_less_the_baseline_s():
    assert welch([1.0, 2.0], [5.0, 7.0]).difference == paired([1.0, 2.0], [5.0, 7.0]).difference == 4.5
    assert mean([5.0, 7.0]) - mean([1.0, 2.0]) == 4.5
