"""Intervals for what is yet to come: new runs, a share of all runs, failures."""

from __future__ import annotations

import math

from exptrack.analysis.stats.student import quantile

_NODES = 40  # of the quadrature: the factors are right to 1e-9 from n = 2 up


def prediction_half_width(n: int, m: int, sd: float, alpha: float = 0.05) -> float:
    """Half the width of the interval around the mean of `n` values in which the mean of `m` new ones lies with probability 1 - alpha.

    t(n-1, 1-alpha/2) * sd * sqrt(1/m + 1/n), with `sd` of the n values (ddof 1), in their unit; for normal values. Source: Devore,
    Probability and Statistics for Engineering and the Sciences, section 7.3; Hahn and Meeker, Statistical Intervals, for m > 1. With K
    metrics take alpha / K (Bonferroni).
    """
    if n < 2 or m < 1 or not sd >= 0 or not 0 < alpha < 1:
        raise ValueError(f"no prediction from n={n}, m={m}, sd={sd}, alpha={alpha}")
    return quantile(n - 1, 1 - alpha / 2) * sd * math.sqrt(1 / m + 1 / n) if sd else 0.0


def tolerance_factor(n: int, coverage: float = 0.95, confidence: float = 0.95) -> float:
    """The k with which mean +- k*sd of `n` normal values holds the share `coverage` of all values, with this confidence.

    Exact: the k at which the integral of P(chi2(n-1) > (n-1) r(z)^2/k^2) over the normal error z of the mean (variance 1/n) is the
    confidence, where r(z)^2 is the quantile at `coverage` of the noncentral chi2 with 1 df and noncentrality z^2. Source: Odeh and Owen
    1980, Tables for Normal Tolerance Limits; Krishnamoorthy and Mathew 2009, Statistical Tolerance Regions, section 2.3.

    Raises ValueError for n < 2 and shares that do not lie between 0 and 1.
    """
    start = howe_factor(n, coverage, confidence)
    import numpy as np
    from scipy.special import chdtrc, chndtrix

    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    z = 4.5 * (nodes + 1)  # the normal density beyond 9 is 1e-18
    density = 4.5 * weights * np.sqrt(2 / np.pi) * np.exp(-z * z / 2)
    scaled = (n - 1) * chndtrix(coverage, 1, z * z / n)
    low, high = start / 2, 2 * start
    for _ in range(60):
        middle = (low + high) / 2
        if float(density @ chdtrc(n - 1, scaled / middle**2)) < confidence:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def howe_factor(n: int, coverage: float = 0.95, confidence: float = 0.95) -> float:
    """Howe's approximation of `tolerance_factor`: sqrt((n-1) (1 + 1/n) z((1+coverage)/2)^2 / chi2(n-1, 1-confidence)).

    Source: Howe 1969, Two-sided tolerance limits for normal populations, JASA 64, 610-620; NIST/SEMATECH e-Handbook, section 7.2.6.3.

    Raises ValueError for n < 2 and shares that do not lie between 0 and 1.
    """
    if n < 2 or not 0 < coverage < 1 or not 0 < confidence < 1:
        raise ValueError(f"no tolerance from n={n}, coverage={coverage}, confidence={confidence}")
    from scipy.special import chdtri, ndtri

    z = float(ndtri((1 + coverage) / 2))
    return z * math.sqrt((n - 1) * (1 + 1 / n) / float(chdtri(n - 1, confidence)))


def failure_limit(n: int, confidence: float = 0.95) -> float:
    """The upper limit of the rate of failures, of this confidence, after `n` runs of which none failed: 1 - (1 - confidence)^(1/n).

    Source: Clopper and Pearson 1934, for 0 of n. Raises ValueError for n < 1 and a confidence that does not lie between 0 and 1.
    """
    if n < 1 or not 0 < confidence < 1:
        raise ValueError(f"no limit of failures from n={n}, confidence={confidence}")
    return -math.expm1(math.log1p(-confidence) / n)
