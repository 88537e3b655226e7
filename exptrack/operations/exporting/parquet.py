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

        self._writer.write_table(pa.Table.from_arrays(_columns(histories), schema=self._schema))

    def close(self) -> None:
        self._writer.close()

    def abandon(self) -> None:
        # Else it closes itself when it is collected, and complains that the file is no longer there.
        self._writer.is_open = False


def _columns(histories: Sequence[Series]) -> list[Any]:
    """The columns of HISTORY, out of the buffers of the points, without an object for each."""
    import pyarrow as pa

    places, times, values = array("q"), array("d"), array("d")
    for place, (*_, points) in enumerate(histories):
        places.extend(array("q", [place]) * len(points))
        times.extend(points.times)
        values.extend(points.values)
    series = _from_buffer(pa.int64(), places)
    names = zip(*(map(_text, one[:-1]) for one in histories), strict=True)
    return [
        *(pa.array(column, pa.string()).take(series) for column in names),
        *_steps([one.points.steps for one in histories]),
        _epochs([one.points for one in histories]),
        _times(times),
        _from_buffer(pa.float64(), values),
        pa.array([one.points.is_whole for one in histories], pa.bool_()).take(series),
    ]


def _from_buffer(kind: Any, values: array[int] | array[float]) -> Any:
    import pyarrow as pa

    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def _steps(columns: Sequence[array[int] | list[Value]]) -> tuple[Any, Any]:
    """Steps that are numbers, and those that are texts."""
    import pyarrow as pa

    if all(isinstance(steps, array) for steps in columns):
        whole = array("q")
        for steps in columns:
            whole.extend(steps)  # type: ignore[arg-type]
        return _from_buffer(pa.int64(), whole).cast(pa.float64(), safe=False), pa.nulls(len(whole), pa.string())
    every = [step for steps in columns for step in steps]
    numbers = [None if isinstance(step, str) else float(step) for step in every]  # type: ignore[arg-type]
    texts = [_text(step) if isinstance(step, str) else None for step in every]
    return pa.array(numbers, pa.float64()), pa.array(texts, pa.string())


def _epochs(columns: Sequence[Points]) -> Any:
    import pyarrow as pa

    if all(points.epochs is None for points in columns):
        return pa.nulls(sum(map(len, columns)), pa.float64())
    every = [epoch for points in columns for epoch in points.epochs or [None] * len(points)]
    return pa.array([None if epoch is None else float(epoch) for epoch in every], pa.float64())


def _times(times: array[float]) -> Any:
    import pyarrow as pa

    kind = pa.timestamp("us", tz="UTC")
    try:
        microseconds = array("q", [round(time * 1e6) for time in times])
    except (OverflowError, ValueError):
        microseconds = array("q", [_FAR])
    if any(abs(moment) >= _FAR for moment in microseconds):
        return pa.array([find_time(time) for time in times], kind)
    return _from_buffer(kind, microseconds)


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
