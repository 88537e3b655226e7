"""Integrals and roots of smooth functions, by fixed nodes and by halving: the same to the last bit wherever they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, np.dtype[np.float64]]


def nodes(low: float, high: float, count: int) -> tuple[Numbers, Numbers]:
    """The `count` nodes of Gauss and Legendre between low and high, and their weights."""
    places, weights = _legendre(count)
    half = (high - low) / 2
    return low + half * (places + 1), weights * half


def normal_nodes(count: int) -> tuple[Numbers, Numbers]:
    """Nodes above 0, and weights, that integrate an even function of a standard normal value; beyond 8.5 lies less than 2e-17 of it."""
    import numpy as np

    places, weights = nodes(0, 8.5, count)
    return places, weights * np.exp(-(places**2) / 2) * np.sqrt(2 / np.pi)


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a falling function is 0, to 12 digits. It must be so between low and high, or at one of them but for float noise.

    By the Illinois variant of regula falsi (Dowell and Jarratt 1971): ten or so calls where halving takes forty.
    """
    above, below = function(low), function(high)
    if above <= 0 or below >= 0:
        return low if above <= 0 else high
    side = 0
    while high - low > 1e-12 * high:
        middle = low + (high - low) * above / (above - below)
        value = function(middle)
        if abs(value) < 1e-15:
            return middle
        # What stands at an end that has stayed twice is halved; halved each time, it takes forty calls as well.
        if value > 0:
            low, above, below, side = middle, value, below / 2 if side > 0 else below, 1
        else:
            high, below, above, side = middle, value, above / 2 if side < 0 else above, -1
    return (low + high) / 2


@cache  # they are the eigenvalues of a matrix: half a second for a hundred on a busy machine, and asked for again and again
def _legendre(count: int) -> tuple[Numbers, Numbers]:
    import numpy as np

    return np.polynomial.legendre.leggauss(count)
