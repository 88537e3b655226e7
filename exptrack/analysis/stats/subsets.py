"""How many of all the ways to choose from some values are as extreme as the one that was seen: the heart of each permutation test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, np.dtype[np.float64]]

# Values of which all subsets are looked at: 2^16 sums for each half, some 20 ms. It takes 16 runs beside 16.
MOST = 32

# Sums that should be equal differ by float noise, of which this share of all that was summed is far more.
NOISE = 1e-9


def share_as_far(values: Sequence[float], chosen: float, size: int | None, draws: int) -> tuple[float, bool]:
    """The share of subsets whose sum is as far from the middle as `chosen`, or farther; and whether all were counted.

    Subsets of `size` values (middle: size * mean), or of any number (middle: half of the sum). With more than `MOST` values it is
    estimated from `draws` subsets drawn at random, always the same, as (1 + count) / (1 + draws) (Phipson and Smyth 2010), so never 0.
    Give the values in an order that depends on nothing but their amounts.
    """
    total = math.fsum(values)
    middle = total / 2 if size is None else size * total / len(values)
    distance = abs(chosen - middle) - NOISE * math.fsum(map(abs, values))
    if len(values) <= MOST:
        count = _count(values, middle, distance, size)
        return count / (2 ** len(values) if size is None else math.comb(len(values), size)), True
    return _estimate(values, middle, distance, size, draws), False


def _count(values: Sequence[float], middle: float, distance: float, size: int | None) -> int:
    """The number of subsets. Each sum is one of a subset of the first half and one of the second: a search in sorted sums, no long list.

    Source: Horowitz and Sahni 1974, Computing partitions with applications to the knapsack problem.
    """
    import numpy as np

    half = len(values) // 2
    sums, sizes = _subsets(values[:half])
    others, other_sizes = _subsets(values[half:])
    kinds = [(None, None)] if size is None else [(one, size - one) for one in range(half + 1)]
    count = 0
    for one, other in kinds:
        left = sums if one is None else sums[sizes == one]
        right = np.sort(others if other is None else others[other_sizes == other])
        below = np.searchsorted(right, middle - distance - left, side="right")
        above = len(right) - np.searchsorted(right, middle + distance - left, side="left")
        # Where nothing is asked (a distance of 0 or less) each subset would be counted on both sides.
        count += int(np.minimum(below + above, len(right)).sum())
    return count


def _subsets(values: Sequence[float]) -> tuple[Numbers, Numbers]:
    """The sum and the size of each subset."""
    import numpy as np

    sums, sizes = np.zeros(1), np.zeros(1)
    for value in values:
        sums, sizes = np.concatenate((sums, sums + value)), np.concatenate((sizes, sizes + 1))
    return sums, sizes


def _estimate(values: Sequence[float], middle: float, distance: float, size: int | None, draws: int) -> float:
    import numpy as np

    keys = np.random.default_rng(0).random((draws, len(values)))
    amounts = np.array(values)
    if size is None:
        sums = (keys < 0.5) @ amounts
    else:
        sums = amounts[np.argpartition(keys, size - 1, axis=1)[:, :size]].sum(axis=1)
    return (1 + int((abs(sums - middle) >= distance).sum())) / (1 + draws)


def share_of_whole(values: Sequence[int], chosen: int, size: int | None) -> float:
    """The same share for whole numbers above 0, of which there may be a hundred: all sums are counted, one value after the other.

    In floats, which hold the numbers of subsets to 15 digits, up to a thousand values.
    """
    import numpy as np

    rows = 1 if size is None else size
    counts = np.zeros((rows + 1, sum(values) + 1))
    counts[0, 0] = 1
    for value in values:
        if size is None:
            counts[0, value:] += counts[0, :-value].copy()
        else:
            counts[1:, value:] += counts[:-1, :-value].copy()
    row = counts[0 if size is None else size]
    # Twice, or as often as there are values, so that the middle is a whole number too.
    parts = 2 if size is None else len(values)
    middle = sum(values) * (1 if size is None else size)
    far = abs(parts * np.arange(len(row)) - middle) >= abs(parts * chosen - middle)
    return float(row[far].sum() / row.sum())
