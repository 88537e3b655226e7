"""What cannot be drawn is told."""

from __future__ import annotations

import pytest

from exptrack.errors import ExptrackError
from exptrack.model.comparison import Comparison, Configuration, Rules, Sample
from exptrack.model.settings import Goal
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


def test_a_picture_that_stands_alone_says_what_it_is_of():
    pytest.importorskip("matplotlib")
    sample = Sample("lr=1", {"1": 0.5, "2": 0.6})
    some = tuple(
        Configuration(f"lr={place}", {}, "", ("a",), sample, mean=0.55, is_baseline=place == 1) for place in range(2)
    )
    drawn = draw_plot(Comparison(Rules("accuracy", Goal.MAXIMIZE, unit="points"), some, experiment="rate"), "svg")
    for said in (
        "rate: accuracy (maximize)",
        "lr=1 (baseline), n=2",
        "lr=0, n=2",
        "accuracy (points): each value, the mean, its 95% interval",
    ):
        assert f">{said}</text>" in drawn.decode()
