"""Long histories, thinned to what a curve shows of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

from exptrack.analysis.points import Points

MOST = 2000  # points of a history in Git; a screen has no more columns


def thin(points: Points, most: int = MOST) -> Points:
    """The history itself if it has at most so many points, else that many of them at most.

    The points in the order in which they were logged are cut into buckets of equal length. Of each its least, greatest and last value
    stay, and the first that is NaN or infinite; of the whole the first point.
    """
    if len(points) <= most:
        return points
    values = points.values
    each = 3 if all(map(isfinite, values)) else 4
    buckets = (most - 1) // each
    kept = {0}
    for number in range(buckets):
        kept.update(_choose(values, range(len(values) * number // buckets, len(values) * (number + 1) // buckets)))
    return points.pick(sorted(kept))


def _choose(values: Sequence[float], places: range) -> Iterator[int]:
    yield places[-1]
    finite: Sequence[int] = places
    odd = next((place for place in places if not isfinite(values[place])), None)
    if odd is not None:
        yield odd
        finite = [place for place in places if isfinite(values[place])]
    if finite:
        yield min(finite, key=values.__getitem__)
        yield max(finite, key=values.__getitem__)
