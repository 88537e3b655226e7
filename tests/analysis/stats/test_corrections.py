"""Corrections for several comparisons, against R's vectors and statsmodels."""

from __future__ import annotations

import math
from statistics import NormalDist

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from exptrack.analysis.stats.corrections import benjamini_hochberg, holm, holm_confidences

probability = st.floats(0, 1) | st.sampled_from([0.0, 0.01, 0.025, 0.05, 1.0])

# From statsmodels' test_multi.py, where R's multtest made them (mt.rawp2adjp): p, Holm, BH. The p-values are not sorted.
MULTTEST = (
    (0.838541367553, 1.0, 0.93171263061444454),
    (0.642193923795, 1.0, 0.89533672797500008),
    (0.680845947633, 1.0, 0.89533672797500008),
    (0.967833824309, 1.0, 0.967833824309),
    (0.71626938238, 1.0, 0.89533672797500008),
    (0.177096952723, 1.0, 0.35419390544599999),
    (5.23656777208e-005, 5.2365677720800005e-04, 5.2365677720800005e-04),
    (0.0202732688798, 0.14191288215860001, 0.050683172199499998),
    (0.00028140506198, 0.0025326455578199999, 0.0014070253098999999),
    (0.0149877310796, 0.11990184863680001, 0.049959103598666670),
)
# Demsar 2006, section 3.2: three classifiers beside C4.5; Holm rejects at 0.05 those at .016 and .019, not as .05/3 and .05/2 have it.
DEMSAR = (0.016, 0.607, 0.019)


def test_adjusted_values_are_those_of_r_in_the_order_given():
    ps, by_holm, by_bh = zip(*MULTTEST, strict=True)
    assert holm(ps) == pytest.approx(by_holm, rel=1e-12)
    assert benjamini_hochberg(ps) == pytest.approx(by_bh, rel=1e-12)


def test_adjusted_values_of_a_few_are_those_of_p_adjust():
    # By R's p.adjust, methods holm and BH.
    assert holm([0.05, 0.03, 0.01, 0.5]) == pytest.approx((0.1, 0.09, 0.04, 0.5))
    assert benjamini_hochberg([0.05, 0.03, 0.01, 0.5]) == pytest.approx((0.0666667, 0.06, 0.04, 0.5), abs=1e-7)


@settings(max_examples=25, deadline=None)
@given(st.lists(probability, min_size=1, max_size=30))
def test_adjusted_values_are_those_of_statsmodels(ps):
    assert holm(ps) == pytest.approx(multipletests(ps, method="holm")[1], rel=1e-12, abs=1e-300)
    assert benjamini_hochberg(ps) == pytest.approx(multipletests(ps, method="fdr_bh")[1], rel=1e-12, abs=1e-300)


@given(st.lists(probability, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_the_p_values_changes_nothing(ps, draw):
    order = list(range(len(ps)))
    draw.shuffle(order)
    shuffled = [ps[place] for place in order]
    for correct in (holm, benjamini_hochberg, lambda values: holm_confidences(values, 0.05)):
        assert correct(shuffled) == tuple(correct(ps)[place] for place in order)


def test_intervals_have_the_confidence_of_their_step():
    assert holm_confidences(DEMSAR, 0.05) == pytest.approx((1 - 0.05 / 3, 0.95, 1 - 0.05 / 2))
    assert holm_confidences((0.5, 0.01), 0.05) == pytest.approx((0.95, 0.975))
    assert holm_confidences((0.5, 0.03, 0.4), 0.05) == pytest.approx([1 - 0.05 / 3] * 3)
    assert holm_confidences((0.01, 0.02), 0.05) == pytest.approx((0.975, 0.95))
    assert holm_confidences((0.01, 0.01), 0.05) == pytest.approx((0.975, 0.975))
    assert holm_confidences((), 0.05) == ()


@given(
    st.lists(st.floats(1e-12, 1) | st.sampled_from([0.01, 0.025, 0.05]), min_size=1, max_size=12),
    st.sampled_from([0.01, 0.05, 0.2]),
)
@example([0.025, 0.05, 0.05], 0.05)
def test_an_interval_leaves_zero_out_exactly_if_holm_rejects(ps, alpha):
    for p, adjusted, confidence in zip(ps, holm(ps), holm_confidences(ps, alpha), strict=True):
        # A normal estimate of this p, in standard errors, and the half width of its interval.
        estimate, half = -NormalDist().inv_cdf(p / 2), NormalDist().inv_cdf((1 + confidence) / 2)
        if not math.isclose(estimate, half, rel_tol=1e-9):
            assert (estimate > half) == (adjusted <= alpha)


@pytest.mark.parametrize("ps", [[0.1, math.nan], [-0.1], [1.1], [math.inf]])
def test_what_is_no_p_value_is_refused(ps):
    for correct in (holm, benjamini_hochberg, lambda values: holm_confidences(values, 0.05)):
        with pytest.raises(ValueError, match="no correction of what is no p-value"):
            correct(ps)


@pytest.mark.parametrize("alpha", [0.0, 1.0, math.nan])
def test_what_is_no_alpha_is_refused(alpha):
    with pytest.raises(ValueError, match="alpha is"):
        holm_confidences([0.1], alpha)
