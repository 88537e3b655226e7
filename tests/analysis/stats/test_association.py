"""Rank correlation and eta squared, against SciPy, statsmodels and worked examples."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from exptrack.analysis.stats.association import eta_squared, spearman

small = st.integers(-9, 9).map(float)


def test_the_rank_correlation_of_intelligence_and_television():
    # The worked example of "Spearman's rank correlation coefficient", Wikipedia: rho = -29/165.
    iq = [106, 100, 86, 101, 99, 103, 97, 113, 112, 110]
    hours = [7, 27, 2, 50, 28, 29, 20, 12, 6, 17]
    assert spearman(iq, hours).value == pytest.approx(-29 / 165)


@given(st.lists(st.tuples(small, small), min_size=3, max_size=30))
def test_the_rank_correlation_is_that_of_scipy_and_turns_its_sign_with_its_values(pairs):
    x, y = zip(*pairs, strict=True)
    if min(len({*x}), len({*y})) < 2:
        with pytest.raises(ValueError, match="constant"):
            spearman(x, y)
        return
    found = spearman(x, y)
    assert found.value == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    other = spearman(x, [-value for value in y])
    assert other.value == pytest.approx(-found.value)
    if found.low is not None:
        assert -1 <= found.low <= found.value <= found.high <= 1
        assert (other.low, other.high) == (pytest.approx(-found.high), pytest.approx(-found.low))


def test_the_interval_is_bonett_s_and_wright_s():
    # By hand: r = .5, n = 28: atanh(.5) +/- 1.96 sqrt(1.125/25).
    x = list(range(28))
    y = [*range(28)]
    random.Random(7).shuffle(y)
    found = spearman(x, y)
    reach = stats.norm.ppf(0.975) * math.sqrt((1 + found.value**2 / 2) / 25)
    assert found.low == pytest.approx(math.tanh(math.atanh(found.value) - reach))
    assert found.high == pytest.approx(math.tanh(math.atanh(found.value) + reach))


def test_ranks_that_all_agree_are_not_taken_for_certain():
    found = spearman([1, 2, 3, 4], [1, 2, 3, 4])
    assert (found.value, found.high) == (1, 1)
    assert found.low < 0  # four ranks agree by chance in 1 of 24
    assert spearman(range(10), range(10)).low == pytest.approx(0.93, abs=0.01)
    assert spearman([1, 2, 3], [1, 2, 3]) == (1, None, None)


def test_the_interval_of_ranks_holds_what_it_says():
    generator, inside = random.Random(1), 0
    true = 6 / math.pi * math.asin(0.6 / 2)  # of normal values with correlation .6
    for _ in range(1000):
        x = [generator.gauss(0, 1) for _ in range(20)]
        y = [0.6 * value + 0.8 * generator.gauss(0, 1) for value in x]
        found = spearman(x, y)
        inside += found.low <= true <= found.high
    assert inside >= 925


def test_eta_squared_of_a_worked_example():
    # Means 5, 9, 10 of six each ("One-way analysis of variance", Wikipedia): SS between 84, within 68, F = 9.3.
    groups = [[6, 8, 4, 5, 3, 4], [8, 12, 9, 11, 6, 8], [13, 9, 11, 8, 7, 12]]
    assert eta_squared(groups).value == pytest.approx(84 / 152)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(small, min_size=2, max_size=8), min_size=2, max_size=5))
def test_eta_squared_and_its_interval_are_those_of_statsmodels(groups):
    from statsmodels.stats.effect_size import _noncentrality_f

    values = [value for one in groups for value in one]
    if len({*values}) < 2:
        with pytest.raises(ValueError, match="values that differ"):
            eta_squared(groups)
        return
    found = eta_squared(groups)
    mean = sum(values) / len(values)
    within = sum(sum((value - sum(one) / len(one)) ** 2 for value in one) for one in groups)
    total = sum((value - mean) ** 2 for value in values)
    assert found.value == pytest.approx(1 - within / total, abs=1e-9)
    if within < 1e-9:
        assert (found.low, found.high) == (None, None)
        return
    df = len(groups) - 1, len(values) - len(groups)
    f = stats.f_oneway(*groups).statistic
    if not 1 <= f < 200:
        assert 0 <= found.low <= found.value <= found.high <= 1
        return
    ends = _noncentrality_f(f, *df, alpha=0.05).confint
    low, high = (end / (end + len(values)) for end in ends)
    # statsmodels stops its search a little early.
    assert found.low == pytest.approx(max(0, min(low, found.value)), abs=3e-4)
    assert found.high == pytest.approx(max(high, found.value), abs=3e-4)


def test_the_ends_of_the_interval_are_those_of_the_sum_that_the_noncentral_f_is():
    groups = [[0, 0], [-7, -9]]
    found, f = eta_squared(groups), stats.f_oneway(*groups).statistic
    for end, p in ((found.low, 0.975), (found.high, 0.025)):
        half = 4 * end / (1 - end) / 2
        weights = (math.exp(-half + j * math.log(half) - math.lgamma(j + 1)) for j in range(1000))
        below = sum(weight * special.betainc(0.5 + j, 1.0, f / (f + 2)) for j, weight in enumerate(weights))
        assert below == pytest.approx(p, abs=1e-9)


def test_eta_squared_is_the_same_in_whatever_order_and_unit():
    groups = [[1, 2, 3.5], [4, 5, 7], [2, 2.5]]
    found = eta_squared(groups)
    assert eta_squared([one[::-1] for one in groups[::-1]]) == pytest.approx(found)
    for unit in (1e-200, 1e200):
        assert eta_squared([[value * unit for value in one] for one in groups]) == pytest.approx(found)


@pytest.mark.parametrize("groups", [[[1, 2, 3]], [[1], [2]], [[1, 1], [1, 1]], [[1, math.nan], [2, 3]], [[], [1, 2]]])
def test_no_share_is_made_of_what_has_none(groups):
    with pytest.raises(ValueError, match="no share of the variance"):
        eta_squared(groups)


def test_groups_that_nearly_do_not_vary_have_an_interval_that_holds_their_share():
    found = eta_squared([[0, 1e-7], [1, 1 + 1e-7], [2, 2 + 1e-7]])
    assert found.low <= found.value <= found.high <= 1
    assert found.low > 0.9
