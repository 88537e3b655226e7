"""What can be said of a few numbers without SciPy: their mean, how far they spread, and whether they are the same."""

from __future__ import annotations

import math
from collections.abc import Sequence

from exptrack.model.tree import Value

# Two values are the same but for float noise if they differ by less than this share of the larger one.
NOISE = 1e-9

_LARGE = 1e300  # sums of larger values may overflow


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


def require(what: str, *samples: Sequence[float], fewest: int = 2) -> None:
    """Raise ValueError unless each sample has `fewest` values or more, all of them finite. `what` is what cannot be had of them."""
    if any(len(sample) < fewest for sample in samples) or not all(
        math.isfinite(one) for sample in samples for one in sample
    ):
        sizes = ", ".join(str(len(sample)) for sample in samples)
        raise ValueError(f"no {what} from n={sizes}: it needs {fewest} finite values or more")


def _are_numbers(*values: Value) -> bool:
    return all(isinstance(value, (int, float)) for value in values)
