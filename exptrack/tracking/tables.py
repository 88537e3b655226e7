"""Tables as files."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO, StringIO
from typing import Any, NamedTuple

from exptrack.errors import ExptrackError
from exptrack.tracking.drawing import Encoded, find_suffix, first_line
from exptrack.tracking.values import as_value, describe

_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_KNOWN = (*_SEPARATORS, ".json", ".parquet")
_FAILURES = (ValueError, TypeError, RuntimeError, KeyError, AttributeError, OSError, ImportError)


class Rows(NamedTuple):
    """A table of plain values; `columns` are None if they have no names."""

    columns: tuple[str, ...] | None
    rows: Sequence[Sequence[Any]]


def encode_table(table: object, name: str) -> Encoded:
    """The bytes of a table in the format that the suffix of `name` says, csv by default, and the suffix that the name lacks.

    Raises ExptrackError if it is no table, or cannot be written so.
    """
    suffix = find_suffix(name)
    added = "" if suffix in _KNOWN else ".csv"
    try:
        return _format(table, added or suffix), added
    except ModuleNotFoundError as error:
        raise ExptrackError(f"{suffix} needs {error.name}: install it, or name the table .csv") from error
    except _FAILURES as error:
        raise ExptrackError(first_line(error)) from error


def _format(table: Any, suffix: str) -> bytes:
    library = type(table).__module__.partition(".")[0]
    if library == "pandas" and hasattr(table, "columns"):
        return _format_pandas(table, suffix)
    if library == "pandas" and hasattr(table, "to_frame"):
        return _format_pandas(table.to_frame(), suffix)
    if library == "polars":
        return _format_polars(table, suffix)
    rows = read_rows(table.to_pydict() if library == "pyarrow" else table)
    if suffix == ".parquet":
        return _format_parquet(rows)
    if suffix == ".json":
        return _format_json(rows)
    return _format_text(rows, _SEPARATORS[suffix])


def _format_pandas(frame: Any, suffix: str) -> bytes:
    # An index of plain numbers says nothing.
    is_plain = type(frame.index).__name__ == "RangeIndex"
    if suffix == ".parquet":
        buffer = BytesIO()
        frame.to_parquet(buffer, index=not is_plain)
        return buffer.getvalue()
    if suffix == ".json":
        told = frame if is_plain else frame.reset_index()
        said: str = told.to_json(orient="records", date_format="iso", indent=1)
        return f"{said}\n".encode(errors="surrogateescape")
    text: str = frame.to_csv(sep=_SEPARATORS[suffix], index=not is_plain, lineterminator="\n")
    return text.encode(errors="surrogateescape")


def _format_polars(frame: Any, suffix: str) -> bytes:
    frame = frame.collect() if hasattr(frame, "collect") else frame
    frame = frame if hasattr(frame, "write_csv") else frame.to_frame()
    if suffix == ".parquet":
        buffer = BytesIO()
        frame.write_parquet(buffer)
        return buffer.getvalue()
    text = frame.write_json() if suffix == ".json" else frame.write_csv(separator=_SEPARATORS[suffix])
    return str(text).encode()


def read_rows(table: object) -> Rows:
    """The rows of a mapping of columns, of a list of mappings, or of a list of rows, which may be an array of two dimensions.

    Raises ExptrackError if it is nothing of the kind.
    """
    if isinstance(table, Mapping):
        return _read_columns(table)
    listed = table.tolist() if hasattr(table, "tolist") else table
    if isinstance(listed, Iterable) and not isinstance(listed, str | bytes):
        rows = list(listed)
        if rows and all(isinstance(row, Mapping) for row in rows):
            return _read_mappings(rows)
        if all(isinstance(row, list | tuple) for row in rows):
            return Rows(None, [list(map(_plain, row)) for row in rows])
    raise ExptrackError(f"{describe(table)} is no table: give a frame, a mapping of columns, or a list of rows")


def _read_columns(table: Mapping[Any, Any]) -> Rows:
    columns = {str(name): _read_column(values) for name, values in table.items()}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name}: {length}" for name, length in list(lengths.items())[:5])
        raise ExptrackError(f"its columns are not of one length ({told})")
    return Rows(tuple(columns), [list(row) for row in zip(*columns.values(), strict=True)])


def _read_column(values: Any) -> list[Any]:
    listed = values.tolist() if hasattr(values, "tolist") else values
    if isinstance(listed, Iterable) and not isinstance(listed, str | bytes | Mapping):
        return list(map(_plain, listed))
    return [_plain(listed)]  # a single value is a column of one


def _read_mappings(rows: Sequence[Mapping[Any, Any]]) -> Rows:
    columns = tuple(dict.fromkeys(str(key) for row in rows for key in row))
    named = ({str(key): value for key, value in row.items()} for row in rows)
    return Rows(columns, [[_plain(row.get(column)) for column in columns] for row in named])


def _plain(value: object) -> Any:
    return value if isinstance(value, float) else as_value(value)


def _format_text(table: Rows, separator: str) -> bytes:
    buffer = StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\n")
    if table.columns is not None:
        writer.writerow(table.columns)
    writer.writerows([[_cell(value) for value in row] for row in table.rows])
    return buffer.getvalue().encode(errors="surrogateescape")


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value


def _format_json(table: Rows) -> bytes:
    told = [[_finite(value) for value in row] for row in table.rows]
    listed: list[Any] = told if table.columns is None else [dict(zip(table.columns, row, strict=True)) for row in told]
    lines = ",\n".join(json.dumps(row, allow_nan=False) for row in listed)
    return f"[\n{lines}\n]\n".encode()


def _finite(value: Any) -> Any:
    return as_value(value)  # NaN and infinities as texts


def _format_parquet(table: Rows) -> bytes:
    from pyarrow import BufferOutputStream, Table
    from pyarrow.parquet import write_table

    columns = table.columns or tuple(str(number) for number in range(max(map(len, table.rows), default=0)))
    sink = BufferOutputStream()
    write_table(Table.from_pylist([dict(zip(columns, row, strict=False)) for row in table.rows]), sink)
    return bytes(sink.getvalue().to_pybytes())
