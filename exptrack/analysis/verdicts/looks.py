"""How much of alpha each of several declared looks may spend."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist

LEAST_ALPHA = 1e-10  # far below it floats do not tell 1 - alpha, the confidence of an interval, from 1


@lru_cache(maxsize=64)
def look_alphas(count: int, alpha: float = 0.05) -> tuple[float, ...]:
    """The two-sided alpha of each of `count` looks, all together `alpha`: O'Brien and Fleming's for looks that are evenly spaced.

    |Z_i| >= C sqrt(K/i) at look i of K, C so that a walk of K standard normal steps leaves (-C sqrt(K), C sqrt(K)) with probability
    alpha: three looks at .05 have .0005, .014, .045. Source: O'Brien and Fleming 1979, Biometrics 35, 549-556; the integral by Armitage,
    McPherson and Rowe 1969; C as in Jennison and Turnbull 2000, table 2.3. None is below 1e-10, which adds no more than that to the whole.
    ValueError for fewer than one look, or no alpha.
    """
    if count < 1 or not 0 < alpha < 1:
        raise ValueError(f"no alphas of {count} looks at alpha={alpha}")
    normal = NormalDist()
    # One look needs the usual quantile; several at most Bonferroni's.
    low, high = -normal.inv_cdf(alpha / 2), -normal.inv_cdf(alpha / 2 / count)
    if count > 1:
        leaves = _walk(count, high)
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if leaves(middle * math.sqrt(count)) > alpha else (low, middle)
    # By erfc, since 1 + erf has nothing left of a far tail.
    alphas = (math.erfc(high * math.sqrt(count / look / 2)) for look in range(1, count + 1))
    return tuple(max(one, LEAST_ALPHA) for one in alphas)


def _walk(steps: int, highest: float) -> Callable[[float], float]:
    """The probability that a walk of standard normal steps from 0 leaves (-bound, bound), for bounds up to `highest` of its deviation."""
    import numpy as np

    nodes, shares = np.polynomial.legendre.leggauss(max(40, 8 * math.ceil(highest * math.sqrt(steps))))

    def leaves(bound: float) -> float:
        places, weights = nodes * bound, shares * bound / math.sqrt(2 * math.pi)
        density = np.exp(-(places**2) / 2)
        kernel = np.exp(-((places[:, None] - places[None, :]) ** 2) / 2) * weights[None, :]
        for _ in range(steps - 1):
            density = kernel @ density
        return 1 - float(weights @ density)

    return leaves
