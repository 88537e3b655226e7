"""Rows as lines: CSV by RFC 4180, and JSON."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import IO, Any, Final, Protocol

from exptrack.analysis.codec import finite
from exptrack.analysis.fields import format_time
from exptrack.model.tree import flatten
from exptrack.operations.exporting.tables import Kind, Row, Series, list_points

PARQUET, CSV, JSONL = "parquet", "csv", "jsonl"
FORMATS: Final = (PARQUET, CSV, JSONL)

_SURROGATE = re.compile("[\ud800-\udfff]")  # a byte of a path that is no UTF-8


class Sink(Protocol):
    """A file of one table."""

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows of runs."""

    def write_points(self, histories: Sequence[Series]) -> None:
        """Add the points of histories."""

    def close(self) -> None:
        """Write what is still to be written; the file itself stays open."""

    def abandon(self) -> None:
        """Write no more: the file goes."""


def open_sink(form: str, file: IO[bytes], columns: Mapping[str, Kind]) -> Sink:
    """What writes a table with these columns into a file; raises DataError if what it takes is not installed."""
    if form == PARQUET:
        from exptrack.operations.exporting.parquet import ParquetSink

        return ParquetSink(file, columns)
    return CsvSink(file, columns) if form == CSV else JsonSink(file, columns)


class _Lines(ABC):
    """A file of lines: each is there once it is written, so nothing has to be ended."""

    @abstractmethod
    def write(self, rows: Iterable[Row]) -> None:
        """Rows, a line each."""

    def write_points(self, histories: Sequence[Series]) -> None:
        for series in histories:
            self.write(list_points(series))

    def close(self) -> None:  # noqa: B027 - there is nothing to do
        """Nothing is held back."""

    def abandon(self) -> None:  # noqa: B027
        """Whoever opened the file takes it away."""


class JsonSink(_Lines):
    """A mapping a line, with the same keys in each."""

    def __init__(self, file: IO[bytes], columns: Mapping[str, Kind]) -> None:
        self._file, self._names = file, tuple(columns)

    def write(self, rows: Iterable[Row]) -> None:
        self._file.writelines(map(self._format, rows))

    def _format(self, row: Row) -> bytes:
        fields = {name: _plain(value) for name, value in zip(self._names, row, strict=True)}
        return f"{_json(fields)}\n".encode()


class CsvSink(_Lines):
    """A header, then a line a row. What is missing is an empty cell; what has parts is JSON. A text is as it is, also one that a spreadsheet takes for a formula."""

    def __init__(self, file: IO[bytes], columns: Mapping[str, Kind]) -> None:
        import csv

        self._file = file
        self._cells = [_CELLS.get(kind, _cell) for kind in columns.values()]
        self._lines: list[str] = []
        lines = self._lines

        class Lines:
            def write(self, line: str) -> None:
                lines.append(line)

        self._writer = csv.writer(Lines())
        self._writer.writerow(columns)
        self._flush()

    def write(self, rows: Iterable[Row]) -> None:
        cells = self._cells
        for row in rows:
            self._writer.writerow([cell(value) for cell, value in zip(cells, row, strict=True)])
        self._flush()

    def _flush(self) -> None:
        self._file.write("".join(self._lines).encode(errors="backslashreplace"))
        self._lines.clear()


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    # Escaped twice, so that what reads it finds a text such as `\udcff`, and not half of a letter, which many refuse.
    return _SURROGATE.sub(lambda found: f"\\\\u{ord(found[0]):04x}", text)


def _plain(value: Any) -> Any:
    return format_time(value) if isinstance(value, datetime) else finite(value)


def _cell(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, datetime):
        return format_time(value)
    plain = finite(value)
    return plain if isinstance(plain, str) else json.dumps(plain)


def _flat_cell(tree: Any) -> str:
    return _json(finite(flatten(tree)))


_CELLS: Mapping[Kind, Callable[[Any], str]] = {
    Kind.METRICS: _flat_cell,
    Kind.PARAMS: _flat_cell,
    Kind.TEXTS: lambda texts: _json(list(texts)),
}
