"""Curves as data."""

from __future__ import annotations

import json

from exptrack.analysis.curves import Curve
from exptrack.analysis.fields import finite
from exptrack.operations.plot import Plot
from exptrack.render.text import inert_json


def format_json(plot: Plot) -> str:
    """The series of each panel; what is not finite is a text."""
    fields = {
        "x": str(plot.axis),
        "smoothing": plot.smoothing,
        "band": None if plot.band is None else str(plot.band),
        "metrics": [
            {"name": panel.metric, "unit": panel.unit, "curves": [_encode(curve) for curve in panel.curves]}
            for panel in plot.panels
        ],
        "notes": list(plot.notes),
    }
    return inert_json(json.dumps(finite(fields), indent=2, allow_nan=False))


def _encode(curve: Curve) -> dict[str, object]:
    return {
        "label": curve.label,
        "runs": list(curve.runs),
        "replicates": [curve.least, curve.most],
        "buckets": curve.buckets,
        "x": list(curve.xs),
        "y": list(curve.ys),
        "smoothed": list(curve.smoothed),
        "low": list(curve.low),
        "high": list(curve.high),
    }
