"""Two models on the same examples: how sure their difference is, for other examples of the same kind."""

from __future__ import annotations

import math

from exptrack.analysis.stats.checks import require_alpha
from exptrack.analysis.stats.resampling import Resampled


def bootstrap_counts(b: int, c: int, n: int, draws: int = 10_000, seed: int = 0, confidence: float = 0.95) -> Resampled:
    """The percentile interval of (c - b)/n: by how much the second model is right more often, the `n` examples drawn with replacement.

    `b` examples only the first has right, `c` only the second. To draw examples is to draw these two counts from a multinomial
    distribution, which costs the same for a million examples. Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap.
    ValueError unless 0 <= b, 0 <= c and b + c <= n, n being 1 or more.
    """
    if min(b, c) < 0 or b + c > n or n < 1 or draws < 1:
        raise ValueError(f"no interval from {b} and {c} of {n} examples and {draws} draws")
    require_alpha(1 - confidence)
    import numpy as np

    # The smaller count first, so that the two models in the other order give the same interval, turned round.
    few, many = sorted((b, c))
    drawn = np.random.default_rng(seed).multinomial(n, [few / n, many / n, (n - few - many) / n], size=draws)
    sign = 1 if c >= b else -1
    ends = sign * np.quantile((drawn[:, 1] - drawn[:, 0]) / n, [(1 - confidence) / 2, (1 + confidence) / 2])
    low, high = float(min(ends)), float(max(ends))
    if b == c:
        low, high = -max(-low, high), max(-low, high)
    return Resampled((c - b) / n, low, high)


def share_error(share: float, n: int) -> float:
    """The standard error that the choice of `n` examples gives a share of them: sqrt(p(1-p)/n), 0.3 % at p = .9 and 10,000.

    Source: the variance of a binomial share. ValueError for a share outside of 0..1, and for n < 1.
    """
    if not 0 <= share <= 1 or n < 1:
        raise ValueError(f"no standard error of a share {share} of {n} examples")
    return math.sqrt(share * (1 - share) / n)
