"""Curves for a terminal: plotext draws them, if it is installed; else each is a line of text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from exptrack.analysis.curves import Axis, Curve, Series, split_drawable, thin
from exptrack.operations.plot import Panel, Plot
from exptrack.render.curveparts import Scale, find_scale, mask, name_curve, name_panel, tell
from exptrack.render.sparkline import sparkline
from exptrack.render.text import clip, display_width, format_value, inert, pad

_COLORS = (33, 208, 36, 176, 117, 214, 250)  # of 256, near to those of a picture
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SPARK = 40
_EDGE = 9  # cells beside the curves, for the numbers of the axis
_TICKS, _CELLS = 5, 14
_DAY = 86400


class Room(NamedTuple):
    """The terminal: cells across, lines for one metric, whether it has colours, and whether letters beyond ASCII can be written."""

    width: int
    height: int
    has_color: bool = False
    is_ascii: bool = False


def format_curves(plot: Plot, room: Room) -> str:
    """Each metric as a drawing with its legend below, or a line for each curve."""
    draw = None if room.is_ascii else _find_plotext()
    scale = find_scale(plot)
    blocks = [
        _format_lines(panel, plot, room) if draw is None else _draw_panel(draw, panel, plot, scale, room)
        for panel in plot.panels
    ]
    about = tell(
        plot if draw is not None else plot._replace(is_log=False), ", the numbers are of the values as they are"
    )
    return "\n\n".join([*blocks, *([about] if about else [])])


def has_plotext() -> bool:
    """Whether curves can be drawn."""
    return _find_plotext() is not None


def _find_plotext() -> Any:
    try:
        import plotext  # type: ignore[import-untyped]
    except ImportError:
        return None
    return plotext if hasattr(plotext, "figure") else None  # before 6 it is another library by the same name


def _format_lines(panel: Panel, plot: Plot, room: Room) -> str:
    names = [name_curve(curve, plot) for curve in panel.curves]
    width = max(map(display_width, names))
    told = [_tell_values(curve, plot) for curve in panel.curves]
    spark = max(8, min(_SPARK, room.width - width - max(map(len, told)) - 4))
    sparks = [sparkline(curve.smoothed, spark, is_ascii=room.is_ascii) for curve in panel.curves]
    longest = max(map(len, sparks))
    lines = [
        f"{pad(name, width)}  {drawn:<{longest}}  {values}"
        for name, drawn, values in zip(names, sparks, told, strict=True)
    ]
    return "\n".join([name_panel(panel), *lines])


def _tell_values(curve: Curve, plot: Plot) -> str:
    """The last value, with its band in brackets, and from the smallest to the largest, of the values as they are."""
    kept = [y for y in mask(curve.ys, is_log=plot.is_log) if not math.isnan(y)]
    if not kept:
        return "nothing"
    last, low, high = kept[-1], min(kept), max(kept)
    band = f" [{format_value(_short(curve.low[-1]))}, {format_value(_short(curve.high[-1]))}]" if curve.low else ""
    return f"last {format_value(_short(last))}{band}, {format_value(_short(low))} to {format_value(_short(high))}"


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _draw_panel(draw: Any, panel: Panel, plot: Plot, scale: Scale, room: Room) -> str:
    figure = draw.figure
    figure.clear()
    figure.theme("colorless")
    figure.canvas("default")
    figure.plot_size(room.width, room.height)
    figure.legend(False)
    if plot.is_log:
        figure.ruler("y").scale("log")
    columns = max(8, room.width - _EDGE)
    marks = [_mark(place, len(panel.curves), room) for place in range(len(panel.curves))]
    for place, curve in reversed(list(enumerate(panel.curves))):  # the first lies above the others
        color = _COLORS[place % len(_COLORS)] if room.has_color else None
        for piece in _list_pieces(curve, plot, scale, columns):
            signal = figure.signal(*piece, marker=draw.marker(marks[place], pixel=color))
            figure.draw(signal.lines())
    _add_ticks(figure, panel, plot, scale, room)
    drawn = figure.build().string(colorless=not room.has_color).rstrip("\n")
    return "\n".join(
        [f"{name_panel(panel)}", *(line.rstrip() for line in drawn.split("\n")), *_legend(panel, plot, marks, room)]
    )


def _mark(place: int, count: int, room: Room) -> str:
    return "braille" if room.has_color or count == 1 else _LETTERS[place % len(_LETTERS)]


def _list_pieces(curve: Curve, plot: Plot, scale: Scale, columns: int) -> list[Series]:
    """What plotext is given: it takes no NaN, and each point costs it as much as a hundred cost us."""
    xs = tuple(x / scale.divisor for x in curve.xs)
    pieces = split_drawable(Series(xs, tuple(mask(curve.smoothed, is_log=plot.is_log))))
    return [thin(piece, columns) for piece in pieces]


def _legend(panel: Panel, plot: Plot, marks: Sequence[str], room: Room) -> list[str]:
    lines = []
    for place, curve in enumerate(panel.curves):
        mark = "━" if marks[place] == "braille" else marks[place]
        if room.has_color:
            mark = f"\x1b[38;5;{_COLORS[place % len(_COLORS)]}m{mark}\x1b[m"
        told = _tell_values(curve, plot)
        name = clip(name_curve(curve, plot), max(8, room.width - len(told) - 6))
        lines.append(f"  {mark} {name}  {told}")
    return lines


def _add_ticks(figure: Any, panel: Panel, plot: Plot, scale: Scale, room: Room) -> None:
    low = min(curve.xs[0] for curve in panel.curves) / scale.divisor
    high = max(curve.xs[-1] for curve in panel.curves) / scale.divisor
    if plot.axis is Axis.TIME:
        count = max(2, min(_TICKS, room.width // _CELLS))
        places = [low + (high - low) * place / (count - 1) for place in range(count)] if high > low else [low]
        form = "%m-%d %H:%M" if high - low >= _DAY else "%H:%M:%S"
        figure.ruler("x").ticks(places, [datetime.fromtimestamp(x, UTC).strftime(form) for x in places])
    else:
        places = list_ticks(low, high, max(2, room.width // _CELLS))
        figure.ruler("x").ticks(places, [format_value(_short(x)) for x in places])
    if not plot.is_log:
        ys = [y for curve in panel.curves for y in mask(curve.smoothed, is_log=False) if not math.isnan(y)]
        places = list_ticks(min(ys), max(ys), _TICKS)
        figure.ruler("y").ticks(places, [format_value(_short(y)) for y in places])
    figure.label(inert(scale.label), axis="x")


def list_ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from low to high, at most so many: 1, 2 or 5 times a power of ten apart."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    apart = next(power * factor for factor in (1, 2, 5, 10) if (high - low) / (power * factor) <= most)
    first = math.ceil(low / apart)
    return [(first + place) * apart for place in range(int(high / apart - first + 1e-9) + 1)]
