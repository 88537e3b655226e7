"""Tests that ask for no normal values: by ranks, and by all the ways in which the same values could have fallen."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from exptrack.analysis.stats.checks import require_pairs
from exptrack.analysis.stats.plain import NOISE, is_same_but_noise, mean, require
from exptrack.analysis.stats.subsets import share_as_far, share_of_whole

# Pairs, or runs of both groups, up to which ranks are counted exactly (50 beside 50 take 0.1 s); above, by the normal distribution.
EXACT = 100


class SignedRanks(NamedTuple):
    """The sum of the ranks of pairs in which y is larger, that of the others, and the two-sided p."""

    plus: float
    minus: float
    p: float
    is_exact: bool


class RankSum(NamedTuple):
    """`u`: of all pairs of one of x and one of y, in how many y is larger (ties count 1/2); and the two-sided p."""

    u: float
    p: float
    is_exact: bool


class Shuffled(NamedTuple):
    """The mean of y less that of x, and the share of shuffles that make it as large or larger, either way."""

    difference: float
    p: float
    is_exact: bool


class Friedman(NamedTuple):
    """Whether columns differ: chi-squared and its p, Iman and Davenport's F and its p, and each column's mean rank (1 is the best)."""

    chi2: float
    p: float
    F: float
    p_F: float  # noqa: N815 - as written everywhere
    ranks: tuple[float, ...]


class Against(NamedTuple):
    """A column beside the control: its mean rank less the control's in standard errors (negative: it is better), and the two-sided p."""

    column: int
    z: float
    p: float


def wilcoxon(x: Sequence[float], y: Sequence[float]) -> SignedRanks:
    """Wilcoxon's signed ranks of the differences y - x of pairs; those of zeros are split evenly between both sums.

    Differences that are alike but for float noise share their mean rank. The p counts all signs that the ranks of the other pairs could
    have (up to 100 pairs; then normal, corrected for ties): the split zeros add the same to both sums, and so change nothing. It is 1 if
    there is no difference at all. Source: Wilcoxon 1945, Biometrics 1; zeros as in Demsar 2006, JMLR 7, section 3.1.3. ValueError unless
    x and y are pairs of finite values.
    """
    require_pairs("signed ranks", x, y)
    scale = max(map(abs, (*x, *y))) or 1.0
    differences = [b / scale - a / scale for a, b in zip(x, y, strict=True)]
    noise = [NOISE * max(abs(a), abs(b)) / scale for a, b in zip(x, y, strict=True)]
    signs = [0 if abs(d) <= slack else math.copysign(1, d) for d, slack in zip(differences, noise, strict=True)]
    sizes = [abs(d) if sign else 0.0 for d, sign in zip(differences, signs, strict=True)]
    twice = _twice_ranks(sizes, lambda i, j: sizes[j] - sizes[i] <= noise[i] + noise[j] if sizes[i] else not sizes[j])
    plus = sum(rank for rank, sign in zip(twice, signs, strict=True) if sign > 0)
    split = sum(rank for rank, sign in zip(twice, signs, strict=True) if not sign)
    free = [rank for rank, sign in zip(twice, signs, strict=True) if sign]
    minus = sum(free) - plus
    if not free or len(x) <= EXACT:
        p = share_of_whole(free, plus, None) if free else 1.0
    else:
        p = math.erfc(abs(plus - minus) / math.sqrt(math.fsum(rank * rank for rank in free)) / math.sqrt(2))
    return SignedRanks((plus + split / 2) / 2, (minus + split / 2) / 2, p, not free or len(x) <= EXACT)


def mann_whitney(x: Sequence[float], y: Sequence[float]) -> RankSum:
    """Mann and Whitney's test of whether values of y tend to be larger than those of x, or smaller.

    Infinities are welcome: a failed run may be ranked worst. The p is the share of all ways to choose y from both whose rank sum is as far
    from the middle, with mean ranks for ties (up to 100 values; then normal, corrected for ties). Source: Mann and Whitney 1947, Annals of
    Mathematical Statistics 18. ValueError without a value on either side, or with NaN.
    """
    if not x or not y or any(map(math.isnan, (*x, *y))):
        raise ValueError("no rank sum without values on both sides, or of NaN")
    pool = (*x, *y)
    twice = _twice_ranks(pool, partial(_are_alike, pool))
    chosen = sum(twice[len(x) :])
    u = chosen / 2 - len(y) * (len(y) + 1) / 2
    if len(pool) <= EXACT:
        fewer = chosen if len(y) <= len(x) else sum(twice) - chosen
        return RankSum(u, share_of_whole(twice, fewer, min(len(x), len(y))), is_exact=True)
    return RankSum(u, _normal_rank_sum(twice, len(x), len(y), u), is_exact=False)


def permutation(x: Sequence[float], y: Sequence[float], draws: int = 20_000) -> Shuffled:
    """The permutation test of the difference of the means: all ways to choose y from the values of both, or `draws` of them.

    All up to 32 values. Counted are those whose difference is as large, ties included. Source: Fisher 1935, The Design of Experiments;
    Pitman 1937; (1 + count) / (1 + draws) by Phipson and Smyth 2010. ValueError without finite values on both sides.
    """
    require("permutation test", x, y, fewest=1)
    _require_draws(draws)
    scale = max(map(abs, (*x, *y))) or 1.0
    pool = [value / scale for value in (*x, *y)]
    centre = mean(sorted(pool))
    fewer = x if len(x) < len(y) else y
    chosen = math.fsum(value / scale - centre for value in fewer)
    # Values turned around their middle must draw the same subsets: the p is that of the same test.
    rest = min(sorted(value - centre for value in pool), sorted(centre - value for value in pool))
    return Shuffled(mean(y) - mean(x), *share_as_far(rest, chosen, len(fewer), draws))


def sign_flips(x: Sequence[float], y: Sequence[float], draws: int = 20_000) -> Shuffled:
    """The permutation test of pairs: all signs that the differences y - x could have, or `draws` of them.

    All up to 32 pairs. Counted are those whose mean difference is as large, ties included. Source: Fisher 1935, The Design of Experiments. ValueError unless x and y are pairs of finite values.
    """
    require_pairs("sign flips", x, y)
    _require_draws(draws)
    scale = max(map(abs, (*x, *y))) or 1.0
    differences = [b / scale - a / scale for a, b in zip(x, y, strict=True)]
    plus = math.fsum(value for value in differences if value > 0)
    return Shuffled(mean(y) - mean(x), *share_as_far(sorted(map(abs, differences)), plus, None, draws))


def friedman(table: Sequence[Sequence[float]]) -> Friedman:
    """Friedman's test of whether columns (configurations) differ over rows (datasets), by the ranks in each row: the largest value has rank 1.

    chi2 = 12N/(k(k+1)) * (sum R^2 - k(k+1)^2/4) with k - 1 degrees of freedom, not corrected for ties (which errs on the safe side);
    F = (N-1)chi2/(N(k-1) - chi2) with k - 1 and (k-1)(N-1). If all rows agree F is infinite, and its p is (1/k!)^(N-1), the exact one.
    Source: Demsar 2006, JMLR 7, section 3.2; Iman and Davenport 1980; Conover 1999, Practical Nonparametric Statistics, for the infinite F. ValueError unless
    there are two rows and two columns or more, all finite.
    """
    sums = _rank_sums(table)
    n, k = len(table), len(sums)
    spread = (
        3 * sum(one * one for one in sums) - 3 * n * n * k * (k + 1) ** 2
    )  # whole, so that chi2 is not off by float noise
    chi2 = spread / (n * k * (k + 1))
    from scipy.special import chdtrc, fdtrc

    ranks = tuple(one / 2 / n for one in sums)
    p = float(chdtrc(k - 1, chi2))
    if spread == n * n * k * (k + 1) * (k - 1):
        return Friedman(chi2, p, math.inf, math.exp(-(n - 1) * math.lgamma(k + 1)), ranks)
    ratio = (n - 1) * chi2 / (n * (k - 1) - chi2)
    return Friedman(chi2, p, ratio, float(fdtrc(k - 1, (k - 1) * (n - 1), ratio)), ranks)


def friedman_against(table: Sequence[Sequence[float]], control: int = 0) -> tuple[Against, ...]:
    """Each column beside the control: z = (R_i - R_0) / sqrt(k(k+1)/(6N)) of their mean ranks, and its p, which Holm is still to correct.

    Negative z means better than the control, as the best has rank 1. Source: Demsar 2006, JMLR 7, section 3.2. ValueError as by
    `friedman`, and if there is no such column.
    """
    sums = _rank_sums(table)
    n, k = len(table), len(sums)
    if not 0 <= control < k:
        raise ValueError(f"no control in column {control} of {k}")
    error = math.sqrt(k * (k + 1) / (6 * n))
    scores = ((column, (one - sums[control]) / (2 * n) / error) for column, one in enumerate(sums) if column != control)
    return tuple(Against(column, z, math.erfc(abs(z) / math.sqrt(2))) for column, z in scores)


def _rank_sums(table: Sequence[Sequence[float]]) -> list[int]:
    """Twice the sum of the ranks of each column, the largest value of a row having rank 1."""
    if len(table) < 2 or len(table[0]) < 2 or any(len(row) != len(table[0]) for row in table):
        raise ValueError("no Friedman test: give two rows and two columns or more, all rows of one length")
    require("Friedman test", *table, fewest=1)
    ranked = [_twice_ranks([-value for value in row], partial(_are_alike, row)) for row in table]
    return [sum(column) for column in zip(*ranked, strict=True)]


def _twice_ranks(values: Sequence[float], are_alike: Callable[[int, int], bool]) -> list[int]:
    """Twice the rank of each value, so that the mean ranks of ties are whole too. Alike are those that are so with the least of them."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0] * len(values)
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and are_alike(order[start], order[end]):
            end += 1
        for place in order[start:end]:
            ranks[place] = start + 1 + end
        start = end
    return ranks


def _are_alike(values: Sequence[float], i: int, j: int) -> bool:
    a, b = values[i], values[j]
    return a == b or (math.isfinite(a) and math.isfinite(b) and is_same_but_noise(a, b))


def _normal_rank_sum(twice: Sequence[int], n: int, m: int, u: float) -> float:
    """The variance of U is n*m/(N(N-1)) times that of the ranks around their mean; half a step is taken off for continuity."""
    total = n + m
    spread = math.fsum((rank - total - 1) ** 2 for rank in twice) / 4
    if not spread:
        return 1.0
    error = math.sqrt(n * m * spread / (total * (total - 1)))
    return math.erfc(max(0.0, abs(u - n * m / 2) - 0.5) / error / math.sqrt(2))


def _require_draws(draws: int) -> None:
    if draws < 1:
        raise ValueError(f"no estimate from {draws} draws")
