"""How large a difference is, whatever its unit. x is the baseline, y the candidate; larger is taken for better."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from exptrack.analysis.stats.plain import deviation, is_constant, mean, require


def hedges_g(x: Sequence[float], y: Sequence[float]) -> float:
    """The difference of means, y - x, in pooled standard deviations, without the bias of few values.

    g = J d, d = (mean(y) - mean(x))/s_p, s_p^2 = ((n-1) sx^2 + (m-1) sy^2)/df, df = n + m - 2, J = Gamma(df/2) / (sqrt(df/2)
    Gamma((df-1)/2)). Source: Hedges 1981, Distribution theory for Glass's estimator of effect size.

    Raises ValueError for fewer than two values in x or y, values that are not finite or too large, and if neither varies but for noise.
    """
    require("effect size", x, y)
    if is_constant(x) and is_constant(y):
        raise ValueError("no effect size of constants")
    difference, spread = mean(y) - mean(x), pooled_deviation(x, y)
    if not math.isfinite(difference) or not 0 < spread < math.inf:
        raise ValueError(f"no effect size of the difference {difference} with the standard deviation {spread}")
    df = len(x) + len(y) - 2
    return difference / spread * math.exp(math.lgamma(df / 2) - math.lgamma((df - 1) / 2)) / math.sqrt(df / 2)


def pooled_deviation(*groups: Sequence[float]) -> float:
    """The standard deviation that groups have in common: sqrt(sum (n_i - 1) s_i^2 / sum (n_i - 1)).

    A group of one value adds nothing. Raises ValueError if no group has two values, and for values that are not finite.
    """
    require("standard deviation", *groups, fewest=1)
    spread = [(len(group) - 1, deviation(group)) for group in groups if len(group) > 1]
    if not spread:
        raise ValueError("no standard deviation of single values")
    whole = sum(df for df, _ in spread)
    return math.hypot(*(sd * math.sqrt(df / whole) for df, sd in spread))


def share_better(x: Sequence[float], y: Sequence[float]) -> float:
    """P(y > x) + P(y = x)/2 over all pairs of a value of x and one of y: the probability of superiority, U/(nm) of Mann and Whitney.

    Source: Vargha and Delaney 2000. Raises ValueError for no values, and for values that are not finite.
    """
    return (1 + cliffs_delta(x, y)) / 2


def cliffs_delta(x: Sequence[float], y: Sequence[float]) -> float:
    """P(y > x) - P(y < x) over all pairs of a value of x and one of y, from -1 to 1.

    Source: Cliff 1993, Dominance statistics; negligible below .147, small below .33, medium below .474 (Romano et al. 2006). Raises
    ValueError for no values, and for values that are not finite.
    """
    require("effect size", x, y, fewest=1)
    ordered = sorted(x)
    dominance = sum(bisect_left(ordered, one) - (len(ordered) - bisect_right(ordered, one)) for one in y)
    return dominance / (len(x) * len(y))


def probability_of_improvement(tasks: Sequence[tuple[Sequence[float], Sequence[float]]]) -> float:
    """The mean of `share_better` over tasks, each being the values of the baseline and of the candidate on it.

    Source: Agarwal et al. 2021, Deep RL at the Edge of the Statistical Precipice. Raises ValueError for no tasks, and as `share_better`.
    """
    if not tasks:
        raise ValueError("no probability of improvement from 0 tasks")
    return mean([share_better(x, y) for x, y in tasks])


def iqm(values: Sequence[float]) -> float:
    """The interquartile mean: the mean of what is left without the lowest and the highest quarter, rounded down (n // 4 values each).

    For runs x tasks; of three values it is the mean. Source: Agarwal et al. 2021 (rliable takes SciPy's `trim_mean` of 0.25). Raises
    ValueError for no values, and for values that are not finite.
    """
    require("interquartile mean", values, fewest=1)
    cut = len(values) // 4
    return mean(sorted(values)[cut : len(values) - cut])
