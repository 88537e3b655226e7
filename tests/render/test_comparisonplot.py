"""What cannot be drawn is told."""

from __future__ import annotations

import pytest

from exptrack.errors import ExptrackError
from exptrack.model.comparison import Comparison, Configuration, Rules, Sample
from exptrack.render.comparisonplot import draw_plot


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "there is nothing to plot"),
        ({"1": 1e308, "2": -1e308}, r"values of accuracy beyond 1e\+60 cannot be plotted"),
    ],
)
def test_what_cannot_be_drawn_is_told(values, said):
    one = Configuration("lr=1", {}, "", ("a",), Sample("lr=1", values), mean=0.0 if values else None)
    with pytest.raises(ExptrackError, match=said):
        draw_plot(Comparison(Rules("accuracy"), (one,)), "svg")
