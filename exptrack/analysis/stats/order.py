"""What the best of several is worth: noise alone makes the best look better than it is."""

from __future__ import annotations

import math

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


def _weigh(z: float, k: int) -> float:
    share = math.erfc(-z / math.sqrt(2)) / 2
    return z * k * math.exp(-z * z / 2) / math.sqrt(2 * math.pi) * share ** (k - 1)
