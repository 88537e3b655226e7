"""Exact tests of counts, against R, statsmodels and SciPy."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exptrack.analysis.stats.counts import fisher, mcnemar

count = st.integers(0, 40)


def test_mcnemar_is_that_of_r_on_agresti_s_approval_ratings():
    # R: exact2x2::mcnemar.exact, and binom.test(86, 236): p-value = 3.716e-05 (Agresti 1990, p. 350, data of ?mcnemar.test).
    assert mcnemar(150, 86) == pytest.approx(3.716e-05, abs=5e-9)


@pytest.mark.parametrize(("b", "c", "p"), [(0, 0, 1), (3, 3, 1), (0, 5, 0.0625), (0, 6, 0.03125), (1, 2, 1)])
def test_mcnemar_of_few_examples_is_counted_by_hand(b, c, p):
    assert mcnemar(b, c) == mcnemar(c, b) == p


@given(st.integers(0, 300), st.integers(0, 300))
@example(1000, 900)
def test_mcnemar_is_the_binomial_test(b, c):
    exact = min(Fraction(1), 2 * Fraction(sum(comb(b + c, i) for i in range(min(b, c) + 1)), 2 ** (b + c)))
    assert mcnemar(b, c) == pytest.approx(float(exact), rel=1e-11)


@given(count, count)
def test_mcnemar_is_that_of_statsmodels(b, c):
    from statsmodels.stats.contingency_tables import mcnemar as theirs

    assert mcnemar(b, c) == pytest.approx(theirs([[7, b], [c, 7]], exact=True).pvalue, rel=1e-9)


def test_the_lady_tasting_tea():
    # R: fisher.test(TeaTasting): 3 of the 4 cups found, p-value = 0.4857; all four: 2 of 70 ways.
    assert fisher(3, 4, 1, 4) == pytest.approx(34 / 70)
    assert fisher(4, 4, 0, 4) == pytest.approx(2 / 70)


def test_convictions_of_twins():
    # Fisher 1962 in R's ?fisher.test: 2 of 17 dizygotic and 10 of 13 monozygotic: p-value = 0.0005367.
    assert fisher(2, 17, 10, 13) == pytest.approx(0.0005367, abs=5e-8)


def test_three_failures_of_ten_beside_none_are_no_proof():
    assert fisher(3, 10, 0, 10) == pytest.approx(2 * comb(10, 3) / comb(20, 3))


@given(count, count, count, count)
def test_fisher_is_that_of_scipy(a, b, c, d):
    from scipy.stats import fisher_exact

    assert fisher(a, a + b, c, c + d) == pytest.approx(fisher_exact([[a, b], [c, d]]).pvalue, rel=1e-6)
    assert fisher(c, c + d, a, a + b) == fisher(a, a + b, c, c + d) == fisher(b, a + b, d, c + d)


def test_thousands_are_counted_too():
    from scipy.stats import fisher_exact

    assert fisher(300, 5000, 400, 5000) == pytest.approx(fisher_exact([[300, 4700], [400, 4600]]).pvalue, rel=1e-6)


@pytest.mark.parametrize("call", [lambda: mcnemar(-1, 2), lambda: fisher(3, 2, 0, 2), lambda: fisher(0, 2, -1, 2)])
def test_what_are_no_counts_is_refused(call):
    with pytest.raises(ValueError, match=r"^no (McNemar|Fisher)'s test of"):
        call()
