"""The tables that `export` writes: their columns, the same for every repository and month, and the rows of runs and histories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import isfinite
from typing import Any, Final, NamedTuple, TypeAlias

from exptrack.analysis.facts import Facts
from exptrack.analysis.points import Points
from exptrack.model.run import Run

Row: TypeAlias = "tuple[Any, ...]"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE: Final = 2**63


class Kind(StrEnum):
    """What is in a column; each may be missing."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    TRUTH = "truth"
    TIME = "time"
    TEXTS = "texts"
    METRICS = "metrics"
    PARAMS = "params"


# docs/export.md says what each is. New ones come at the end.
RUNS: Final[Mapping[str, Kind]] = {
    "repository": Kind.TEXT, "name": Kind.TEXT, "commit": Kind.TEXT, "ref": Kind.TEXT, "base": Kind.TEXT, "status": Kind.TEXT, "started": Kind.TIME,
    "ended": Kind.TIME, "duration": Kind.NUMBER, "exit_code": Kind.WHOLE, "signal": Kind.TEXT, "author": Kind.TEXT, "host": Kind.TEXT,
    "command": Kind.TEXT, "project": Kind.TEXT, "directory": Kind.TEXT, "branch": Kind.TEXT, "experiment": Kind.TEXT, "seed": Kind.TEXT,
    "tags": Kind.TEXTS, "notes": Kind.TEXTS, "reproduces": Kind.TEXT, "resumes": Kind.TEXT, "copied_from": Kind.TEXT, "parent": Kind.TEXT,
    "removed": Kind.TEXT, "metrics": Kind.METRICS, "params": Kind.PARAMS, "sealed": Kind.TEXTS,
}  # fmt: skip
HISTORY: Final[Mapping[str, Kind]] = {
    "repository": Kind.TEXT, "run": Kind.TEXT, "commit": Kind.TEXT, "metric": Kind.TEXT, "step": Kind.NUMBER, "step_text": Kind.TEXT,
    "epoch": Kind.NUMBER, "time": Kind.TIME, "value": Kind.NUMBER, "is_whole": Kind.TRUTH,
}  # fmt: skip


class Series(NamedTuple):
    """The history of a metric of a run."""

    repository: str
    run: str
    commit: str
    metric: str
    points: Points


def make_row(repository: str, run: Run, base: str | None) -> Row:
    """The values of a run in the order of RUNS; `metrics` (those that are not sealed) and `params` are trees."""
    record, known = run.record, Facts(run)
    values: dict[str, Any] = {
        "repository": repository,
        "ref": run.ref,
        "base": base,
        "duration": _number(record.duration),
        "exit_code": record.exit_code if record.exit_code is None or abs(record.exit_code) < _WHOLE else None,
        "signal": record.signal,
        "project": record.project,
        "directory": record.directory,
        "seed": None if record.seed is None else str(record.seed),
        "tags": run.tags,
        "notes": run.notes,
        "copied_from": record.links.copied_from,
        "metrics": record.metrics,
        "params": run.params,
        "sealed": record.sealed,
    }
    return tuple(values[name] if name in values else known.get(name) for name in RUNS)


def list_points(series: Series) -> Iterator[Row]:
    """The rows of a history in the order of HISTORY, a row a point in the order in which they were logged."""
    *names, points = series
    for time, step, value, epoch in points:
        text = step if isinstance(step, str) else None
        number = None if isinstance(step, str) else _number(step)
        yield (*names, number, text, _number(epoch), find_time(time), value, points.is_whole)


def find_time(seconds: float) -> datetime | None:
    """Unix time as a time, to the microsecond; None if there is no such day."""
    try:
        return _EPOCH + timedelta(microseconds=round(seconds * 1e6))
    except (OverflowError, ValueError):
        return None


def _number(value: Any) -> float | None:
    """A whole number where it is exact as a float."""
    if value is None:
        return None
    if isinstance(value, float):
        return int(value) if isfinite(value) and value == int(value) and abs(value) < 2**53 else value
    return float(value) if abs(value) >= 2**53 else value
