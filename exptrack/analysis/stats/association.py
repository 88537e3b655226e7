"""How closely a metric goes with a parameter: by ranks where both are numbers, by the share of the variance where one is a name."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from exptrack.analysis.stats.checks import require_alpha, require_pairs
from exptrack.analysis.stats.plain import is_constant, mean, require

_HALVINGS = 60


class Strength(NamedTuple):
    """An association and its interval; the ends are None where the values have none."""

    value: float
    low: float | None
    high: float | None


def spearman(x: Sequence[float], y: Sequence[float], confidence: float = 0.95) -> Strength:
    """Spearman's rank correlation of pairs, ties having their mean rank: Pearson's correlation of the ranks.

    The interval is tanh(atanh(r) +/- z * sqrt((1 + r^2/2) / (n - 3))), for four pairs or more. Where all ranks agree r is 1, and that
    formula has no width: its inner end is then taken from the next lower correlation of n ranks, 1 - 12/(n(n^2 - 1)). Source: Spearman
    1904, American Journal of Psychology 15; the interval by Bonett and Wright 2000, Psychometrika 65, 23-28. ValueError unless x and y
    are three finite pairs or more, and neither is constant.
    """
    require_pairs("rank correlation", x, y, fewest=3)
    require_alpha(1 - confidence)
    if is_constant(x) or is_constant(y):
        raise ValueError("no rank correlation with a constant")
    first, second = _ranks(x), _ranks(y)
    n, centre = len(x), (len(x) + 1) / 2
    product = math.fsum((a - centre) * (b - centre) for a, b in zip(first, second, strict=True))
    scale = math.sqrt(math.fsum((a - centre) ** 2 for a in first) * math.fsum((b - centre) ** 2 for b in second))
    r = max(-1.0, min(1.0, product / scale))
    if n < 4:
        return Strength(r, None, None)
    from scipy.special import ndtri

    most = 1 - 12 / (n * (n * n - 1))
    near = max(-most, min(most, r))
    reach = float(ndtri((1 + confidence) / 2)) * math.sqrt((1 + near * near / 2) / (n - 3))
    low, high = math.tanh(math.atanh(near) - reach), math.tanh(math.atanh(near) + reach)
    return Strength(r, min(low, r) if r > -most else -1.0, max(high, r) if r < most else 1.0)


def eta_squared(groups: Sequence[Sequence[float]], confidence: float = 0.95) -> Strength:
    """The share of the sum of squares that lies between groups, SS_between / SS_total, which few values a group make too large.

    The interval is lambda / (lambda + N) of the two lambda for which the F seen is the upper and the lower (1 - confidence)/2 quantile of
    the noncentral F; an end that no lambda has is 0. There is none where groups do not vary inside. Source: eta by Fisher 1925,
    Statistical Methods for Research Workers; the interval by Steiger 2004, Psychological Methods 9, 164-182. ValueError unless there are
    two groups or more of finite values, more values than groups, and the values differ.
    """
    require("share of the variance", *groups, fewest=1)
    require_alpha(1 - confidence)
    values = sorted(value for one in groups for value in one)
    k, n = len(groups), len(values)
    if k < 2 or n <= k or is_constant(values):
        raise ValueError(
            f"no share of the variance from {k} groups of {n} values: give two or more, more values than groups, and values that differ"
        )
    # Only quotients count: in units of the range no square is 0 or infinite.
    low, width = values[0], values[-1] / 2 - values[0] / 2
    scaled = [[(value / 2 - low / 2) / width for value in one] for one in groups]
    centre = mean([value for one in scaled for value in one])
    between = math.fsum(len(one) * (mean(one) - centre) ** 2 for one in scaled)
    within = math.fsum(math.fsum((value - mean(one)) ** 2 for value in one) for one in scaled)
    share = between / (between + within)
    if all(is_constant(one) for one in groups):
        return Strength(share, None, None)
    ratio = between / (k - 1) / (within / (n - k))
    tail = (1 - confidence) / 2
    low_end = _noncentrality(k - 1, n - k, ratio, 1 - tail)
    high_end = _noncentrality(k - 1, n - k, max(1.0, ratio), tail)
    return Strength(share, min(low_end / (low_end + n), share), max(high_end / (high_end + n), share))


def _noncentrality(between: int, within: int, ratio: float, p: float) -> float:
    """The lambda of which `ratio` is the quantile `p` of the noncentral F; 0 if there is none."""
    from scipy.special import ncfdtr

    def below(noncentrality: float) -> float:
        found = float(ncfdtr(between, within, noncentrality, ratio))
        return found if math.isfinite(found) else 0.0  # far below all that F would be

    if below(0.0) <= p:
        return 0.0
    high = max(1.0, ratio * between)
    while below(high) > p:
        high *= 2
    return _halve(lambda value: below(value) > p, 0.0, high)


def _halve(is_low: Callable[[float], bool], low: float, high: float) -> float:
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_low(middle) else (low, middle)
    return (low + high) / 2


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + 1 + end) / 2
        start = end
    return ranks
