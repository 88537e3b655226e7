"""The points of a history."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, overload

from exptrack.analysis.fields import finite
from exptrack.model.tree import Value

if TYPE_CHECKING:
    from exptrack.analysis.frame import Frame

Epoch: TypeAlias = float | int | None


class Point(NamedTuple):
    """A value that was logged: Unix time in seconds, step, value, and the epoch if one was given."""

    time: float
    step: Value
    value: float
    epoch: Epoch = None


class Points(Sequence[Point]):
    """The points of a metric in the order in which they were logged, kept as columns: a million take 25 MB, as tuples 200.

    `is_whole` is False if only a part of what was logged is here: the history was thinned, and its whole is elsewhere.
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, points: Iterable[Point] = (), *, is_whole: bool = True) -> None:
        self.times = array("d")
        self.values = array("d")
        self.steps: array[int] | list[Value] = array("q")
        self.epochs: list[Epoch] | None = None
        self.is_whole = is_whole
        for point in points:
            self.add(*point)

    def add(self, time: float, step: Value, value: float, epoch: Epoch = None) -> None:
        """Add a point at the end."""
        self.times.append(time)
        self.values.append(value)
        try:
            self.steps.append(step)  # type: ignore[arg-type]
        except (TypeError, OverflowError):
            self.steps = [*self.steps, step]
        if epoch is not None or self.epochs is not None:
            if self.epochs is None:
                self.epochs = [None] * (len(self.times) - 1)
            self.epochs.append(epoch)

    def pick(self, positions: Iterable[int]) -> Points:
        """Some of the points, in this order."""
        return Points(map(self._point, positions), is_whole=False)

    def to_dataframe(self) -> Frame:
        """One row a point, in their order: `time` (`datetime64`, UTC), `step`, `epoch` if any point has one, `value`."""
        from exptrack.analysis.frame import make_history

        return make_history(self)

    def _point(self, position: int) -> Point:
        epoch = None if self.epochs is None else self.epochs[position]
        return Point(self.times[position], self.steps[position], self.values[position], epoch)

    @overload
    def __getitem__(self, index: int) -> Point: ...
    @overload
    def __getitem__(self, index: slice) -> Points: ...
    def __getitem__(self, index: int | slice) -> Point | Points:
        if isinstance(index, slice):
            return Points(map(self._point, range(*index.indices(len(self)))), is_whole=self.is_whole)
        return self._point(index)

    def __len__(self) -> int:
        return len(self.times)

    def __iter__(self) -> Iterator[Point]:
        epochs = self.epochs if self.epochs is not None else [None] * len(self)
        return map(Point, self.times, self.steps, self.values, epochs)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(one == another for one, another in zip(self, other, strict=True))

    def __repr__(self) -> str:
        few = ", ".join(f"{one.step}: {one.value:g}" for one in self[:3])
        part = "" if self.is_whole else ", thinned"
        return f"<Points: {len(self):,} ({few}{', …' if len(self) > 3 else ''}){part}>"


def format_points(points: Sequence[Point]) -> str:
    """Points as a JSON list in one line, of each its time in seconds, step, value, and the epoch if it has one."""
    rows = [
        [round(time, 3), _finite(step), _finite(value), *([] if epoch is None else [_finite(epoch)])]
        for time, step, value, epoch in points
    ]
    return json.dumps(rows, separators=(",", ":"), allow_nan=False)


def _finite(value: Value) -> Value:
    return finite(value) if isinstance(value, float) and not isfinite(value) else value
