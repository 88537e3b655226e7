"""Statistics of a few runs. The one module that imports SciPy, and only where a quantile is needed.

It is `scipy.special` and not `scipy.stats`: both give the same quantiles of Student's t, but importing the one takes 0.2 s, the other 0.6
to 1.3 s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from exptrack.model.tree import Value

# Two values are the same but for float noise if they differ by less than this share of the larger one.
NOISE = 1e-9

_LARGE = 1e300  # sums of larger values may overflow


class Equivalence(NamedTuple):
    """What two one-sided tests say of `mean(y) - mean(x)`: its interval of confidence 1 - 2 alpha, the larger p, and the answer."""

    difference: float
    low: float
    high: float
    p: float
    holds: bool


def mean(values: Sequence[float]) -> float:
    """The mean of finite values, the same in whatever order they come."""
    largest = max(map(abs, values))
    if largest < _LARGE:
        return math.fsum(values) / len(values)
    return largest * (math.fsum(value / largest for value in values) / len(values))


def deviation(values: Sequence[float]) -> float:
    """The sample standard deviation (ddof 1) of two finite values or more."""
    centre = mean(values)
    offsets = [value - centre for value in values]
    largest = max(map(abs, offsets))
    if largest == 0 or math.isinf(largest):
        return largest
    return largest * math.sqrt(math.fsum((offset / largest) ** 2 for offset in offsets) / (len(values) - 1))


def is_constant(values: Sequence[float]) -> bool:
    """Whether values differ by float noise alone. SciPy's tests must not see such values: they answer p = 0 or nan."""
    return len(values) < 2 or deviation(values) <= NOISE * max(map(abs, values))


def is_same_but_noise(old: float, new: float) -> bool:
    """Whether two values differ by float noise alone."""
    return abs(old - new) <= NOISE * max(abs(old), abs(new))


def same_bits(old: Value, new: Value) -> bool:
    """Whether two values of a metric are the same number to the last bit.

    NaN is NaN, and -0.0 is not 0.0. 1 and 1.0 are one number: a file that holds it reads so or so, as its writer pleased.
    """
    if isinstance(old, bool) or isinstance(new, bool) or not _are_numbers(old, new):
        return type(old) is type(new) and old == new
    if old == 0 == new:
        return math.copysign(1, old) == math.copysign(1, new)
    return old == new or (old != old and new != new)  # noqa: PLR0124 - only NaN differs from itself


def prediction_half_width(n: int, m: int, sd: float, alpha: float = 0.05) -> float:
    """Half the width of the interval around the mean of `n` values in which the mean of `m` new ones lies with probability 1 - alpha.

    t(n-1, 1-alpha/2) * sd * sqrt(1/m + 1/n), with `sd` of the n values (ddof 1), in their unit; for normal values. Source: Devore,
    Probability and Statistics for Engineering and the Sciences, section 7.3; Hahn and Meeker, Statistical Intervals, for m > 1. With K
    metrics take alpha / K (Bonferroni).
    """
    if n < 2 or m < 1 or not sd >= 0 or not 0 < alpha < 1:
        raise ValueError(f"no prediction from n={n}, m={m}, sd={sd}, alpha={alpha}")
    return quantile(n - 1, 1 - alpha / 2) * sd * math.sqrt(1 / m + 1 / n) if sd else 0.0


def tost(x: Sequence[float], y: Sequence[float], margin: float, alpha: float = 0.05) -> Equivalence:
    """Two one-sided tests (Schuirmann 1987) of whether the means of x and y are less than `margin` apart, with unequal variances.

    d = mean(y) - mean(x), SE^2 = sx^2/n + sy^2/m, df by Welch; p is the larger of P(T > (d + margin)/SE) and P(T < (d - margin)/SE).
    Equivalent if the interval d +- t(df, 1-alpha)*SE, of confidence 1 - 2 alpha, lies inside (-margin, margin), which is p < alpha. Two
    values or more each. If neither varies there is nothing to test: p is 0 or 1 as d lies inside or not.
    """
    if len(x) < 2 or len(y) < 2 or not margin > 0 or not 0 < alpha < 0.5:
        raise ValueError(f"no equivalence from n={len(x)}, m={len(y)}, margin={margin}, alpha={alpha}")
    difference = mean(y) - mean(x)
    error, df = _welch(x, y)
    if error == 0:
        holds = abs(difference) < margin
        return Equivalence(difference, difference, difference, 0.0 if holds else 1.0, holds)
    from scipy.special import stdtr

    reach = quantile(df, 1 - alpha) * error
    low, high = difference - reach, difference + reach
    p = max(float(stdtr(df, -(difference + margin) / error)), float(stdtr(df, (difference - margin) / error)))
    return Equivalence(difference, low, high, p, -margin < low and high < margin)


def quantile(df: float, p: float) -> float:
    """The quantile of Student's t with `df` degrees of freedom, which need not be whole."""
    from scipy.special import stdtrit

    return float(stdtrit(df, p))


def _welch(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """The standard error of the difference of two means, and Welch's degrees of freedom (Satterthwaite 1946, Welch 1947); 0, 0 of constants."""
    if is_constant(x) and is_constant(y):
        return 0.0, 0.0
    a, b = deviation(x) / math.sqrt(len(x)), deviation(y) / math.sqrt(len(y))
    error = math.hypot(a, b)
    # As shares of the whole, so that no square of a small or large error is 0 or infinite.
    share, other = (a / error) ** 2, (b / error) ** 2
    return error, 1 / (share**2 / (len(x) - 1) + other**2 / (len(y) - 1))


def _are_numbers(*values: Value) -> bool:
    return all(isinstance(value, (int, float)) for value in values)
