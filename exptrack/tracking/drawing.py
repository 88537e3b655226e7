"""Figures and images as files. Nothing is imported that the script does not use already, but Pillow for what only it can write."""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from exptrack.errors import ExptrackError
from exptrack.tracking.pixels import encode_png, to_pixels
from exptrack.tracking.values import attempt, describe

Encoded: TypeAlias = tuple[bytes, str]
_PNG, _HTML = ".png", ".html"
# What a library may raise over a figure that it cannot draw: it must not end a training.
_FAILURES = (ValueError, TypeError, RuntimeError, KeyError, IndexError, AttributeError, OSError, ImportError)
_UNDATED = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "ps": {"CreationDate": None}}


def find_suffix(name: str) -> str:
    """The suffix of a name as one of a format, in lower case; that of `epoch-0.5` is none."""
    suffix = PurePosixPath(name).suffix.lower()
    return suffix if suffix[1:].isidentifier() else ""


def encode_figure(figure: object, name: str) -> Encoded:
    """The bytes of a figure in the format that the suffix of `name` says, and the suffix that the name lacks.

    Raises ExptrackError if it is no figure, or cannot be drawn.
    """
    if (drawn := _find_matplotlib(figure)) is not None:
        return _encode(_draw_matplotlib, drawn, name)
    if _comes_from(figure, "plotly"):
        return _encode(_draw_plotly, figure, name)
    if _comes_from(figure, "PIL"):
        return encode_image(figure, name)
    raise ExptrackError(f"{describe(figure)} is no figure: give one of matplotlib or plotly")


def encode_image(image: object, name: str) -> Encoded:
    """As `encode_figure`, of an image of Pillow or an array. Raises ExptrackError if it is no image."""
    return _encode(_draw_pillow if _comes_from(image, "PIL") else _draw_array, image, name)


def first_line(error: Exception) -> str:
    """What a library says of a failure, in one line."""
    said = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _encode(draw: Callable[[Any, str], Encoded], drawn: object, name: str) -> Encoded:
    try:
        return draw(drawn, find_suffix(name))
    except _FAILURES as error:
        raise ExptrackError(first_line(error)) from error


def _comes_from(value: object, library: str) -> bool:
    return any(kind.__module__.partition(".")[0] == library for kind in type(value).__mro__)


def _find_matplotlib(value: Any) -> Any:
    """The figure itself, or that of axes, of a grid of seaborn or a display of scikit-learn; `matplotlib.pyplot` means the current one."""
    plots: Any = sys.modules.get("matplotlib.pyplot")
    if value is not None and value is plots:
        return plots.gcf()
    for name in ("", "figure", "figure_", "fig"):
        one = attempt(getattr, value, name, None, otherwise=None) if name else value
        if attempt(hasattr, one, "savefig", otherwise=False) and _comes_from(one, "matplotlib"):
            return one
    return None


def _draw_matplotlib(figure: Any, suffix: str) -> Encoded:
    known = suffix[1:] in figure.canvas.get_supported_filetypes()
    kind = suffix[1:] if known else "png"
    buffer = BytesIO()
    figure.savefig(buffer, format=kind, metadata=_UNDATED.get(kind))
    return buffer.getvalue(), "" if known else _PNG


def _draw_plotly(figure: Any, suffix: str) -> Encoded:
    if suffix == ".json":
        return figure.to_json().encode(), ""
    if suffix in {"", _HTML, ".htm"}:
        # Whole, plotly.js would add 4 MB to each figure.
        return figure.to_html(include_plotlyjs="cdn").encode(), "" if suffix else _HTML
    try:
        return bytes(figure.to_image(format=suffix[1:])), ""
    except (ValueError, ImportError, RuntimeError) as error:
        if "kaleido" in str(error).lower():
            raise ExptrackError(f"plotly needs kaleido for {suffix}: install it, or name the figure .html") from error
        raise


def _draw_pillow(image: Any, suffix: str) -> Encoded:
    from PIL import Image

    Image.init()
    kind = Image.EXTENSION.get(suffix)
    known = kind in Image.SAVE
    buffer = BytesIO()
    if kind == "JPEG" and image.mode not in {"L", "RGB", "CMYK"}:
        image = image.convert("RGB")  # it knows no transparency
    image.save(buffer, format=kind if known else "PNG")
    return buffer.getvalue(), "" if known else _PNG


def _draw_array(image: object, suffix: str) -> Encoded:
    pixels = to_pixels(image)
    if suffix in {"", _PNG}:
        return encode_png(pixels), "" if suffix else _PNG
    try:
        from PIL import Image
    except ImportError:
        return encode_png(pixels), _PNG
    return _draw_pillow(Image.fromarray(pixels.squeeze()), suffix)
