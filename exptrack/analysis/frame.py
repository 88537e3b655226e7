"""Runs as a pandas DataFrame: one row a run, each column of a type."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import nan
from typing import TYPE_CHECKING, Any, TypeAlias

from exptrack.analysis.columns import data_columns
from exptrack.analysis.rows import Rows
from exptrack.model.run import Status

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from exptrack.analysis.points import Points

Frame: TypeAlias = "DataFrame"

_TITLES = {"tag": "tags", "note": "notes"}
_TEXTS = (
    "name",
    "experiment",
    "author",
    "host",
    "branch",
    "command",
    "commit",
    "reproduces",
    "parent",
    "resumes",
    "removed",
)
# What 64 bits of nanoseconds can hold.
_FIRST, _LAST = datetime(1678, 1, 1, tzinfo=UTC), datetime(2262, 1, 1, tzinfo=UTC)
_WHOLE = 2**63


def make_frame(rows: Rows) -> DataFrame:
    """One row a run, in their order, numbered from 0; the columns are the fields, `metrics.KEY` and `params.KEY`.

    Texts are `string`, `status` is a category, times `datetime64[ns, UTC]`, `tags` and `notes` tuples. A metric is `float64`, a
    parameter `boolean`, `Int64`, `float64` or `string`; where a value would be lost that way, the column stays `object`.
    """
    import pandas as pd

    columns = {_TITLES.get(name, name): _column(name, rows) for name in data_columns(rows)}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(rows)))


def make_history(points: Points) -> DataFrame:
    """One row a point, in their order, numbered from 0: `time` (`datetime64[ns, UTC]`), `step`, `epoch` if any point has one, `value`."""
    import pandas as pd

    columns = {
        "time": _seconds(points.times),
        "step": make_column(points.steps),
        **({} if points.epochs is None else {"epoch": make_column(points.epochs)}),
        "value": _series(points.values, "float64"),
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(len(points)))


def _seconds(times: Sequence[float]) -> Series[Any]:
    """Unix time as times; microseconds are what a float has of it."""
    import pandas as pd

    series: Series[Any] = _series(times, "float64")
    made: Series[Any] = pd.to_datetime(series.mul(1e6).round(), unit="us", utc=True, errors="coerce")
    return made.astype("datetime64[ns, UTC]")


def _column(name: str, rows: Rows) -> Series[Any]:
    values = rows.notes() if name == "note" else rows.column(name)
    if name in {"tag", "note"}:
        return _series(values, object)
    if name == "status":
        return _statuses(values)
    if name in {"started", "ended"}:
        return _times(values)
    if name in _TEXTS:
        return _texts(values)
    return _floats(values) if name == "duration" or name.startswith("metrics.") else make_column(values)


def _series(values: Sequence[Any], kind: Any) -> Series[Any]:
    import pandas as pd

    made: Series[Any] = pd.Series(values, dtype=kind)
    return made


def _statuses(values: Sequence[Any]) -> Series[Any]:
    import pandas as pd

    return _series(values, pd.CategoricalDtype([status.value for status in Status]))


def _texts(values: Sequence[Any]) -> Series[Any]:
    import pandas as pd

    # The other storage of texts, pyarrow's, refuses lone surrogates, which stand for bytes of paths that are no UTF-8.
    return _series(values, pd.StringDtype("python"))


def _times(values: Sequence[Any]) -> Series[Any]:
    is_near = all(value is None or _FIRST <= value < _LAST for value in values)
    kind: Any = f"datetime64[{'ns' if is_near else 'us'}, UTC]"
    made: Series[Any] = _series(values, "datetime64[us, UTC]").astype(kind)
    return made


def _floats(values: Sequence[Any]) -> Series[Any]:
    if all(value is None or _is_float(value) for value in values):
        return _series([nan if value is None else float(value) for value in values], "float64")
    return _series(values, object)


def make_column(values: Sequence[Any]) -> Series[Any]:
    """Values of a parameter as a column: `boolean`, `Int64`, `float64` or `string`, `object` where a value would be lost that way."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return _series(values, "boolean")
    if kinds == {str}:
        return _texts(values)
    if kinds == {int} and all(value is None or -_WHOLE <= value < _WHOLE for value in values):
        return _series(values, "Int64")
    return _floats(values) if kinds in ({float}, {int, float}) else _series(values, object)


def _is_float(value: object) -> bool:
    """Whether a value is the same as a float: no text, no list, and no whole number that a float would round."""
    try:
        return isinstance(value, (int, float)) and (value != value or float(value) == value)  # noqa: PLR0124 - NaN
    except OverflowError:
        return False
