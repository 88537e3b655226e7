"""Curves as a page that stands alone: the picture, and a script of its own that tells the values below the pointer. No network."""

from __future__ import annotations

import json
from html import escape

from exptrack.analysis.curves import Axis, Series, thin
from exptrack.operations.plot import Panel, Plot
from exptrack.render.curvefigure import COLORS, Frame, draw_curves
from exptrack.render.curveparts import find_scale, mask, name_curve, name_panel

_POINTS = 1000  # columns of a curve that the pointer can tell apart
_DAY = 86400.0

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 14px/1.4 sans-serif; margin: 1em; color: #222; background: #fff }}
#plot {{ position: relative; max-width: 60em }}
#plot svg {{ width: 100%; height: auto; display: block }}
#line {{ position: absolute; width: 1px; background: #888; pointer-events: none; display: none }}
#tip {{ position: absolute; background: #fffe; border: 1px solid #bbb; padding: 2px 6px; pointer-events: none; display: none; white-space: pre; font-size: 12px }}
</style>
</head>
<body>
<div id="plot">
{svg}
<div id="line"></div><div id="tip"></div>
</div>
<script type="application/json" id="data">{data}</script>
<script>
{script}
</script>
</body>
</html>
"""

_SCRIPT = """\
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const plot = document.getElementById("plot"), line = document.getElementById("line"), tip = document.getElementById("tip");
const short = value => value === null ? "-" : Number(value.toPrecision(5)).toString();
function nearest(xs, x) {
  let low = 0, high = xs.length - 1;
  while (high - low > 1) { const middle = (low + high) >> 1; if (xs[middle] < x) low = middle; else high = middle; }
  return Math.abs(xs[low] - x) <= Math.abs(xs[high] - x) ? low : high;
}
function hide() { line.style.display = tip.style.display = "none"; }
plot.addEventListener("mouseleave", hide);
plot.addEventListener("mousemove", event => {
  const box = plot.querySelector("svg").getBoundingClientRect();
  const across = (event.clientX - box.left) / box.width, up = 1 - (event.clientY - box.top) / box.height;
  const panel = data.panels.find(one => across >= one.left && across <= one.left + one.width && up >= one.bottom && up <= one.bottom + one.height);
  if (!panel) return hide();
  const x = panel.xlim[0] + (across - panel.left) / panel.width * (panel.xlim[1] - panel.xlim[0]);
  tip.replaceChildren(panel.name + "\\n");
  for (const curve of panel.curves) {
    const place = nearest(curve.x, x);
    const mark = document.createElement("span");
    mark.style.color = curve.color;
    mark.textContent = "\\u25cf ";
    const at = data.days ? new Date(curve.x[place] * 86400000).toISOString().slice(0, 19).replace("T", " ") : short(curve.x[place]);
    const band = curve.low ? " [" + short(curve.low[place]) + ", " + short(curve.high[place]) + "]" : "";
    tip.append(mark, curve.name + ": " + short(curve.y[place]) + band + " at " + data.axis + " " + at + "\\n");
  }
  Object.assign(line.style, { display: "block", left: across * box.width + "px", top: (1 - panel.bottom - panel.height) * box.height + "px", height: panel.height * box.height + "px" });
  tip.style.display = "block";
  const left = across < 0.5 ? across * box.width + 12 : across * box.width - tip.offsetWidth - 12;
  Object.assign(tip.style, { left: Math.max(0, left) + "px", top: (1 - up) * box.height + 12 + "px" });
});"""


def format_page(plot: Plot) -> str:
    """The page; equal plots give equal pages. Raises ExptrackError if matplotlib is missing."""
    drawn = draw_curves(plot, "svg", "an html page of curves")
    svg = drawn.content.decode()
    panels = [_encode(panel, plot, frame) for panel, frame in zip(plot.panels, drawn.frames, strict=True)]
    fields = {"axis": plot.axis, "days": plot.axis is Axis.TIME, "panels": panels}
    return _PAGE.format(
        title=escape(", ".join(map(name_panel, plot.panels))),
        svg=svg[svg.index("<svg") :].rstrip(),
        data=json.dumps(fields, separators=(",", ":")).replace("<", "\\u003c"),
        script=_SCRIPT,
    )


def _encode(panel: Panel, plot: Plot, frame: Frame) -> dict[str, object]:
    curves = []
    divisor = _DAY if plot.axis is Axis.TIME else find_scale(plot).divisor  # matplotlib counts days
    for place, curve in enumerate(panel.curves):
        ys = mask(curve.smoothed, is_log=plot.is_log)
        kept = thin(Series(tuple(float(at) for at in range(len(ys))), tuple(ys)), _POINTS)
        chosen = [int(at) for at in kept.xs]
        fields: dict[str, object] = {
            "name": name_curve(curve, plot),
            "color": COLORS[place % len(COLORS)],
            "x": [_round(curve.xs[at] / divisor, 10) for at in chosen],
            "y": [_round(y) for y in kept.ys],
        }
        if curve.low:
            fields |= {
                "low": [_round(curve.low[at]) for at in chosen],
                "high": [_round(curve.high[at]) for at in chosen],
            }
        if chosen:
            curves.append(fields)
    return {"name": name_panel(panel), **frame._asdict(), "curves": curves}


def _round(value: float, digits: int = 6) -> float:
    return float(f"{value:.{digits}g}")
