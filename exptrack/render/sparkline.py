"""A curve in one line of text."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from itertools import pairwise

_LEVELS, _BROKEN = "▁▂▃▄▅▆▇█", "×"  # noqa: RUF001 - a mark, no letter
_ASCII_LEVELS, _ASCII_BROKEN = "_.-:=+*#", "x"


def sparkline(values: Sequence[float], width: int, *, is_ascii: bool = False) -> str:
    """All values in at most `width` cells, in eight levels from the lowest to the highest; a flat line is drawn low.

    Where there are more values than cells, each cell stands for the mean of its share. NaN and infinities are drawn as a cross, and so
    is the cell that such a value falls into.
    """
    levels, broken = (_ASCII_LEVELS, _ASCII_BROKEN) if is_ascii else (_LEVELS, _BROKEN)
    cells = squeeze(values, width)
    finite = [value for value in cells if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    return "".join(levels[_level(value, low, high)] if math.isfinite(value) else broken for value in cells)


def squeeze(values: Sequence[float], width: int) -> list[float]:
    """The values as at most `width` means of neighbours; a mean with a NaN or an infinity in it is NaN."""
    count = len(values)
    if count <= width:
        return list(values)
    bounds = [index * count // width for index in range(width + 1)] if width > 0 else []
    return [_mean(values[begin:end]) for begin, end in pairwise(bounds)]


def _mean(values: Sequence[float]) -> float:
    if not all(map(math.isfinite, values)):
        return math.nan
    # The largest number three times over, each by three and rounded up, is beyond the largest: halves are not.
    return max(min(2 * math.fsum(value / 2 / len(values) for value in values), sys.float_info.max), -sys.float_info.max)


def _level(value: float, low: float, high: float) -> int:
    # Halves, since the difference of two huge numbers is no number any more.
    span = high / 2 - low / 2
    return min(7, int((value / 2 - low / 2) / span * 8)) if span > 0 else 0
