"""p-values of several comparisons, corrected for their number; and intervals that say what the corrected p-values say."""

from __future__ import annotations

from collections.abc import Sequence

from exptrack.analysis.stats.checks import require_alpha


def holm(ps: Sequence[float]) -> tuple[float, ...]:
    """The p-values adjusted by Holm's step-down procedure, in the order given: rejected at alpha are those that are <= alpha.

    The running maximum of p(i) * (k - i + 1) over the ordered p(1) <= ... <= p(k), at most 1. Source: Holm 1979, A simple sequentially
    rejective multiple test procedure, Scandinavian Journal of Statistics 6. ValueError for what is no p-value.
    """
    order = _order(ps)
    adjusted = [0.0] * len(ps)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, ps[place] * (len(ps) - rank)))
        adjusted[place] = highest
    return tuple(adjusted)


def benjamini_hochberg(ps: Sequence[float]) -> tuple[float, ...]:
    """The p-values adjusted for the false discovery rate, in the order given.

    The running minimum, from the largest down, of p(i) * k / i, at most 1. Source: Benjamini and Hochberg 1995, Controlling the false
    discovery rate, Journal of the Royal Statistical Society B 57. ValueError for what is no p-value.
    """
    order = _order(ps)
    adjusted = [0.0] * len(ps)
    lowest = 1.0
    for rank in range(len(ps), 0, -1):
        place = order[rank - 1]
        lowest = min(lowest, ps[place] * len(ps) / rank)
        adjusted[place] = lowest
    return tuple(adjusted)


def holm_confidences(ps: Sequence[float], alpha: float) -> tuple[float, ...]:
    """The confidence of each comparison's interval, so that it leaves 0 out exactly if Holm rejects at `alpha`.

    With ranks i by p, and r the rank of the first that is not rejected: 1 - alpha/(k - i + 1) for the rejected, 1 - alpha/(k - r + 1) for
    all others. Equal p-values share the smallest of their ranks, so that the order in which they are given changes nothing. Follows from
    Holm's procedure, whose i-th step is a test at alpha/(k - i + 1). ValueError for what is no p-value or no alpha.
    """
    require_alpha(alpha)
    adjusted = holm(ps)
    ordered = sorted(ps)
    rejected = sum(one <= alpha for one in adjusted)
    # Without a comparison that is not rejected nobody asks for this one.
    others = 1 - alpha / max(1, len(ps) - rejected)
    return tuple(
        1 - alpha / (len(ps) - ordered.index(p)) if one <= alpha else others
        for p, one in zip(ps, adjusted, strict=True)
    )


def _order(ps: Sequence[float]) -> list[int]:
    if not all(0 <= p <= 1 for p in ps):
        raise ValueError("no correction of what is no p-value: each lies from 0 to 1")
    return sorted(range(len(ps)), key=ps.__getitem__)
