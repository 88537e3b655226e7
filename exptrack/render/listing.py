"""A table of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from exptrack.model.run import Run
from exptrack.model.tree import Value, flatten
from exptrack.render.text import clip, format_age, format_table, format_value, inert

_MOST_COLUMNS = 6
_WIDEST = 40


def format_listing(runs: Sequence[Run], now: datetime, width: int | None) -> str:
    """Name, age, status, tags, metrics, and the parameters that differ; what no run has gets no column."""
    params = [flatten(run.params) for run in runs]
    metrics = [flatten(run.record.metrics) for run in runs]
    varying = [key for key in _keys(params) if len({repr(one.get(key)) for one in params}) > 1][:_MOST_COLUMNS]
    measured = _keys(metrics)[:_MOST_COLUMNS]
    tags = [inert(",".join(run.tags)) for run in runs]
    experiments = [inert(run.record.experiment or "") for run in runs]
    columns = [
        ("name", [run.name for run in runs]),
        ("age", [format_age(run.record.started, now) for run in runs]),
        ("status", [str(run.record.status) for run in runs]),
        *((name, cells) for name, cells in (("experiment", experiments), ("tags", tags)) if any(cells)),
    ]
    for area, keys, rows in (("metrics", measured, metrics), ("params", varying, params)):
        taken = {name for name, _ in columns}
        for key in keys:
            name = inert(key) if key not in taken else f"{area}.{inert(key)}"
            columns.append((clip(name, _WIDEST), [_cell(row, key) for row in rows]))
    return format_table([name for name, _ in columns], zip(*(cells for _, cells in columns), strict=True), width)


def _keys(rows: Sequence[Mapping[str, Value]]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def _cell(row: Mapping[str, Value], key: str) -> str:
    return clip(format_value(row[key]), _WIDEST) if key in row else "-"
