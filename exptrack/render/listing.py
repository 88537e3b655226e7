"""A table of runs: numbers of a column under each other, what came from outside inert and in its cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from exptrack.analysis.facts import Facts
from exptrack.model.run import Status
from exptrack.model.tree import Value
from exptrack.render.text import clip, display_width, format_age, format_duration, format_value, inert

_WIDEST = 40  # cells, of a value
_NARROWEST = 12  # cells, of a text that is cut at the edge
_GAP = "  "
_MISSING = "-"
_NUMBERS = frozenset({int, float, type(None)})
_ABBREVIATED = 10  # letters of an oid
_TITLES = {"tag": "tags", "note": "notes"}
_COLORS = {Status.FAILED: 31, Status.CRASHED: 31, Status.INTERRUPTED: 33, Status.COMPLETED: 32}


class Table(NamedTuple):
    """A table as text, and how many of its columns did not fit."""

    text: str
    dropped: int = 0


class _Column(NamedTuple):
    """A title and the cells below it, each `width` wide; a piece of what `is_text` is better than nothing."""

    lines: list[str]
    width: int
    is_text: bool


def format_listing(
    rows: Sequence[Facts],
    columns: Sequence[str],
    now: datetime,
    width: int | None = None,
    ranks: Sequence[str] | None = None,
    *,
    is_colored: bool = False,
) -> Table:
    """Runs below each other with these columns (`analysis/columns.py`); of those, as many as fit into `width` cells.

    `ranks` are the columns in the order in which they are kept; without it those from the left are.
    """
    kept: dict[str, _Column] = {}
    room = width
    titles = dict(zip(columns, _titles(columns), strict=True))
    for name in ranks or columns:
        column = _column(name, titles[name], rows, now)
        if room is not None and column.width > room:
            if kept and (not column.is_text or room < _NARROWEST):
                break
            column = _text_column([clip(line.rstrip(), room) for line in column.lines])
        room = None if room is None else room - column.width - len(_GAP)
        kept[name] = _color(column, rows) if is_colored and name == "status" else column
    shown = (kept[name].lines for name in columns if name in kept)
    lines = (_GAP.join(cells).rstrip() for cells in zip(*shown, strict=True))
    return Table("\n".join(lines), len(columns) - len(kept))


def _titles(columns: Sequence[str]) -> list[str]:
    """Fields by their names, metrics and parameters by their keys, with their area where another column would be called so."""
    short = [inert(name.partition(".")[2]) if "." in name else _TITLES.get(name, name) for name in columns]
    counts = Counter(short)
    return [
        clip(inert(name) if "." in name and counts[title] > 1 else title, _WIDEST)
        for name, title in zip(columns, short, strict=True)
    ]


def _column(name: str, title: str, rows: Sequence[Facts], now: datetime) -> _Column:
    area, _, key = name.partition(".")
    if area in {"metrics", "params"}:
        values = [row.metrics.get(key) for row in rows] if area == "metrics" else [row.params.get(key) for row in rows]
        if {type(value) for value in values} <= _NUMBERS:
            return _number_column(title, values)
        return _text_column([title, *(clip(format_value(value), _WIDEST) for value in values)])
    if name in {"age", "duration"}:
        times = (
            format_age(row.run.record.started, now) if name == "age" else format_duration(row.run.record.duration)
            for row in rows
        )
        return _right_column([title, *times])
    texts = (_FIELDS.get(name, _field(name))(row) for row in rows)
    return _text_column([title, *texts] if name == "name" else [title, *(clip(inert(text), _WIDEST) for text in texts)])


def _field(name: str) -> Callable[[Facts], str]:
    def read(row: Facts) -> str:
        value = row.get(name)
        return _MISSING if value is None else str(value)

    return read


_FIELDS: Mapping[str, Callable[[Facts], str]] = {
    "status": lambda row: row.run.record.status.value,
    "experiment": lambda row: row.run.record.experiment or "",
    "tag": lambda row: ",".join(row.run.tags),
    "reproduces": lambda row: row.run.record.links.reproduces or "",
    "parent": lambda row: row.run.record.links.parent or "",
    "resumes": lambda row: row.run.record.links.resumes or "",
    "removed": lambda row: (row.run.removed_by or "").partition(" <")[0],
    "started": lambda row: _format_time(row.run.record.started),
    "ended": lambda row: _MISSING if row.run.record.ended is None else _format_time(row.run.record.ended),
    "commit": lambda row: row.run.oid[:_ABBREVIATED],
}


def _format_time(moment: datetime) -> str:
    """UTC to the second, as a query takes it."""
    return f"{moment.isoformat()[:19]}Z"


def _number_column(title: str, values: Sequence[Value]) -> _Column:
    """Numbers with their points, or where these would be, under each other."""
    numbers = [
        f"{value:.6g}" if type(value) is float else _MISSING if value is None else str(value) for value in values
    ]
    tails = [_tail(number) for number in numbers]
    after = max(tails, default=0)
    return _right_column([title, *(number + " " * (after - tail) for number, tail in zip(numbers, tails, strict=True))])


def _tail(number: str) -> int:
    """Letters from the point, or the exponent, on."""
    point = number.find(".")
    if point < 0:
        point = number.find("e")
    return 0 if point < 0 else len(number) - point


def _right_column(lines: list[str]) -> _Column:
    """Cells of ASCII that end at the same edge; the title may be of any letters."""
    size = display_width(lines[0])
    width = max(size, *map(len, lines[1:]))
    padded = [line.rjust(width) for line in lines]
    padded[0] = " " * (width - size) + lines[0]
    return _Column(padded, width, is_text=False)


def _text_column(lines: list[str]) -> _Column:
    if all(map(str.isascii, lines)):
        width = max(map(len, lines))
        return _Column([line.ljust(width) for line in lines], width, is_text=True)
    widths = [display_width(line) for line in lines]
    width = max(widths)
    padded = [line + " " * (width - size) for line, size in zip(lines, widths, strict=True)]
    return _Column(padded, width, is_text=True)


def _color(column: _Column, rows: Sequence[Facts]) -> _Column:
    colors = (_COLORS[row.run.record.status] for row in rows)
    cells = (f"\x1b[{color}m{line}\x1b[m" for color, line in zip(colors, column.lines[1:], strict=True))
    return column._replace(lines=[column.lines[0], *cells])
