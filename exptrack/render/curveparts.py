"""What the pictures of curves have in common: labels, captions, and what of a value can be drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from exptrack.analysis.curves import Axis, Band, Curve, are_drawable, is_drawable
from exptrack.operations.plot import Panel, Plot
from exptrack.render.text import clip, inert

_LABEL = 60
_BANDS = {
    Band.INTERVAL: "mean of the runs and its 95% interval (of two runs, from one to the other)",
    Band.SD: "mean of the runs, and one standard deviation above and below (of two runs, from one to the other)",
    Band.RANGE: "mean of the runs, from the smallest to the largest",
}


class Scale(NamedTuple):
    """The x-axis: what it is called, and by what its values are divided."""

    label: str
    divisor: float = 1.0


def find_scale(plot: Plot) -> Scale:
    """Steps as they are; of time since the first point the unit that suits."""
    if plot.axis is Axis.TIME:
        return Scale("time (UTC)")
    if plot.axis is not Axis.RELATIVE:
        return Scale(str(plot.axis))
    last = max(curve.xs[-1] for panel in plot.panels for curve in panel.curves)
    units = (("hours", 3600.0, 7200), ("minutes", 60.0, 120), ("seconds", 1.0, 0))
    name, divisor = next((name, divisor) for name, divisor, least in units if last >= least)
    return Scale(f"{name} since the first point", divisor)


def mask(values: Sequence[float], *, is_log: bool) -> list[float]:
    """The values, NaN in place of what has no place in the picture."""
    if not is_log and are_drawable(values):
        return list(values)
    return [value if is_drawable(value) and not (is_log and value <= 0) else math.nan for value in values]


def name_panel(panel: Panel) -> str:
    """The metric and its unit."""
    return inert(f"{panel.metric} ({panel.unit})" if panel.unit else panel.metric)


def name_curve(curve: Curve, plot: Plot) -> str:
    """The run or configuration, and of how many runs it is the mean."""
    label = clip(inert(curve.label), _LABEL)
    if plot.band is None:
        return label
    return f"{label}, n={curve.most}" if curve.least == curve.most else f"{label}, n={curve.least} to {curve.most}"


def tell(plot: Plot, behind: str = ", the values themselves faint behind") -> str:
    """What the lines are: the band, and how they were smoothed; empty for values as they are. `behind` says where the values are."""
    parts = []
    if plot.band is not None and any(curve.low for panel in plot.panels for curve in panel.curves):
        parts.append(_BANDS[plot.band])
    if plot.smoothing:
        parts.append(f"smoothed by {plot.smoothing:g}{behind}")
    if plot.is_log:
        parts.append("logarithmic")
    return "; ".join(parts)
