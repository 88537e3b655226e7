"""Curves as a picture, which matplotlib draws: a panel a metric, a line a run or configuration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from exptrack.analysis.curves import Axis, Curve, Series, thin_band, thin_line
from exptrack.operations.plot import Panel, Plot
from exptrack.render.curveparts import Scale, find_scale, mask, name_curve, name_panel, tell
from exptrack.render.figure import open_figure, save_figure
from exptrack.render.text import wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, told apart by colour-blind eyes; without their yellow, which white paper swallows.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_STYLES = ("-", "--", "-.", ":")  # when the colours are used up
_WIDTH, _PANEL, _LINE = 8.0, 3.0, 0.2  # inches
_COLUMNS = 1500  # of a picture, at most: more than there are dots
_ACROSS = 115  # letters of a caption
_NAMED = 28  # curves that the legend names
_FEW = 40  # points that get a mark each


class Frame(NamedTuple):
    """Where the axes of a panel lie in the picture, as shares of it from its lower left, and what they range over."""

    left: float
    bottom: float
    width: float
    height: float
    xlim: tuple[float, float]
    ylim: tuple[float, float]


class Drawn(NamedTuple):
    """A picture, how many inches it has, and where its panels lie."""

    content: bytes
    size: tuple[float, float]
    frames: tuple[Frame, ...]


def draw_curves(plot: Plot, kind: str, what: str = "a picture") -> Drawn:
    """The picture as `svg` or `png`; equal plots give equal bytes. Raises ExptrackError if matplotlib is missing."""
    scale, count = find_scale(plot), len(plot.panels)
    names = [tuple(name_curve(curve, plot) for curve in panel.curves) for panel in plot.panels]
    has_own = [place + 1 == count or names[place] != names[-1] for place in range(count)]
    lines = sum(math.ceil(_count_lines(own)) for own, shown in zip(names, has_own, strict=True) if shown)
    size = (_WIDTH, 0.6 + _PANEL * count + _LINE * lines)
    with open_figure(*size, what) as figure:
        all_axes = [row[0] for row in figure.subplots(count, 1, squeeze=False)]
        for place, (axes, panel) in enumerate(zip(all_axes, plot.panels, strict=True)):
            _draw_panel(axes, panel, plot, scale)
            if has_own[place]:
                _add_legend(axes, names[place])
        all_axes[-1].set_xlabel(scale.label)
        if plot.axis is Axis.TIME:
            _set_dates(all_axes)
        if about := "\n".join(wrap(tell(plot).split(" "), _ACROSS)):
            figure.suptitle(about, fontsize="small", x=0.01, horizontalalignment="left")
        content = save_figure(figure, kind)
        return Drawn(content, size, tuple(map(_frame, all_axes)))


def _draw_panel(axes: Axes, panel: Panel, plot: Plot, scale: Scale) -> None:
    if plot.is_log:
        _set_log(axes)
    for place, curve in enumerate(panel.curves):
        _draw_curve(axes, curve, plot, scale, place)
    axes.set_ylabel(name_panel(panel))
    axes.grid(alpha=0.3, linewidth=0.5)
    axes.margins(x=0.02)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _set_log(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, LogFormatter

    axes.set_yscale("log", nonpositive="clip")  # of a band that reaches below 0 what is above it is drawn
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:g}")
    )  # matplotlib's own wants its mathematics
    axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))


def _set_dates(all_axes: Sequence[Axes]) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    for axes in all_axes:
        locator = AutoDateLocator()  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def _draw_curve(axes: Axes, curve: Curve, plot: Plot, scale: Scale, place: int) -> None:
    color, style = COLORS[place % len(COLORS)], _STYLES[place // len(COLORS) % len(_STYLES)]
    if curve.low:
        low, high = thin_band(curve.xs, curve.low, curve.high, _COLUMNS)
        xs = _place(low.xs, plot, scale)
        edges = mask(low.ys, is_log=False), mask(high.ys, is_log=plot.is_log)
        axes.fill_between(xs, *edges, color=color, alpha=0.18, linewidth=0, zorder=1)  # type: ignore[arg-type]
    if plot.smoothing:
        faint = thin_line(Series(curve.xs, tuple(mask(curve.ys, is_log=plot.is_log))), _COLUMNS)
        axes.plot(_place(faint.xs, plot, scale), faint.ys, color=color, alpha=0.25, linewidth=0.8, zorder=2)  # type: ignore[arg-type]
    line = thin_line(Series(curve.xs, tuple(mask(curve.smoothed, is_log=plot.is_log))), _COLUMNS)
    axes.plot(
        _place(line.xs, plot, scale), line.ys, color=color, linestyle=style, linewidth=1.5, zorder=3,  # type: ignore[arg-type]
        marker="o", markersize=3, markevery=_list_alone(line.ys),
    )  # fmt: skip


def _list_alone(ys: Sequence[float]) -> list[int]:
    """The points that a line does not show, since both beside them are missing; of a few points all."""
    seen = [False, *(not math.isnan(y) for y in ys), False]
    drawn = [place for place in range(len(ys)) if seen[place + 1]]
    return drawn if len(drawn) <= _FEW else [place for place in drawn if not (seen[place] or seen[place + 2])]


def _place(xs: Sequence[float], plot: Plot, scale: Scale) -> list[object]:
    if plot.axis is not Axis.TIME:
        return [x / scale.divisor for x in xs]
    return [datetime.fromtimestamp(x, UTC) for x in xs]


def _count_lines(names: Sequence[str]) -> int:
    return math.ceil(min(len(names), _NAMED + 1) / _count_columns(names))


def _count_columns(names: Sequence[str]) -> int:
    return max(1, min(len(names), int(100 / (8 + max(map(len, names))))))


def _add_legend(axes: Axes, names: Sequence[str]) -> None:
    """Below the axes, where it hides no value."""
    lines = [line for line in axes.get_lines() if line.get_zorder() == 3]
    shown = list(names[:_NAMED])
    if len(names) > _NAMED:
        shown[-1] = f"{shown[-1]}, and {len(names) - _NAMED} more"
    axes.legend(
        lines[:_NAMED], shown, loc="upper left", bbox_to_anchor=(0, -0.16), ncols=_count_columns(names), frameon=False,
        fontsize="small", borderaxespad=0,
    )  # fmt: skip


def _frame(axes: Axes) -> Frame:
    box = axes.get_position()
    return Frame(box.x0, box.y0, box.width, box.height, axes.get_xlim(), axes.get_ylim())
