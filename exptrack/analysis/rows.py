"""Runs as a table that is read column by column, wherever the values come from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from exptrack.analysis.facts import Facts
from exptrack.analysis.query import Fact
from exptrack.model.run import Run
from exptrack.model.tree import Value

_DIGITS = re.compile(r"([0-9]+)")


class Rows(Protocol):
    """Runs in an order, one row each. A name is a field, `metrics.KEY` or `params.KEY`, as in a query (`docs/query.md`)."""

    def __len__(self) -> int: ...

    def column(self, name: str) -> Sequence[Fact]:
        """The fact of that name of each row, None where it is missing: what `Facts.get` gives."""

    def refs(self) -> Sequence[str]:
        """The ref of each run."""

    def notes(self) -> Sequence[tuple[str, ...]]:
        """The notes on each run, oldest first; the column `note` has them as one text."""

    def keys(self, area: str) -> Mapping[str, int]:
        """The keys that any row has in `metrics` or `params`, with the number of rows that have each; most first, as `rank_keys` says."""

    def varying(self) -> Sequence[str]:
        """The keys of parameters whose values are not the same in all rows, in the order of `keys`.

        1, 1.0 and true are different values; NaN is the same as NaN, null the same as nothing.
        """

    def pick(self, places: Sequence[int]) -> Rows:
        """The rows at these places, in that order."""

    def load(self, start: int, stop: int) -> Sequence[Run]:
        """The whole runs of the rows from `start` to before `stop`, as they are in Git. Raises RecordError if one is no longer there."""


class RunRows:
    """Rows of runs that were read whole."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self.facts = tuple(map(Facts, runs))

    @classmethod
    def of(cls, facts: Iterable[Facts]) -> RunRows:
        """Rows of facts that were worked out before."""
        rows = cls(())
        rows.facts = tuple(facts)
        return rows

    def __len__(self) -> int:
        return len(self.facts)

    def column(self, name: str) -> Sequence[Fact]:
        area, _, key = name.partition(".")
        if area == "metrics":
            return [row.metrics.get(key) for row in self.facts]
        return [row.params.get(key) if area == "params" else row.get(name) for row in self.facts]

    def refs(self) -> Sequence[str]:
        return [row.run.ref for row in self.facts]

    def notes(self) -> Sequence[tuple[str, ...]]:
        return [row.run.notes for row in self.facts]

    def keys(self, area: str) -> Mapping[str, int]:
        shapes: dict[tuple[str, ...], int] = {}
        for row in self.facts:
            shape = tuple(row.metrics if area == "metrics" else row.params)
            shapes[shape] = shapes.get(shape, 0) + 1
        return rank_keys(shapes)

    def varying(self) -> Sequence[str]:
        return [key for key in self.keys("params") if _varies(self.column(f"params.{key}"))]

    def pick(self, places: Sequence[int]) -> RunRows:
        return RunRows.of(self.facts[place] for place in places)

    def load(self, start: int, stop: int) -> Sequence[Run]:
        return [row.run for row in self.facts[start:stop]]


def rank_keys(shapes: Mapping[tuple[str, ...], int]) -> dict[str, int]:
    """The keys of all `shapes` (the keys of a row, with the number of such rows), each with the number of its rows.

    Those that most rows have come first, of equals those whose name comes first, where numbers count as numbers.
    """
    counts: dict[str, int] = {}
    for shape, number in shapes.items():
        for key in shape:
            counts[key] = counts.get(key, 0) + number
    return {key: counts[key] for key in sorted(counts, key=lambda key: (-counts[key], *_natural(key)))}


def _natural(key: str) -> tuple[list[tuple[int, str]], str]:
    """`layer2` before `layer10`."""
    parts = enumerate(_DIGITS.split(key))
    return [(len(part.lstrip("0")), part.lstrip("0")) if place % 2 else (0, part) for place, part in parts], key


def _varies(column: Sequence[Fact | Value]) -> bool:
    first = column[0]
    kind, is_nan = type(first), first != first  # noqa: PLR0124
    for value in column:
        same_nan = is_nan and value != value  # noqa: PLR0124
        if value is not first and not same_nan and (value != first or type(value) is not kind):
            return True
    return False
