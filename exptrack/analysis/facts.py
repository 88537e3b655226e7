"""What can be asked of a run: its fields, metrics and parameters, each under one name."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from exptrack.analysis.fieldnames import ALIASES
from exptrack.analysis.query import Fact
from exptrack.model.run import PIPELINE, Run
from exptrack.model.tree import Value, flatten

_FIELDS: Mapping[str, Callable[[Run], Fact]] = {
    "name": lambda run: run.record.name,
    "status": lambda run: run.record.status.value,
    "experiment": lambda run: run.record.experiment,
    "author": lambda run: run.record.author or None,
    "host": lambda run: run.record.host or None,
    "branch": lambda run: run.record.branch,
    "command": lambda run: PIPELINE if run.record.is_pipeline else shlex.join(run.record.command) or None,
    "commit": lambda run: run.oid,
    "tag": lambda run: run.tags,
    "note": lambda run: "\n".join(run.notes) or None,
    "reproduces": lambda run: run.record.links.reproduces,
    "parent": lambda run: run.record.links.parent,
    "resumes": lambda run: run.record.links.resumes,
    "removed": lambda run: run.removed_by,
    "seed": lambda run: run.record.seed,
    "duration": lambda run: run.record.duration,
    "started": lambda run: run.record.started,
    "ended": lambda run: run.record.ended,
}
SORTABLE = frozenset({*_FIELDS, *ALIASES, "age"})
_ORDER: Mapping[type, int] = {bool: 0, int: 1, float: 1, str: 2, datetime: 3, tuple: 4}


class Facts:
    """The facts of a run by name, worked out when they are asked for: a field, `metrics.KEY` or `params.KEY`.

    `removed` is who removed it, `tag` is all tags, `note` all notes together, `command` as it would be typed, `commit` the oid of the run's commit.
    """

    __slots__ = ("_metrics", "_params", "run")

    def __init__(self, run: Run) -> None:
        self.run = run
        self._metrics: dict[str, Value] | None = None
        self._params: dict[str, Value] | None = None

    @property
    def metrics(self) -> Mapping[str, Value]:
        """The metrics by their dotted keys."""
        if self._metrics is None:
            self._metrics = flatten(self.run.record.shown_metrics)
        return self._metrics

    @property
    def params(self) -> Mapping[str, Value]:
        """The parameters by their dotted keys."""
        if self._params is None:
            self._params = flatten(self.run.params)
        return self._params

    def get(self, name: str) -> Fact:
        """The value of that name, None if it is missing."""
        area, dot, key = name.partition(".")
        if dot:
            return self.metrics.get(key) if area == "metrics" else self.params.get(key) if area == "params" else None
        field = _FIELDS.get(name)
        return field(self.run) if field else None

    def __contains__(self, name: str) -> bool:
        area, dot, key = name.partition(".")
        keys = {"metrics": self.metrics, "params": self.params}.get(area, {}) if dot else _FIELDS
        return (key if dot else name) in keys

    def __iter__(self) -> Iterator[str]:
        yield from _FIELDS
        yield from (f"metrics.{key}" for key in self.metrics)
        yield from (f"params.{key}" for key in self.params)


def list_getters(names: Sequence[str]) -> list[Callable[[Run], Fact]]:
    """What gives the facts of these fields of a run, for who asks for the same of many."""
    return [_FIELDS[name] for name in names]


def sort_facts(rows: Sequence[Facts], key: str, *, descending: bool = False) -> list[Facts]:
    """Rows by the value of a field, metric or parameter; those that lack it (or have NaN) come last, whichever way.

    Booleans stand before numbers, numbers before texts, and what has no order of its own behind them; equals stay as they were.
    """
    name = ALIASES.get(key, key)
    if name == "age":
        name, descending = "started", not descending
    present: list[tuple[tuple[int, Any], Facts]] = []
    absent: list[Facts] = []
    for row in rows:
        value = row.get(name)
        if value is None or value == () or value != value:  # noqa: PLR0124 - NaN
            absent.append(row)
        else:
            present.append((_rank(value), row))
    present.sort(key=lambda one: one[0], reverse=descending)
    return [*(row for _, row in present), *absent]


def _rank(value: Fact) -> tuple[int, Any]:
    kind = _ORDER.get(type(value))
    return (9, repr(value)) if kind is None else (kind, value)
