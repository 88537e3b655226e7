"""A figure of matplotlib, set up so that the same figure gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from exptrack.errors import ExptrackError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@contextmanager
def open_figure(width: float, height: float, what: str) -> Iterator[Figure]:
    """A figure of so many inches; raises ExptrackError, which says that `what` needs it, if matplotlib is missing. Save it within."""
    try:
        from matplotlib import rc_context
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ExptrackError(f"{what} needs matplotlib: install it with `pip install 'exptrack[plot]'`") from error
    with rc_context(
        {"svg.hashsalt": "exptrack", "svg.fonttype": "none", "text.usetex": False, "text.parse_math": False}
    ):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure


def save_figure(figure: Figure, kind: str) -> bytes:
    """The picture as `svg` or `png`."""
    from io import BytesIO

    out = BytesIO()
    figure.savefig(out, format=kind, metadata={"Date": None} if kind == "svg" else {"Software": None})
    return out.getvalue()
