"""Bartlett's test of equal variances, against R and SciPy."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exptrack.analysis.stats.plain import is_constant
from exptrack.analysis.stats.student import bartlett

number = st.integers(-1000, 1000).map(lambda whole: whole / 16)
sample = st.lists(number, min_size=2, max_size=12)

# R's `InsectSprays` (Beall 1942): insects counted after each of six sprays.
SPRAYS = (
    [10, 7, 20, 14, 14, 12, 10, 23, 17, 20, 14, 13],
    [11, 17, 21, 11, 16, 14, 17, 17, 19, 21, 7, 13],
    [0, 1, 7, 2, 3, 1, 2, 1, 3, 0, 1, 4],
    [3, 5, 12, 6, 4, 3, 5, 5, 5, 5, 2, 4],
    [3, 5, 3, 5, 3, 6, 1, 1, 3, 2, 6, 4],
    [11, 9, 15, 22, 15, 16, 13, 10, 26, 26, 24, 13],
)


class TestBartlett:
    def test_it_is_that_of_r(self):
        # R: bartlett.test(count ~ spray, InsectSprays): Bartlett's K-squared = 25.96, df = 5, p-value = 9.085e-05
        assert bartlett(SPRAYS) == pytest.approx(9.085e-05, rel=1e-4)

    @given(st.lists(sample, min_size=2, max_size=6))
    def test_it_is_that_of_scipy(self, groups):
        from scipy import stats

        assume(not any(is_constant(group) for group in groups))
        assert bartlett(groups) == pytest.approx(stats.bartlett(*groups).pvalue, rel=1e-7, abs=1e-12)

    @given(st.lists(sample, min_size=2, max_size=4), st.sampled_from([1e-200, 1e-3, 1e200]))
    def test_units_and_order_do_not_matter(self, groups, unit):
        assume(not all(is_constant(group) for group in groups))
        scaled = [[one * unit for one in group] for group in reversed(groups)]
        assert bartlett(scaled) == pytest.approx(bartlett(groups), rel=1e-6, abs=1e-12)

    @given(st.lists(number, min_size=2, max_size=12), st.lists(number, min_size=2, max_size=5))
    def test_groups_that_vary_alike_do_not_differ(self, group, offsets):
        assume(not is_constant(group))
        assert bartlett([[one + offset for one in group] for offset in offsets]) == pytest.approx(1, abs=1e-5)

    def test_a_group_that_does_not_vary_beside_one_that_does_is_a_difference(self):
        assert bartlett([[0.3, 0.1 + 0.2, 0.3], [1.0, 2.0, 3.0]]) == 0.0

    @pytest.mark.parametrize(
        "groups",
        [
            [],
            [[1.0, 2.0]],
            [[1.0, 2.0], [1.0]],
            [[1.0, 2.0], [1.0, math.nan]],
            [[1.0, 1.0], [2.0, 2.0]],
        ],
    )
    def test_what_cannot_be_computed_is_refused(self, groups):
        with pytest.raises(ValueError, match=r"^no Bartlett test"):
            bartlett(groups)
