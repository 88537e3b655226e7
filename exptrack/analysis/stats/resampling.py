"""Intervals by drawing from the values again: for metrics of two models on the same examples, and for a suite of tasks. Always the same draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, NamedTuple

from exptrack.analysis.stats.checks import require_alpha, require_pairs
from exptrack.analysis.stats.plain import require


class Resampled(NamedTuple):
    """A statistic of the values, and the percentile interval of it."""

    value: float
    low: float
    high: float


def paired_bootstrap(
    x: Sequence[float],
    y: Sequence[float],
    statistic: Callable[[Any, Any], float],
    draws: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Resampled:
    """The percentile interval of `statistic(x, y)`, pairs (examples) being drawn with replacement.

    The statistic gets two arrays of shape (n,), in no order that means anything. Not for runs: of few runs it claims too much (with 3,
    a difference in 20 of 100 studies that have none). Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap.
    ValueError unless x and y are two finite pairs or more, and the statistic is finite.
    """
    import numpy as np

    require_pairs("bootstrap", x, y, fewest=2)
    pairs = np.array(sorted(zip(x, y, strict=True)))
    first, second = pairs[:, 0], pairs[:, 1]
    generator = np.random.default_rng(seed)

    def draw() -> float:
        chosen = generator.integers(len(first), size=len(first))
        return float(statistic(first[chosen], second[chosen]))

    return _interval(float(statistic(first, second)), draw, draws, confidence)


def stratified_bootstrap(
    tasks: Sequence[Sequence[float]],
    statistic: Callable[[Sequence[float]], float],
    draws: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Resampled:
    """The percentile interval of `statistic` (such as `iqm`) of all values, the runs of each task being drawn with replacement among themselves.

    The statistic gets the values of all tasks in one sequence. A description of a fixed suite of tasks, no test. Source: Agarwal et al. 2021,
    Deep reinforcement learning at the edge of the statistical precipice (rliable). ValueError without a task, for a task without finite
    values, and if the statistic is not finite.
    """
    import numpy as np

    if not tasks:
        raise ValueError("no bootstrap without a task")
    require("bootstrap", *tasks, fewest=1)
    strata = sorted(sorted(task) for task in tasks)
    generator = np.random.default_rng(seed)

    values = np.array([*chain.from_iterable(strata)])
    sizes = [len(runs) for runs in strata]
    first, count = np.repeat(np.cumsum([0, *sizes[:-1]]), sizes), np.repeat(sizes, sizes)

    def draw() -> float:
        places = first + (generator.random(len(values)) * count).astype(int)
        return float(statistic(values[places].tolist()))

    return _interval(float(statistic(values.tolist())), draw, draws, confidence)


def _interval(value: float, draw: Callable[[], float], draws: int, confidence: float) -> Resampled:
    import numpy as np

    require_alpha(1 - confidence)
    if draws < 1:
        raise ValueError(f"no interval from {draws} draws")
    drawn = [draw() for _ in range(draws)]
    if not all(map(math.isfinite, (value, *drawn))):
        raise ValueError("no bootstrap of a statistic that is not finite")
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Resampled(value, float(low), float(high))
