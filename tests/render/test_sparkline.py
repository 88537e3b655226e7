"""Curves in one line."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from exptrack.render.sparkline import sparkline

CROSS = "\N{MULTIPLICATION SIGN}"


def test_values_are_levels_from_the_lowest_to_the_highest() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([7, 0], 8) == "█▁"


def test_a_flat_line_is_drawn_low() -> None:
    assert sparkline([3.5, 3.5, 3.5], 8) == "▁▁▁"


def test_what_is_not_finite_is_a_cross_and_does_not_scale_the_rest() -> None:
    assert sparkline([0, math.nan, math.inf, 1], 8) == f"▁{CROSS}{CROSS}█"
    assert sparkline([math.nan], 8) == CROSS


def test_more_values_than_cells_are_means_and_a_nan_among_them_is_seen() -> None:
    assert sparkline([0, 0, 1, 1], 2) == "▁█"
    assert sparkline([0, 0, math.nan, 1, 1, 1], 3) == f"▁{CROSS}█"


def test_there_is_a_form_for_terminals_that_know_only_ascii() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7, math.nan], 9, is_ascii=True) == "_.-:=+*#x"


def test_no_values_or_no_room_is_no_line() -> None:
    assert sparkline([], 8) == ""
    assert sparkline([1, 2], 0) == ""


@given(st.lists(st.floats()), st.integers(0, 50))
def test_any_values_fit_into_their_cells(values: list[float], width: int) -> None:
    assert len(sparkline(values, width)) == min(len(values), width)
