"""Ranks and permutations, against Demsar 2006, Fisher 1935 and R, against SciPy, and against all ways counted one by one."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from exptrack.analysis.stats.corrections import holm
from exptrack.analysis.stats.ranks import friedman, friedman_against, mann_whitney, permutation, sign_flips, wilcoxon

number = st.integers(-8, 8).map(lambda whole: whole / 8)  # few enough for ties
sample = st.lists(number, min_size=1, max_size=5)
pairs = st.lists(st.tuples(number, number), min_size=1, max_size=8)

# Demsar 2006, table 6: AUC of C4.5, with m, with cf and with both tuned, on 14 datasets. The two equal ones of the 13th have ranks 2 and 3
# there (they are rounded), so that a digit is added here.
DEMSAR = (
    (0.763, 0.768, 0.771, 0.798),
    (0.599, 0.591, 0.590, 0.569),
    (0.954, 0.971, 0.968, 0.967),
    (0.628, 0.661, 0.654, 0.657),
    (0.882, 0.888, 0.886, 0.898),
    (0.936, 0.931, 0.916, 0.931),
    (0.661, 0.668, 0.609, 0.685),
    (0.583, 0.583, 0.563, 0.625),
    (0.775, 0.838, 0.866, 0.875),
    (1.000, 1.000, 1.000, 1.000),
    (0.940, 0.962, 0.965, 0.962),
    (0.619, 0.666, 0.614, 0.669),
    (0.972, 0.981, 0.9751, 0.975),
    (0.957, 0.978, 0.946, 0.970),
)
# Darwin's maize, crossed less self-fertilised, in eighths of an inch (Fisher 1935).
MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]


def test_wilcoxon_on_demsar_s_datasets():
    # Section 3.1.3: R+ = 93, R- = 12, so that T = 12 is below the critical 21.
    found = wilcoxon([row[0] for row in DEMSAR], [row[1] for row in DEMSAR])
    assert (found.plus, found.minus) == (93, 12)
    assert found.is_exact
    assert found.p < 0.05


def test_friedman_on_demsar_s_datasets():
    # Section 3.2: mean ranks, chi-squared with 3 and F with (3, 39) degrees of freedom.
    found = friedman(DEMSAR)
    assert found.ranks == pytest.approx((3.143, 2.000, 2.893, 1.964), abs=5e-4)
    assert found.chi2 == pytest.approx(9.28, abs=5e-3)
    assert found[2] == pytest.approx(3.69, abs=5e-3)
    assert found.p == pytest.approx(stats.chi2.sf(9.28, 3), rel=2e-3)
    assert found.p_F == pytest.approx(stats.f.sf(3.69, 3, 39), rel=5e-3)


def test_demsar_s_classifiers_beside_a_control():
    # Section 3.2: z and p of each beside C4.5; Holm rejects the two with m at 0.05, but not cf alone.
    found = {one.column: one for one in friedman_against(DEMSAR, 0)}
    assert [found[column].z for column in (3, 1, 2)] == pytest.approx([-2.416, -2.342, -0.512], abs=1e-3)
    # The third p is 0.6084 by the z that he prints (0.512), too.
    assert [found[column].p for column in (3, 1, 2)] == pytest.approx([0.016, 0.019, 0.607], abs=2e-3)
    assert [p <= 0.05 for p in holm([found[column].p for column in (3, 1, 2)])] == [True, True, False]


def test_sign_flips_of_darwin_s_maize_are_fisher_s():
    assert sign_flips([0] * 15, MAIZE) == (pytest.approx(314 / 15), 1726 / 32768, True)


def test_ranks_are_those_of_r_s_examples():
    # R: ?wilcox.test, Hollander and Wolfe 1973: depression (V = 40, one-sided p-value = 0.01953), permeability (W = 35, p-value = 0.1272).
    first = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    second = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    assert wilcoxon(second, first) == (40, 5, pytest.approx(2 * 0.01953, abs=1e-5), True)
    term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    early = [1.15, 0.88, 0.90, 0.74, 1.21]
    assert mann_whitney(early, term) == (35, pytest.approx(2 * 0.1272, abs=1e-4), True)


@pytest.mark.parametrize(("n", "p"), [(3, 0.1), (4, 2 / 70), (5, 2 / 252)])
def test_runs_apart_have_the_smallest_p_there_is(n, p):
    x, y = list(range(n)), list(range(10, 10 + n))
    assert permutation(x, y).p == mann_whitney(x, y).p == pytest.approx(p)


@pytest.mark.parametrize(("n", "p"), [(3, 0.25), (5, 0.0625), (6, 0.03125)])
def test_pairs_that_all_gain_have_the_smallest_p_there_is(n, p):
    assert sign_flips([0] * n, range(1, n + 1)).p == wilcoxon([0] * n, range(1, n + 1)).p == p


def test_a_tie_at_three_beside_three_stays_exact():
    assert mann_whitney([1, 2, 3], [3.5, 4, 4]).p == 0.1  # scipy's own choice: 0.0765
    assert stats.mannwhitneyu([1, 2, 3], [3.5, 4, 4]).pvalue == pytest.approx(0.0765, abs=1e-4)


@given(sample, sample)
def test_shuffles_of_two_samples_are_counted_one_by_one(x, y):
    pool, ways = [*x, *y], list(itertools.combinations(range(len(x) + len(y)), len(y)))
    ranked = stats.rankdata(pool)
    for values, found in ((pool, permutation(x, y)), (ranked, mann_whitney(x, y))):
        middle = len(y) * sum(values) / len(values)
        far = [abs(sum(values[place] for place in way) - middle) for way in ways]
        seen = abs(sum(values[len(x) :]) - middle)
        assert found.p == pytest.approx(sum(one >= seen - 1e-9 for one in far) / len(ways), abs=1e-12)
        assert found.is_exact
    u = sum((b > a) + (b == a) / 2 for a in x for b in y)
    assert mann_whitney(x, y).u == u


@given(pairs)
def test_signs_of_pairs_are_counted_one_by_one(pairs):
    x, y = zip(*pairs, strict=True)
    gains = [b - a for a, b in pairs]
    ranked = stats.rankdata([abs(gain) for gain in gains])
    signed = [math.copysign(rank, gain) if gain else 0 for rank, gain in zip(ranked, gains, strict=True)]
    for values, found in ((gains, sign_flips(x, y)), (signed, wilcoxon(x, y))):
        every = [
            abs(sum(sign * value for sign, value in zip(signs, values, strict=True)))
            for signs in itertools.product((-1, 1), repeat=len(values))
        ]
        assert found.p == pytest.approx(sum(one >= abs(sum(values)) - 1e-9 for one in every) / len(every), abs=1e-12)
    found = wilcoxon(x, y)
    assert found.plus - found.minus == pytest.approx(sum(signed))
    assert found.plus + found.minus == len(pairs) * (len(pairs) + 1) / 2


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 10**6))
def test_without_ties_ranks_are_scipy_s_exact_ones(n, m, seed):
    values = random.Random(seed).sample(range(1, 1000), n + m)
    x, y = values[:n], values[n:]
    theirs = stats.mannwhitneyu(y, x, method="exact")
    found = mann_whitney(x, y)
    assert (found.u, found.p) == (theirs.statistic, pytest.approx(theirs.pvalue))
    assert wilcoxon([0] * n, x).p == pytest.approx(stats.wilcoxon(x, method="exact").pvalue)


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_of_many_values_the_p_is_estimated_well(shift):
    draw = random.Random(11)
    x, y = [draw.gauss(0, 1) for _ in range(80)], [draw.gauss(shift, 1) for _ in range(80)]
    # Close to what the t tests say of so many normal values.
    assert permutation(x, y).p == pytest.approx(stats.ttest_ind(x, y).pvalue, abs=0.01)
    assert sign_flips(x, y).p == pytest.approx(stats.ttest_rel(x, y).pvalue, abs=0.01)
    x, y = ([round(value, 1) for value in values] for values in (x, y))
    assert mann_whitney(x, y).p == pytest.approx(stats.mannwhitneyu(x, y, method="asymptotic").pvalue, rel=1e-9)
    assert not any(test(x, y).is_exact for test in (permutation, sign_flips, mann_whitney))
    gains = [round(draw.gauss(shift, 1), 1) for _ in range(150)]
    theirs = stats.wilcoxon(gains, zero_method="pratt", method="approx").pvalue
    assert wilcoxon([0.0] * 150, gains).p == pytest.approx(theirs, rel=1e-6)


def test_exact_and_estimated_agree_where_they_meet():
    draw = random.Random(4)
    x, y = [draw.gauss(0, 1) for _ in range(16)], [draw.gauss(0.5, 1) for _ in range(17)]
    assert permutation(x[:-1], y).is_exact
    assert permutation(x, y).p == pytest.approx(permutation(x, y, draws=200_000).p, abs=0.01)
    x, y = [draw.gauss(0, 1) for _ in range(50)], [draw.gauss(0.3, 1) for _ in range(51)]
    exact, normal = mann_whitney(x, y[:50]), mann_whitney(x, y)
    assert (exact.is_exact, normal.is_exact) == (True, False)
    assert exact.p == pytest.approx(stats.mannwhitneyu(x, y[:50], method="exact").pvalue, rel=1e-9)
    assert normal.p == pytest.approx(stats.mannwhitneyu(x, y, method="exact").pvalue, abs=1e-3)
    assert permutation([0.0] * 40, [100.0] * 40).p == 1 / 20_001  # never 0


number_of_runs = st.lists(st.floats(-1e3, 1e3), min_size=17, max_size=20)


@settings(max_examples=10, deadline=None)
@given(number_of_runs, number_of_runs, st.randoms(use_true_random=False))
def test_order_sides_and_sign_change_no_p(x, y, draw):
    shuffled = draw.sample(x, len(x))
    negative = [-value for value in x], [-value for value in y]
    # The two samples of test and estimate; sides may only be exchanged where the sizes are the same, or the smaller is drawn.
    for test in (permutation, mann_whitney):
        assert test(shuffled, y).p == test(x, y).p == test(y, x).p == test(*negative).p
    size = min(len(x), len(y))
    x, y = x[:size], y[:size]
    order = draw.sample(range(size), size)
    for test in (sign_flips, wilcoxon):
        p = test(x, y).p
        assert test([x[place] for place in order], [y[place] for place in order]).p == p
        assert test(y, x).p == p


@given(pairs, st.sampled_from([1e-300, 1e-9, 1e9, 1e300]))
def test_the_unit_changes_nothing(pairs, scale):
    x, y = zip(*pairs, strict=True)
    scaled = [value * scale for value in x], [value * scale for value in y]
    for test in (permutation, sign_flips, mann_whitney, wilcoxon):
        assert test(*scaled).p == test(x, y).p


def test_differences_that_differ_by_float_noise_are_ties():
    x, y = [0.1, 0.2, 0.3, 0.7, 0.5], [0.2, 0.1, 0.4, 0.8, 0.1 + 0.4]
    assert len({abs(b - a) for a, b in zip(x, y, strict=True)}) > 2
    # Ranks: one zero (1, split), and four that share 3.5.
    assert wilcoxon(x, y)[:2] == (3 * 3.5 + 0.5, 3.5 + 0.5)
    assert mann_whitney([0.3], [0.1 + 0.2]).u == 0.5
    assert friedman([[0.3, 0.1 + 0.2, 0.0], [1, 2, 3]]).ranks == (2.25, 1.75, 2.0)


def test_a_failed_run_may_be_ranked_worst():
    assert mann_whitney([1.0, 2.0, -math.inf, -math.inf], [3.0, 4.0, 5.0, -math.inf]).u == 2 * 3 + 2 * 3 + 2 * 0.5
    assert mann_whitney([-math.inf] * 3, [math.inf] * 3).p == 0.1


@given(st.lists(st.permutations([1, 2, 3, 4]), min_size=2, max_size=10))
def test_friedman_without_ties_is_scipy_s(table):
    found, theirs = friedman(table), stats.friedmanchisquare(*zip(*table, strict=True))
    assert (found.chi2, found.p) == (pytest.approx(theirs.statistic), pytest.approx(theirs.pvalue))
    assert sum(found.ranks) == pytest.approx(10)
    n = len(table)
    if found.chi2 < 3 * n - 1e-9:
        ratio = (n - 1) * theirs.statistic / (n * 3 - theirs.statistic)
        assert (found.F, found.p_F) == (pytest.approx(ratio), pytest.approx(stats.f.sf(ratio, 3, 3 * (n - 1))))
    else:
        assert (found.F, found.p_F) == (math.inf, pytest.approx(24.0 ** (1 - n)))


@given(st.lists(st.lists(number, min_size=3, max_size=3), min_size=2, max_size=8))
def test_with_ties_friedman_claims_no_more_than_scipy(table):
    assume(any(len(set(row)) > 1 for row in table))
    found, theirs = friedman(table), stats.friedmanchisquare(*zip(*table, strict=True))
    assert found.p >= theirs.pvalue - 1e-12
    # SciPy divides by the share that ties leave: 1 - sum(t^3 - t)/(N k (k^2 - 1)).
    ties = sum(count**3 - count for row in table for count in Counter(row).values())
    assert found.chi2 == pytest.approx(theirs.statistic * (1 - ties / (len(table) * 24)))
    for column, z, p in friedman_against(table, 1):
        assert z == pytest.approx((found.ranks[column] - found.ranks[1]) / math.sqrt(12 / (6 * len(table))))
        assert p == pytest.approx(2 * stats.norm.sf(abs(z)))


def test_where_nothing_differs_no_test_finds_a_difference():
    same = [0.5, 0.6, 0.7]
    assert wilcoxon(same, same) == (3, 3, 1, True)
    assert sign_flips(same, same).p == mann_whitney(same, same).p == permutation([1.0] * 3, [1.0] * 3).p == 1
    assert mann_whitney([1.0] * 60, [1.0] * 60).p == 1
    assert friedman([[1, 1, 1], [2, 2, 2]])[:4] == (0, 1, 0, 1)


@pytest.mark.parametrize(
    "call",
    [
        lambda: wilcoxon([], []),
        lambda: wilcoxon([1.0], [1.0, 2.0]),
        lambda: wilcoxon([math.nan], [1.0]),
        lambda: sign_flips([1.0], [math.inf]),
        lambda: sign_flips([1.0], [2.0], draws=0),
        lambda: permutation([], [1.0]),
        lambda: permutation([math.nan], [1.0]),
        lambda: mann_whitney([], [1.0]),
        lambda: mann_whitney([math.nan], [1.0]),
        lambda: friedman([[1.0, 2.0]]),
        lambda: friedman([]),
        lambda: friedman([[1.0], [2.0]]),
        lambda: friedman([[1.0, 2.0], [1.0]]),
        lambda: friedman([[1.0, 2.0], [1.0, math.nan]]),
        lambda: friedman_against([[1.0, 2.0], [1.0, 3.0]], 2),
    ],
)
def test_what_cannot_be_ranked_is_refused(call):
    with pytest.raises(ValueError, match=r"^no "):
        call()
