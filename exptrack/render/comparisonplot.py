"""A comparison as a picture: the value of every run, and each configuration's interval. matplotlib draws it, if it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exptrack.errors import ExptrackError
from exptrack.model.comparison import Comparison, Configuration
from exptrack.render.comparisonparts import BASELINE
from exptrack.render.figure import open_figure, save_figure
from exptrack.render.text import clip, inert

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 60  # configurations
_FARTHEST = 1e60  # beyond it, nothing is compared either
_LABEL = 48
_HEAD = 80


def draw_plot(comparison: Comparison, kind: str) -> bytes:
    """The picture as `svg` or `png`; equal comparisons give equal bytes. Raises ExptrackError if matplotlib is missing, or nothing can be drawn."""
    shown = [one for one in comparison.configurations if one.mean is not None][:_MOST]
    if not shown:
        raise ExptrackError(f"there is nothing to plot: no run has a finite {comparison.rules.metric}")
    if any(abs(value) > _FARTHEST for one in shown for value in one.sample.values.values()):
        raise ExptrackError(
            f"values of {comparison.rules.metric} beyond {_FARTHEST:g} cannot be plotted: leave out their runs by a query"
        )
    with open_figure(8, 1.2 + 0.4 * len(shown), "--plot") as figure:
        axes = figure.add_subplot()
        for place, one in enumerate(shown):
            _draw_row(axes, place, one)
        axes.set_yticks(range(len(shown)), [_name(one) for one in shown])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        figure.suptitle(_head(comparison), fontsize="medium", x=0.01, horizontalalignment="left")
        unit = f" ({inert(comparison.rules.unit)})" if comparison.rules.unit else ""
        about = f"{inert(comparison.rules.metric)}{unit}: each value, the mean, its 95% interval"
        figure.supxlabel(about, fontsize="medium")  # wider than the axes beside long labels
        return save_figure(figure, kind)


def _draw_row(axes: Axes, place: int, one: Configuration) -> None:
    """Interval and mean first, so that no value hides below them."""
    values = list(one.sample.values.values())
    color = "C1" if one.is_baseline else "C0"
    if one.interval is not None:
        axes.plot(one.interval[:2], [place, place], "-", color=color, linewidth=2, zorder=2)
    axes.plot([one.mean or 0.0], [place], "D", color=color, markersize=6, zorder=3)
    axes.plot(values, [place] * len(values), "o", color="0.3", markersize=4, alpha=0.6, zorder=4)
    if one.is_baseline:
        axes.axvline(one.mean or 0.0, color="C1", linewidth=1, linestyle="--", zorder=1)


def _name(one: Configuration) -> str:
    """The label and how many seeds it has: what a picture that stands alone is read by."""
    return f"{clip(inert(one.label), _LABEL)}{BASELINE if one.is_baseline else ''}, n={len(one.sample.values)}"


def _head(comparison: Comparison) -> str:
    rules = comparison.rules
    about = f" ({rules.goal})" if rules.goal else ""
    return clip(inert(f"{f'{comparison.experiment}: ' if comparison.experiment else ''}{rules.metric}{about}"), _HEAD)
