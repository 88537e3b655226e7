"""Growth as a picture: time against runs, both on logarithmic scales. matplotlib draws it, as the extra `plot` has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.growthcases import (
    ALL,
    BEST,
    BUILD,
    COLD,
    FLOOR,
    LATEST,
    RECORD,
    REFRESH,
    SEARCHES,
    TAG,
    UNINDEXED,
    WARM,
)
from benchmarks.growthtable import Found
from exptrack.render.figure import open_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# All of them are told from white as well as from black, and the ground is left as it is.
_INK = "#7d7d7d"
_INKED = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color")


class _Line(NamedTuple):
    command: str
    color: str
    dashes: str = "-"
    mark: str = "o"


_BLUE, _TEAL, _VIOLET, _GREEN, _ORANGE, _RED = "#3b82d6", "#12919c", "#a05fd0", "#3a9150", "#d07a16", "#de5050"
_PANELS: Mapping[str, Sequence[_Line]] = {
    "reading": (
        _Line(FLOOR, _INK, ":", "."),
        _Line(LATEST, _BLUE),
        _Line(BEST, _TEAL),
        _Line(ALL, _VIOLET),
        _Line(UNINDEXED, _VIOLET, "--"),
        _Line(WARM, _ORANGE, "-", "s"),
        _Line(COLD, _ORANGE, "--", "s"),
        *(_Line(one, _RED, dashes, "^") for one, dashes in zip(SEARCHES, ("-", "--", ":"), strict=True)),
    ),
    "the index, and recording": (
        _Line(FLOOR, _INK, ":", "."),
        _Line(LATEST, _BLUE),
        _Line(REFRESH, _GREEN),
        _Line(BUILD, _RED),
        _Line(TAG, _TEAL),
        _Line(RECORD, _ORANGE, "-", "s"),
    ),
}


def draw(found: Found, kind: str) -> bytes:
    """The picture as `svg` or `png`; the same figures give the same bytes. Raises ExptrackError if matplotlib is missing."""
    from matplotlib import rc_context

    colors: Any = dict.fromkeys(_INKED, _INK)
    with open_figure(10, 5.6, "the picture") as figure, rc_context(colors):
        panels = figure.subplots(1, len(_PANELS), sharey=True)
        for axes, (title, lines) in zip(panels, _PANELS.items(), strict=True):
            _draw_panel(axes, title, [line for line in lines if line.command in found], found)
        panels[0].set_ylabel("seconds, the median")
        figure.patch.set_alpha(0)
        return save_figure(figure, kind)


def _draw_panel(axes: Axes, title: str, lines: Sequence[_Line], found: Found) -> None:
    from matplotlib.ticker import FuncFormatter

    for line in lines:
        points = sorted(found[line.command].items())
        axes.plot(
            [number for number, _ in points], [row.median for _, row in points],
            color=line.color, linestyle=line.dashes, marker=line.mark, markersize=5.5, linewidth=1.8,
            markerfacecolor=line.color if line.dashes == "-" else "none", label=line.command,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(visible=True, alpha=0.35, linewidth=0.6)
    axes.patch.set_alpha(0)
    axes.set_title(title, fontsize="medium", loc="left")
    axes.set_xlabel("runs in the repository")
    axes.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(0, -0.13), ncols=2)
