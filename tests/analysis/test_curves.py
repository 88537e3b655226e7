"""Curves: places on an axis, smoothing as TensorBoard's, and mean and band over replicates."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.curves import (
    Axis,
    Band,
    Curve,
    Series,
    draw_band,
    is_drawable,
    make_series,
    smooth,
    split_drawable,
    thin,
    thin_band,
    thin_line,
)
from exptrack.analysis.points import Point, Points

FINITE = st.floats(-1e6, 1e6)


def series(*ys, xs=None):
    return Series(tuple(map(float, range(len(ys)) if xs is None else xs)), tuple(map(float, ys)))


def banded(*runs, band=Band.INTERVAL, weight=0.0):
    """Each run a unit of its own."""
    return draw_band("c", [[(f"r{place}", one)] for place, one in enumerate(runs)], band, weight)


class TestSmoothing:
    def test_it_is_the_moving_average_without_the_bias_of_its_start(self):
        # last: 0.4, 1.04, 1.824 of 1, 2, 3 at 0.6; over 1 - 0.6^n: 0.4, 0.64, 0.784.
        assert smooth([1, 2, 3], 0.6) == pytest.approx([1.0, 1.625, 1.824 / 0.784])

    def test_it_is_what_the_loop_of_tensorboard_gives(self):
        values, weight = [0.9, 0.3, 0.7, -0.2, 0.5], 0.85
        last, given = 0.0, []
        for count, value in enumerate(values, 1):
            last = last * weight + (1 - weight) * value
            given.append(last / (1 - math.pow(weight, count)))
        assert smooth(values, weight) == pytest.approx(given)

    @given(st.lists(FINITE), st.floats(0, 0.999))
    def test_it_stays_between_the_smallest_and_the_largest(self, values, weight):
        for place, one in enumerate(smooth(values, weight)):
            seen = values[: place + 1]
            assert min(seen) - 1e-6 <= one <= max(seen) + 1e-6

    @given(FINITE, st.integers(1, 50), st.floats(0, 0.999))
    def test_a_constant_series_stays_as_it_is(self, value, count, weight):
        assert smooth([value] * count, weight) == (value,) * count

    def test_nan_and_infinity_stay_and_do_not_spread(self):
        smoothed = smooth([1, math.nan, 2, math.inf, 3], 0.6)
        assert math.isnan(smoothed[1])
        assert smoothed[3] == math.inf
        assert [smoothed[place] for place in (0, 2, 4)] == pytest.approx(smooth([1, 2, 3], 0.6))

    def test_no_weight_changes_nothing(self):
        assert smooth([1, 5, 2], 0) == (1, 5, 2)


class TestAxis:
    POINTS = Points(
        [Point(100.0, 4, 0.5, 1), Point(101.5, 2, 0.6), Point(103.0, 2, 0.7, 1.5), Point(104.0, "end", 0.8)]
    )

    def test_a_step_that_went_back_lies_where_it_belongs(self):
        assert make_series(self.POINTS, Axis.STEP) == Series((2, 2, 4), (0.6, 0.7, 0.5))

    def test_epochs_are_those_that_were_logged(self):
        assert make_series(self.POINTS, Axis.EPOCH) == Series((1, 1.5), (0.5, 0.7))
        assert make_series(Points([Point(1, 1, 1)]), Axis.EPOCH) == Series((), ())

    def test_an_epoch_with_several_points_has_their_mean(self):
        points = Points([Point(1, 0, 1.0, 0), Point(1, 1, 3.0, 0), Point(1, 2, math.nan, 0), Point(1, 3, math.inf, 1)])
        assert str(make_series(points, Axis.EPOCH)) == "Series(xs=(0.0, 1.0), ys=(2.0, nan))"

    def test_time_is_that_of_the_clock_or_since_the_first_point(self):
        assert make_series(self.POINTS, Axis.TIME).xs == (100, 101.5, 103, 104)
        assert make_series(self.POINTS, Axis.RELATIVE).xs == (0, 1.5, 3, 4)

    def test_a_step_that_is_no_finite_number_has_no_place(self):
        points = Points([Point(1, math.inf, 1), Point(1, None, 2), Point(1, 10**400, 3), Point(1, 7, 4)])
        assert make_series(points, Axis.STEP) == Series((7,), (4,))


class TestBand:
    def test_the_interval_is_that_of_students_t(self):
        # Of 1, 2, 3: mean 2, sd 1, t(0.975, 2) = 4.30265; the half width is 4.30265 / sqrt(3).
        one = banded(series(1), series(2), series(3))
        assert (one.ys, one.least, one.most) == ((2.0,), 3, 3)
        assert one.low == pytest.approx([2 - 2.484138], abs=1e-6)
        assert one.high == pytest.approx([2 + 2.484138], abs=1e-6)

    def test_the_standard_deviation_and_the_range(self):
        runs = series(1), series(2), series(6)
        assert banded(*runs, band=Band.SD).high == pytest.approx([3 + math.sqrt(7)])
        assert (banded(*runs, band=Band.RANGE).low, banded(*runs, band=Band.RANGE).high) == ((1.0,), (6.0,))

    @pytest.mark.parametrize("band", Band)
    def test_of_two_values_it_goes_from_one_to_the_other(self, band):
        one = banded(series(1), series(4), band=band)
        assert (one.low, one.high) == ((1.0,), (4.0,))

    def test_only_places_count_that_two_runs_have(self):
        one = banded(series(1, 2, 3), series(3, 4), series(5, 6, 7, 8))
        assert (one.xs, one.ys) == ((0, 1, 2), (3, 4, 5))
        assert (one.least, one.most, one.buckets) == (2, 3, 0)

    def test_a_run_that_is_nan_at_a_place_does_not_count_there(self):
        one = banded(series(1, math.nan), series(3, 4), series(5, 6))
        assert (one.ys, one.least, one.most) == ((3, 5), 2, 3)

    def test_a_run_alone_is_its_curve_without_a_band(self):
        assert banded(series(1, math.nan, 3)).xs == (0, 1, 2)
        assert banded(series(1, 2)).low == ()

    def test_reruns_of_a_seed_count_once(self):
        units = [[("a", series(0)), ("b", series(2))], [("c", series(5))]]
        one = draw_band("c", units, Band.RANGE, 0.0)
        assert (one.runs, one.ys, one.low, one.most) == (("a", "b", "c"), (3.0,), (1.0,), 2)

    def test_a_step_that_was_logged_twice_counts_as_it_was_last(self):
        assert banded(series(9, 1, xs=(0, 0)), series(3)).ys == (2.0,)

    def test_runs_without_common_places_are_averaged_in_equal_parts(self):
        one = banded(series(1, 2, 3, 4, xs=(0, 10, 20, 30)), series(3, 4, 5, 6, xs=(1, 11, 21, 31)))
        assert one.buckets == 4
        assert one.ys == (2, 3, 4, 5)
        assert one.xs[0] == pytest.approx(31 / 8)

    def test_runs_that_meet_nowhere_have_no_band(self):
        assert banded(series(1, 2, xs=(0, 1)), series(1, 2, xs=(100, 101))) is None
        assert banded(series(math.nan), series(1)) is None

    def test_mean_and_edges_are_smoothed_alike(self):
        one = banded(series(1, 2, 3), series(3, 4, 9), weight=0.6)
        assert one.smoothed == pytest.approx(smooth((2, 3, 6), 0.6))
        assert one.low == pytest.approx(smooth((1, 2, 3), 0.6))
        assert one.high == pytest.approx(smooth((3, 4, 9), 0.6))

    @given(st.lists(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=5), min_size=1, max_size=4))
    def test_no_values_break_it(self, runs):
        one = banded(*(series(*ys) for ys in runs), band=Band.SD, weight=0.3)
        assert one is None or isinstance(one, Curve)


class TestPicture:
    def test_a_line_is_not_drawn_across_what_is_missing(self):
        pieces = split_drawable(series(math.nan, 1, 2, math.inf, math.nan, 3, 1e61))
        assert pieces == [Series((1, 2), (1, 2)), Series((5,), (3,))]

    def test_a_thinned_line_keeps_its_gaps(self):
        line = thin_line(series(*range(100), math.nan, *range(50)), 10)
        assert len(line.xs) < 25
        assert [y for y in line.ys if math.isnan(y)] != []
        assert list(line.xs) == sorted(line.xs)
        assert thin_line(series(1, math.nan, 2), 10).xs == (0, 1, 2)

    def test_a_thinned_band_has_its_farthest_edges(self):
        low, high = thin_band(range(6), (1, 0, 3, 4, 5, -6), (7, 8, 9, 10, 11, 12), 2)
        assert (low, high) == (Series((1, 4), (0, -6)), Series((1, 4), (9, 12)))

    @given(st.lists(st.floats(allow_nan=True), max_size=200), st.integers(1, 10))
    def test_thinning_keeps_the_extremes_and_the_order(self, ys, columns):
        whole = series(*ys)
        thinned = thin(whole, columns)
        drawable = [y for y in ys if is_drawable(y)]
        assert len(thinned.xs) <= max(2 * columns, 0)
        assert list(thinned.xs) == sorted(thinned.xs)
        assert (min(thinned.ys, default=0), max(thinned.ys, default=0)) == (
            min(drawable, default=0),
            max(drawable, default=0),
        )
