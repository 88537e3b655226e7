"""What no statistic can be made of is refused, before a formula makes a number of it."""

from __future__ import annotations

from collections.abc import Sequence

from exptrack.analysis.stats.plain import require


def require_pairs(what: str, x: Sequence[float], y: Sequence[float], fewest: int = 1) -> None:
    """Raise ValueError, naming `what` was to be made, unless x and y are pairs of finite values, `fewest` of them or more."""
    if len(x) != len(y):
        raise ValueError(f"no {what} of {len(x)} values beside {len(y)}: they must be pairs")
    require(what, x, y, fewest=fewest)


def require_alpha(alpha: float) -> None:
    """Raise ValueError unless alpha is a probability of error, above 0 and below 1."""
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}: give a number above 0 and below 1")
