"""A thinned history shows what the whole does: where it began, its extremes, what was not finite, and where it ended."""

from __future__ import annotations

from math import inf, isfinite, nan

from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.points import Point, Points
from exptrack.analysis.thinning import thin

VALUES = st.lists(st.floats() | st.sampled_from([nan, inf, 0.0, 1.0]), max_size=300)


def _points(values: list[float]) -> Points:
    return Points(Point(float(step), step, value, step // 10) for step, value in enumerate(values))


@given(VALUES, st.integers(5, 60))
def test_it_keeps_first_last_least_greatest_and_what_is_not_finite(values, most):
    whole = _points(values)
    thinned = thin(whole, most)
    assert len(thinned) <= max(most, 0)
    kept = [point.step for point in thinned]
    assert kept == sorted(set(kept)), "in the order in which they were logged, each once"
    assert all(repr(point) == repr(whole[point.step]) for point in thinned)
    if not values:
        return
    assert kept[0] == 0
    assert kept[-1] == len(values) - 1
    finite, left = [value for value in values if isfinite(value)], [one.value for one in thinned if isfinite(one.value)]
    assert min(finite, default=None) == min(left, default=None)
    assert max(finite, default=None) == max(left, default=None)
    first = next((step for step, value in enumerate(values) if not isfinite(value)), None)
    assert first is None or first in kept


@given(VALUES)
def test_a_short_history_stays_as_it_is(values):
    whole = _points(values)
    assert thin(whole, 300) is whole
    assert whole.is_whole


def test_a_long_one_comes_to_two_thousand_points():
    whole = _points([(7919 * step % 10007) / 10007 for step in range(100_000)])
    thinned = thin(whole)
    assert 1000 < len(thinned) <= 2000
    assert not thinned.is_whole
    whole.values[40_000] = nan
    assert 1000 < len(thin(whole)) <= 2000
