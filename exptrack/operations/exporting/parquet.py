"""Rows as Parquet, by pyarrow, which is not installed with exptrack."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from exptrack.analysis.codec import finite
from exptrack.analysis.points import Points
from exptrack.errors import DataError
from exptrack.model.tree import Tree, Value, flatten
from exptrack.operations.exporting.tables import Kind, Row, Series, find_time

_NUMBERS = frozenset({int, float})  # parameters are finite, and then JSON has them as Python
_FAR = 2**53  # microseconds, 285 years; a time beyond may be none


def require() -> None:
    """Raises DataError where pyarrow is missing."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise DataError(
            "to write Parquet `pip install 'exptrack[parquet]'` (pyarrow), or export with --format csv or jsonl"
        ) from error


class ParquetSink:
    """A Parquet file; all that is given at once is a row group."""

    def __init__(self, file: IO[bytes], columns: Mapping[str, Kind]) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        types = {
            Kind.TEXT: pa.string(),
            Kind.WHOLE: pa.int64(),
            Kind.NUMBER: pa.float64(),
            Kind.TRUTH: pa.bool_(),
            Kind.TIME: pa.timestamp("us", tz="UTC"),
            Kind.TEXTS: pa.list_(pa.string()),
            Kind.METRICS: pa.map_(pa.string(), pa.float64()),
            Kind.PARAMS: pa.map_(pa.string(), pa.string()),
        }
        self._schema = pa.schema([pa.field(name, types[kind]) for name, kind in columns.items()])
        self._cells = [_CELLS.get(kind) for kind in columns.values()]
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")

    def write(self, rows: Sequence[Row]) -> None:
        import pyarrow as pa

        columns = zip(*rows, strict=True)
        arrays = [
            pa.array(
                values if cell is None else [None if value is None else cell(value) for value in values], field.type
            )
            for values, cell, field in zip(columns, self._cells, self._schema, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def write_points(self, histories: Sequence[Series]) -> None:
        import pyarrow as pa

        tables = [pa.Table.from_arrays(_columns(series), schema=self._schema) for series in histories]
        self._writer.write_table(pa.concat_tables(tables).combine_chunks())

    def close(self) -> None:
        self._writer.close()

    def abandon(self) -> None:
        # Else it closes itself when it is collected, and complains that the file is no longer there.
        self._writer.is_open = False


def _columns(series: Series) -> list[Any]:
    """The columns of HISTORY, out of the buffers of the points, without an object for each."""
    import pyarrow as pa

    *names, points = series
    count = len(points)
    steps = points.steps
    if isinstance(steps, array):
        numbers, texts = (
            pa.Array.from_buffers(pa.int64(), count, [None, pa.py_buffer(steps)]).cast(pa.float64(), safe=False),
            pa.nulls(count, pa.string()),
        )
    else:
        numbers = pa.array([None if isinstance(step, str) else float(step) for step in steps], pa.float64())  # type: ignore[arg-type]
        texts = pa.array([_text(step) if isinstance(step, str) else None for step in steps], pa.string())
    return [
        *(pa.repeat(pa.scalar(_text(name), pa.string()), count) for name in names),
        numbers,
        texts,
        pa.nulls(count, pa.float64())
        if points.epochs is None
        else pa.array([None if one is None else float(one) for one in points.epochs], pa.float64()),
        _times(points),
        pa.Array.from_buffers(pa.float64(), count, [None, pa.py_buffer(points.values)]),
        pa.repeat(pa.scalar(points.is_whole), count),
    ]


def _times(points: Points) -> Any:
    import pyarrow as pa

    kind = pa.timestamp("us", tz="UTC")
    try:
        microseconds = array("q", [round(time * 1e6) for time in points.times])
    except (OverflowError, ValueError):
        microseconds = array("q", [_FAR])
    if any(abs(moment) >= _FAR for moment in microseconds):
        return pa.array([find_time(time) for time in points.times], kind)
    return pa.Array.from_buffers(kind, len(points), [None, pa.py_buffer(microseconds)])


def _text(text: str) -> str:
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _texts(texts: Sequence[str]) -> list[str]:
    return [_text(text) for text in texts]


def _metrics(tree: Tree) -> list[tuple[str, float]]:
    return [(_text(key), float(value)) for key, value in flatten(tree).items() if isinstance(value, (bool, int, float))]


def _params(tree: Tree) -> list[tuple[str, str | None]]:
    return [(_text(key), _param(value)) for key, value in flatten(tree).items()]


def _param(value: Value) -> str | None:
    """A text as it is, so that one can ask for `adam`; anything else as JSON."""
    if type(value) is str:
        return _text(value)
    if value is None:
        return None
    return repr(value) if type(value) in _NUMBERS else _text(json.dumps(finite(value), ensure_ascii=False))


_CELLS: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: _text,
    Kind.TEXTS: _texts,
    Kind.METRICS: _metrics,
    Kind.PARAMS: _params,
}
