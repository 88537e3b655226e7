"""Tests that rest on Student's t: whether two means differ, whether they are the same but for a margin, and Bartlett's of the variances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from exptrack.analysis.stats.plain import NOISE, deviation, is_constant, mean, require


class Welch(NamedTuple):
    """What a t test says of a difference of means, y - x, in their unit: its standard error, degrees of freedom, t, and the two-sided p."""

    difference: float
    error: float
    df: float
    t: float
    p: float

    def interval(self, confidence: float) -> tuple[float, float]:
        """The interval of this confidence (0.95): d +- t(df, (1 + confidence)/2)*SE. It leaves 0 out where p < 1 - confidence.

        Raises ValueError unless the confidence lies between 0 and 1.
        """
        if not 0 < confidence < 1:
            raise ValueError(f"no interval of confidence {confidence}")
        # Of the tail and not of 0.5 + confidence/2, of which little is left near 1.
        reach = -quantile(self.df, (1 - confidence) / 2) * self.error
        return self.difference - reach, self.difference + reach


class Equivalence(NamedTuple):
    """What two one-sided tests say of `mean(y) - mean(x)`: its interval of confidence 1 - 2 alpha, the larger p, and the answer."""

    difference: float
    low: float
    high: float
    p: float
    holds: bool


def welch(x: Sequence[float], y: Sequence[float]) -> Welch:
    """Whether the means of x and y differ, with unequal variances (Welch 1947).

    d = mean(y) - mean(x), SE^2 = sx^2/n + sy^2/m, df = SE^4 / ((sx^2/n)^2/(n-1) + (sy^2/m)^2/(m-1)), t = d/SE.

    Raises ValueError for fewer than two values, values that are not finite or whose difference is not, and if neither x nor y varies
    but for float noise: of constants SciPy says p = 0 or nan.
    """
    require("Welch test", x, y)
    error, df = welch_error(deviation(x), deviation(y), len(x), len(y))
    if is_constant(x) and is_constant(y):
        raise ValueError("no Welch test of constants")
    return _test(mean(y) - mean(x), error, df)


def paired(x: Sequence[float], y: Sequence[float]) -> Welch:
    """Whether the mean of the differences y - x of pairs is another than 0 (Student 1908): t = mean(d)/(s_d/sqrt(n)), n - 1 df.

    Raises ValueError for fewer than two pairs, x and y of unequal length, values that are not finite or whose difference is not, and if
    the differences do not vary but for float noise.
    """
    return nadeau_bengio(x, y, 0.0)


def nadeau_bengio(x: Sequence[float], y: Sequence[float], test_share: float) -> Welch:
    """Whether y differs from x over the J folds or splits of one set of data, whose training sets overlap.

    t = mean(d) / sqrt(s_d^2 * (1/J + test_share)), J - 1 df, where `test_share` is n_test / n_train of a fold (1/(k - 1) in k-fold
    cross-validation, 0 if nothing overlaps: then it is the paired t test). In repeated cross-validation J counts the folds of all
    repetitions. Source: Nadeau and Bengio 2003, Inference for the Generalization Error, Machine Learning 52, 239-281; for repetitions
    Bouckaert and Frank 2004.

    Raises ValueError as `paired` does, and for a share below 0.
    """
    require("paired test", x, y)
    if len(x) != len(y) or not 0 <= test_share < math.inf:
        raise ValueError(f"no paired test from n={len(x)}, {len(y)}, test_share={test_share}")
    differences = [b - a for a, b in zip(x, y, strict=True)]
    require("paired test", differences)
    spread = deviation(differences)
    # Noise is measured by the values, not by their differences: 0.1 + 0.2 and 0.3 differ by noise alone.
    if spread <= NOISE * max(map(abs, (*x, *y))):
        raise ValueError("no paired test of differences that are constant")
    return _test(mean(differences), spread * math.sqrt(1 / len(x) + test_share), len(x) - 1)


def tost(x: Sequence[float], y: Sequence[float], margin: float, alpha: float = 0.05) -> Equivalence:
    """Two one-sided tests (Schuirmann 1987) of whether the means of x and y are less than `margin` apart, with unequal variances.

    d = mean(y) - mean(x), SE^2 = sx^2/n + sy^2/m, df by Welch; p is the larger of P(T > (d + margin)/SE) and P(T < (d - margin)/SE).
    Equivalent if the interval d +- t(df, 1-alpha)*SE, of confidence 1 - 2 alpha, lies inside (-margin, margin), which is p < alpha. Two
    values or more each. If neither varies there is nothing to test: p is 0 or 1 as d lies inside or not.
    """
    if len(x) < 2 or len(y) < 2 or not margin > 0 or not 0 < alpha < 0.5:
        raise ValueError(f"no equivalence from n={len(x)}, m={len(y)}, margin={margin}, alpha={alpha}")
    difference = mean(y) - mean(x)
    error, df = welch_error(deviation(x), deviation(y), len(x), len(y))
    if error == 0 or (is_constant(x) and is_constant(y)):
        holds = abs(difference) < margin
        return Equivalence(difference, difference, difference, 0.0 if holds else 1.0, holds)
    from scipy.special import stdtr

    reach = quantile(df, 1 - alpha) * error
    low, high = difference - reach, difference + reach
    p = max(float(stdtr(df, -(difference + margin) / error)), float(stdtr(df, (difference - margin) / error)))
    return Equivalence(difference, low, high, p, -margin < low and high < margin)


def bartlett(groups: Sequence[Sequence[float]]) -> float:
    """The p of Bartlett's test of whether groups have equal variances.

    chi2 = ((N - k) ln s_p^2 - sum (n_i - 1) ln s_i^2) / (1 + (sum 1/(n_i - 1) - 1/(N - k)) / (3 (k - 1))), k - 1 df, with N values in k
    groups. Source: Bartlett 1937; Snedecor and Cochran, Statistical Methods. If one group is constant but for float noise
    and another is not, p is 0.

    Raises ValueError for fewer than two groups or two values in one, values that are not finite, and if no group varies.
    """
    require("Bartlett test", *groups)
    spreads = [0.0 if is_constant(group) else deviation(group) for group in groups]
    largest = max(spreads, default=0.0)
    if len(groups) < 2 or not 0 < largest < math.inf:
        raise ValueError(f"no Bartlett test of {len(groups)} groups with standard deviations up to {largest}")
    if min(spreads) == 0:
        return 0.0
    from scipy.special import chdtrc

    dfs = [len(group) - 1 for group in groups]
    whole = sum(dfs)
    # In units of the largest deviation, so that no square is 0 or infinite.
    logs = [2 * math.log(spread / largest) for spread in spreads]
    pooled = math.fsum(df * math.exp(log) for df, log in zip(dfs, logs, strict=True)) / whole
    excess = whole * math.log(pooled) - math.fsum(df * log for df, log in zip(dfs, logs, strict=True))
    correction = 1 + (math.fsum(1 / df for df in dfs) - 1 / whole) / (3 * (len(groups) - 1))
    # Groups that vary alike have an excess of 0, give or take float noise; below 0 SciPy answers NaN.
    return float(chdtrc(len(groups) - 1, max(excess / correction, 0.0)))


def quantile(df: float, p: float) -> float:
    """The quantile of Student's t with `df` degrees of freedom, which need not be whole."""
    from scipy.special import stdtrit

    return float(stdtrit(df, p))


def welch_error(sx: float, sy: float, n: int, m: int) -> tuple[float, float]:
    """The standard error of the difference of two means, and Welch's degrees of freedom (Satterthwaite 1946, Welch 1947).

    `sx` and `sy` are standard deviations of n and m values; 0, 0 if both are 0.
    """
    a, b = sx / math.sqrt(n), sy / math.sqrt(m)
    error = math.hypot(a, b)
    if error == 0:
        return 0.0, 0.0
    # As shares of the whole, so that no square of a small or large error is 0 or infinite.
    share, other = (a / error) ** 2, (b / error) ** 2
    return error, 1 / (share**2 / (n - 1) + other**2 / (m - 1))


def _test(difference: float, error: float, df: float) -> Welch:
    from scipy.special import stdtr

    if not math.isfinite(difference) or not 0 < error < math.inf:
        raise ValueError(f"no t test of the difference {difference} with the standard error {error}")
    t = difference / error
    return Welch(difference, error, df, t, 2 * float(stdtr(df, -abs(t))))
