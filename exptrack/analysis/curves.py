"""Curves: histories along an axis, smoothed, and put together to mean and band over replicates."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import lru_cache
from statistics import median
from typing import NamedTuple, cast

from exptrack.analysis.points import Points
from exptrack.analysis.stats import deviation, mean, quantile
from exptrack.model.tree import Value

_CONFIDENCE = 0.95
_FEWEST = 3  # of two runs an interval is some thirteen times as wide as they are apart, and says nothing
_BUCKETS = 100
_FARTHEST = 1e60


class Axis(StrEnum):
    """Along what a metric is drawn: step or epoch as they were logged, clock time, or seconds since the first point."""

    STEP = "step"
    EPOCH = "epoch"
    TIME = "time"
    RELATIVE = "relative"


class Band(StrEnum):
    """What is drawn around the mean of replicates: the 95% interval of the mean, one standard deviation, or smallest to largest."""

    INTERVAL = "interval"
    SD = "sd"
    RANGE = "range"


class Series(NamedTuple):
    """Points in the order of their x; a y may be NaN or infinite."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]


class Curve(NamedTuple):
    """What is drawn as one line: `ys` as they are, `smoothed` beside them (the same if nothing is smoothed).

    `low` and `high` are the band, as smooth as the line; empty without one. `least` and `most` say of how many replicates its means are.
    `buckets` is into how many equal parts the axis was cut because the runs have too few steps in common (0: they have them).
    """

    label: str
    runs: tuple[str, ...]
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    smoothed: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    least: int = 1
    most: int = 1
    buckets: int = 0


def make_series(points: Points, axis: Axis) -> Series:
    """The points that have a place on the axis, in its order; of equal places in the order in which they were logged.

    Of an epoch with several points it is their mean.
    """
    placed = _list_places(points, axis)
    values: Sequence[float] = points.values
    kept = [place for place, x in enumerate(placed) if x is not None]
    if len(kept) < len(placed):
        placed, values = [placed[place] for place in kept], [values[place] for place in kept]
    xs = cast(list[float], placed)
    if xs != sorted(xs):
        order = sorted(range(len(xs)), key=xs.__getitem__)
        xs, values = [xs[place] for place in order], [values[place] for place in order]
    return _average(xs, values) if axis is Axis.EPOCH else Series(tuple(xs), tuple(values))


def _average(xs: Sequence[float], values: Sequence[float]) -> Series:
    """One point for each place: the mean of its values that can be drawn."""
    found: dict[float, list[float]] = {x: [] for x in xs}
    for x, value in zip(xs, values, strict=True):
        if is_drawable(value):
            found[x].append(value)
    return Series(tuple(found), tuple(mean(some) if some else math.nan for some in found.values()))


def _list_places(points: Points, axis: Axis) -> list[float | None]:
    if axis is Axis.TIME:
        return list(points.times)
    if axis is Axis.RELATIVE:
        first = min(points.times, default=0.0)
        return [time - first for time in points.times]
    given = points.steps if axis is Axis.STEP else points.epochs
    if isinstance(given, array):  # of whole numbers
        return list(map(float, given))
    return [None] * len(points) if given is None else [_read_place(one) for one in given]


def _read_place(value: Value) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def is_drawable(value: float) -> bool:
    """Whether a value has a place in a picture: finite, and not beyond what can be drawn."""
    return abs(value) < _FARTHEST


def are_drawable(values: Sequence[float]) -> bool:
    """Whether all have a place in a picture; of a million it takes 20 ms to know."""
    return not values or (math.isfinite(sum(values)) and max(values) < _FARTHEST and min(values) > -_FARTHEST)


def smooth(values: Sequence[float], weight: float) -> tuple[float, ...]:
    """The exponential moving average as TensorBoard has it, without the bias of its start; `weight` in [0, 1) is its slider.

    last = weight * last + (1 - weight) * value, over 1 - weight**n, where n counts the finite values so far. What is not finite
    stays as it is and does not spread; a constant series stays as it is.
    Source: `vz_line_chart2/line-chart.ts`, `resmoothDataset`.
    """
    if not weight or (values and min(values) == max(values) == values[-1] and len(set(values)) == 1):
        return tuple(values)
    last, remaining, smoothed = 0.0, 1.0, []
    for value in values:
        if not math.isfinite(value):
            smoothed.append(value)
            continue
        last = weight * last + (1 - weight) * value
        remaining *= weight
        smoothed.append(last / (1 - remaining))
    return tuple(smoothed)


def thin(series: Series, columns: int) -> Series:
    """The smallest and the largest drawable point of each of as many equal parts of the axis: what a picture of so many columns shows."""
    kept = [(x, y) for x, y in zip(series.xs, series.ys, strict=True) if is_drawable(y)]
    if len(kept) <= 2 * columns:
        return Series(tuple(x for x, _ in kept), tuple(y for _, y in kept))
    low, width = kept[0][0], (kept[-1][0] - kept[0][0]) / columns or 1.0
    parts: dict[int, list[tuple[float, float]]] = {}
    for pair in kept:
        parts.setdefault(min(columns - 1, int((pair[0] - low) / width)), []).append(pair)
    ends = [{min(part, key=lambda pair: pair[1]), max(part, key=lambda pair: pair[1])} for part in parts.values()]
    chosen = [pair for end in ends for pair in sorted(end)]
    return Series(tuple(x for x, _ in chosen), tuple(y for _, y in chosen))


def split_drawable(series: Series) -> list[Series]:
    """The pieces of a curve between what has no place in a picture, so that no line is drawn across it."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(series.xs, series.ys, strict=True):
        if is_drawable(y):
            pieces[-1].append((x, y))
        elif pieces[-1]:
            pieces.append([])
    return [Series(tuple(x for x, _ in piece), tuple(y for _, y in piece)) for piece in pieces if piece]


def thin_line(series: Series, columns: int) -> Series:
    """A line of at most some two points a column, its gaps where they were: NaN stands in each."""
    if len(series.xs) <= 2 * columns:
        return series
    xs: list[float] = []
    ys: list[float] = []
    for piece in split_drawable(series):
        kept = thin(piece, max(1, columns * len(piece.xs) // len(series.xs)))
        xs += [*([kept.xs[0]] if xs else []), *kept.xs]
        ys += [*([math.nan] if ys else []), *kept.ys]
    return Series(tuple(xs), tuple(ys))


def thin_band(xs: Sequence[float], low: Sequence[float], high: Sequence[float], columns: int) -> tuple[Series, Series]:
    """The two edges, of each of so many parts the farthest out."""
    size = math.ceil(len(xs) / columns)
    parts = [slice(start, start + size) for start in range(0, len(xs), size)]
    places = tuple((xs[part][0] + xs[part][-1]) / 2 for part in parts)
    return Series(places, tuple(min(low[part]) for part in parts)), Series(
        places, tuple(max(high[part]) for part in parts)
    )


def draw_one(label: str, run: str, series: Series, weight: float) -> Curve:
    """The curve of one run."""
    return Curve(label, (run,), series.xs, series.ys, smooth(series.ys, weight))


def draw_band(label: str, units: Sequence[Sequence[tuple[str, Series]]], band: Band, weight: float) -> Curve | None:
    """The mean of replicates, and a band around it, where two or more of them have a value that can be drawn; None if that is nowhere.

    A unit holds the runs, by name, that count once: reruns of a seed, which are averaged. Of two values the band goes from one to the
    other, whatever was asked for. Smoothed are the mean and both edges of the band, alike.
    """
    names = tuple(name for unit in units for name, _ in unit)
    series = [one for unit in units for _, one in unit]
    if len(units) == 1 and len(series) == 1:
        return draw_one(label, names[0], series[0], weight)
    fewest = min(2, len(units))
    cells, buckets = _align(series)
    columns = [[mean(found) for found in _values(cell, units) if found] for cell in cells.values()]
    kept = [(x, column) for x, column in zip(cells, columns, strict=True) if len(column) >= fewest]
    if not kept:
        return None
    xs = tuple(x for x, _ in kept)
    ys = tuple(mean(column) for _, column in kept)
    edges = [_edges(column, band) for _, column in kept] if fewest > 1 else []
    return Curve(
        label,
        names,
        xs,
        ys,
        smooth(ys, weight),
        smooth([low for low, _ in edges], weight),
        smooth([high for _, high in edges], weight),
        min(len(column) for _, column in kept),
        max(len(column) for _, column in kept),
        buckets,
    )


_Cell = Callable[[Series], Sequence[float]]


def _values(cell: _Cell, units: Sequence[Sequence[tuple[str, Series]]]) -> list[list[float]]:
    """The values of a place, of each unit the means of its runs."""
    found = [[[y for y in cell(one) if is_drawable(y)] for _, one in unit] for unit in units]
    return [[mean(values) for values in unit if values] for unit in found]


def _align(series: Sequence[Series]) -> tuple[dict[float, _Cell], int]:
    """By x what gives the values of a series there, and the number of buckets: 0 where the series have most of their places in common."""
    seen = Counter(x for one in series for x in set(one.xs))
    shared = sorted(x for x, count in seen.items() if count > 1 or len(series) == 1)
    usual = median(len(set(one.xs)) for one in series)
    if 2 * len(shared) >= usual:
        last = {id(one): dict(zip(one.xs, one.ys, strict=True)) for one in series}  # a step twice: the later value
        return {x: lambda one, x=x: [last[id(one)][x]] if x in last[id(one)] else [] for x in shared}, 0  # type: ignore[misc]
    count = max(1, min(_BUCKETS, int(usual)))
    low, high = min(seen), max(seen)
    width = (high - low) / count or 1.0
    filled = {id(one): _fill(one, low, width, count) for one in series}
    centres = {low + (place + 0.5) * width: place for place in range(count)}
    return {x: lambda one, place=place: filled[id(one)].get(place, []) for x, place in centres.items()}, count  # type: ignore[misc]


def _fill(series: Series, low: float, width: float, count: int) -> dict[int, list[float]]:
    filled: dict[int, list[float]] = {}
    for x, y in zip(series.xs, series.ys, strict=True):
        filled.setdefault(min(count - 1, int((x - low) / width)), []).append(y)
    return filled


def _edges(column: Sequence[float], band: Band) -> tuple[float, float]:
    if band is Band.RANGE or len(column) < _FEWEST:
        return min(column), max(column)
    middle, spread = mean(column), deviation(column)
    reach = spread if band is Band.SD else _quantile(len(column) - 1) * spread / math.sqrt(len(column))
    return middle - reach, middle + reach


@lru_cache(maxsize=256)
def _quantile(df: int) -> float:
    return quantile(df, (1 + _CONFIDENCE) / 2)
