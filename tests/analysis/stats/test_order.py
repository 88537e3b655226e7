"""The best of several, against printed tables and by going through all draws."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exptrack.analysis.stats.order import expected_max, winners_curse


@pytest.mark.parametrize(
    ("k", "value"),
    [
        (1, 0.0),
        (2, 0.56419),
        (3, 0.84628),
        (4, 1.02938),
        (5, 1.16296),
        (10, 1.53875),
        (20, 1.86748),
        (50, 2.24907),
        (100, 2.50759),
    ],
)
def test_the_largest_of_normal_values_is_that_of_the_tables(k, value):
    # Tippett 1925; Harter 1961, Expected values of normal order statistics, table 1
    assert expected_max(k) == pytest.approx(value, abs=6e-6)


def test_small_numbers_have_a_closed_form():
    # Jones 1948, Exact lower moments of order statistics in small samples from a normal distribution
    assert expected_max(2) == pytest.approx(1 / math.sqrt(math.pi), rel=1e-12)
    assert expected_max(3) == pytest.approx(1.5 / math.sqrt(math.pi), rel=1e-12)


@settings(max_examples=25)
@given(st.integers(1, 1_000_000))
def test_it_is_the_integral_that_scipy_finds(k):
    from scipy import integrate, special

    # E[max] = integral of 1 - Phi^k over z > 0, less that of Phi^k over z < 0
    above, _ = integrate.quad(lambda z: -math.expm1(k * special.log_ndtr(z)), 0, 12, limit=200, epsabs=1e-12)
    below, _ = integrate.quad(lambda z: math.exp(k * special.log_ndtr(z)), -12, 0, limit=200, epsabs=1e-12)
    assert expected_max(k) == pytest.approx(above - below, abs=1e-9)


def test_noise_alone_makes_a_winner():
    # 20 configurations of 3 runs: 1.08 standard deviations; simulated 1.07
    assert winners_curse(20, 1.0, 3) == pytest.approx(1.08, abs=5e-3)
    assert winners_curse(20, 0.01, 3) == pytest.approx(0.0108, abs=5e-5)
    assert winners_curse(1, 1.0, 3) == pytest.approx(0, abs=1e-12)
    assert winners_curse(20, 0.0, 3) == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: expected_max(0),
        lambda: winners_curse(0, 1.0, 3),
        lambda: winners_curse(3, 1.0, 0),
        lambda: winners_curse(3, math.nan, 3),
    ],
)
def test_what_cannot_be_computed_is_refused(call):
    with pytest.raises(ValueError, match=r"^no "):
        call()
