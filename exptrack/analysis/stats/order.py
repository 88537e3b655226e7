"""What the best of several is worth: noise alone makes the best look better than it is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from exptrack.analysis.stats.plain import require

_REACH, _STEP = 10.0, 1 / 64  # the trapezoid rule over -10..10: right to 1e-10 up to a million


def expected_max(k: int) -> float:
    """The expected largest of `k` standard normal values: the integral of z k phi(z) Phi(z)^(k-1).

    Source: Tippett 1925; David and Nagaraja 2003, Order Statistics, section 3.1. Raises ValueError for k < 1.
    """
    if k < 1:
        raise ValueError(f"no largest of k={k} values")
    steps = round(_REACH / _STEP)
    return math.fsum(_weigh(step * _STEP, k) for step in range(-steps, steps + 1)) * _STEP


def winners_curse(k: int, sd: float, n: int) -> float:
    """By how much the best of `k` configurations that are all the same looks better than it is: sd/sqrt(n) * expected_max(k).

    `sd` is the standard deviation of runs, in the metric's unit; each configuration is the mean of `n` runs. Raises ValueError for
    k < 1, n < 1 and an sd that is below 0 or not finite.
    """
    if n < 1 or not 0 <= sd < math.inf:
        raise ValueError(f"no winner's curse from k={k}, sd={sd}, n={n}")
    return sd / math.sqrt(n) * expected_max(k)


def best_of(values: Sequence[float], b: int, *, is_biased: bool = True) -> float:
    """The expected best (largest) of `b` runs, told from N values: sum of v(i) (F(i) - F(i-1)) over the values in order.

    Biased, F(i) = (i/N)^b: draws with replacement (Dodge et al. 2019, Show Your Work). Unbiased, F(i) = C(i, b)/C(N, b): draws without
    (Tang et al. 2020, Showing Your Work Doesn't Always Work). The biased one is the default: it varies less, and leads to fewer wrong
    conclusions (Dodge et al. 2021, Expected Validation Performance and Estimation of a Random Variable's Maximum).

    Raises ValueError for no values, values that are not finite, b < 1, and b > N of the unbiased one.
    """
    require("best", values, fewest=1)
    n = len(values)
    if b < 1 or (b > n and not is_biased):
        raise ValueError(f"no best of b={b} from n={n}")
    # Whole numbers as far as they go: their quotients are right to the last bit, however large they are.
    below = [i**b if is_biased else math.comb(i, b) for i in range(n + 1)]
    ordered = sorted(values)
    return math.fsum(value * ((below[i + 1] - below[i]) / below[n]) for i, value in enumerate(ordered))


def _weigh(z: float, k: int) -> float:
    share = math.erfc(-z / math.sqrt(2)) / 2
    return z * k * math.exp(-z * z / 2) / math.sqrt(2 * math.pi) * share ** (k - 1)
