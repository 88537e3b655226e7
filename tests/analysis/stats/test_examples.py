"""Two models on the same examples: intervals of the difference, against the plain bootstrap and the formula of large samples."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exptrack.analysis.stats.examples import bootstrap_counts, share_error
from exptrack.analysis.stats.resampling import paired_bootstrap


def test_the_error_of_accuracy_is_that_of_the_method():
    # STATISTICS 3.7: 0.3 pp at p = .9 and N = 10,000.
    assert share_error(0.9, 10_000) == pytest.approx(0.003)
    assert share_error(1.0, 5) == 0


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_error_of_a_share_is_that_of_statsmodels(right, wrong):
    from statsmodels.stats.proportion import proportion_confint

    if not (right and wrong):
        return
    share, n = right / (right + wrong), right + wrong
    low, high = proportion_confint(right, n, alpha=0.05, method="normal")
    reach = 1.959963984540054 * share_error(share, n)
    assert (low, high) == pytest.approx((max(0, share - reach), min(1, share + reach)), abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(120, 5000))
def test_the_interval_is_wald_s_in_large_samples_and_turns_with_the_models(b, c, n):
    found = bootstrap_counts(b, c, n)
    assert found.value == (c - b) / n
    assert found.low <= found.value <= found.high
    other = bootstrap_counts(c, b, n)
    assert (other.low, other.high) == (pytest.approx(-found.high), pytest.approx(-found.low))
    if b + c > 30:
        error = math.sqrt((b + c) / n - ((c - b) / n) ** 2) / math.sqrt(n)
        assert found.low == pytest.approx(found.value - 1.96 * error, abs=0.2 * error + 1.01 / n)
        assert found.high == pytest.approx(found.value + 1.96 * error, abs=0.2 * error + 1.01 / n)


def test_drawing_counts_is_drawing_examples():
    x = [1.0] * 50 + [1.0] * 12 + [0.0] * 20 + [0.0] * 18
    y = [1.0] * 50 + [0.0] * 12 + [1.0] * 20 + [0.0] * 18
    slow = paired_bootstrap(x, y, lambda a, b: float((b - a).mean()))
    assert bootstrap_counts(12, 20, 100) == pytest.approx(slow, abs=0.011)


@pytest.mark.parametrize("counts", [(-1, 2, 9), (5, 5, 9), (0, 0, 0), (1, 1, 9, 0)])
def test_what_are_no_counts_is_refused(counts):
    with pytest.raises(ValueError, match="no interval from"):
        bootstrap_counts(*counts)
    with pytest.raises(ValueError, match="no standard error"):
        share_error(1.5, 3)
