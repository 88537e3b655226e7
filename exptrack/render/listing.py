"""A table of runs: numbers of a column under each other, what came from outside inert and in its cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from exptrack.analysis.query import Fact
from exptrack.analysis.rows import Rows
from exptrack.model.run import Status
from exptrack.model.tree import Value
from exptrack.render.text import clip, display_width, format_age, format_duration, format_value, inert

_WIDEST = 40  # cells, of a value
_NARROWEST = 12  # cells, of a text that is cut at the edge
_GAP = "  "
_MISSING = "-"
_NUMBERS, _TEXTS = frozenset({int, float, type(None)}), frozenset({str, type(None)})
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
    rows: Rows,
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
            title, *texts = (clip(line.rstrip(), room) for line in column.lines)
            column = _text_column(title, texts)
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


def _column(name: str, title: str, rows: Rows, now: datetime) -> _Column:
    if name == "age":
        starts: Sequence[Any] = rows.column("started")
        return _right_column(title, [format_age(then, now) for then in starts])
    values = rows.column(name)
    if name == "duration":
        return _spread(values, lambda some: _right_column(title, [format_duration(seconds) for seconds in some]))
    if "." in name:
        return _key_column(title, values)
    if name == "name":
        return _text_column(title, [str(value) for value in values])
    write = _FIELDS.get(name, _write_field)
    return _spread(values, lambda some: _text_column(title, [clip(inert(write(value)), _WIDEST) for value in some]))


def _key_column(title: str, values: Sequence[Any]) -> _Column:
    kinds = {*map(type, values)}
    if kinds <= _NUMBERS:
        is_mixed = {int, float} <= kinds  # 1 and 1.0 are equal, and 10000000 is not written as 1e7 is
        return _number_column(title, values) if is_mixed else _spread(values, partial(_number_column, title))
    if kinds <= _TEXTS:
        return _spread(values, lambda some: _text_column(title, [_write_value(value) for value in some]))
    return _text_column(title, [_write_value(value) for value in values])


def _spread(values: Sequence[Any], build: Callable[[Sequence[Any]], _Column]) -> _Column:
    """The column of some values, by what builds one: where few of them differ, each is laid out once. Equal ones are written alike."""
    distinct = [*{*values}]
    if len(distinct) * 2 > len(values):
        return build(values)
    column = build(distinct)
    cells = dict(zip(distinct, column.lines[1:], strict=True))
    return column._replace(lines=[column.lines[0], *map(cells.__getitem__, values)])


def _write_value(value: Value) -> str:
    return clip(format_value(value), _WIDEST)


def _write_field(value: Fact) -> str:
    return _MISSING if value is None else str(value)


def _format_time(moment: datetime) -> str:
    """UTC to the second, as a query takes it."""
    return f"{moment.isoformat()[:19]}Z"


_FIELDS: Mapping[str, Callable[[Any], str]] = {
    "experiment": lambda name: name or "",
    "tag": ",".join,
    "reproduces": lambda name: name or "",
    "parent": lambda name: name or "",
    "resumes": lambda name: name or "",
    "removed": lambda author: (author or "").partition(" <")[0],
    "started": _format_time,
    "ended": lambda moment: _MISSING if moment is None else _format_time(moment),
    "commit": lambda oid: oid[:_ABBREVIATED],
}


def _number_column(title: str, values: Sequence[Any]) -> _Column:
    """Numbers with their points, or where these would be, under each other.

    No function is called for each of 10,000: that took twice as long.
    """
    numbers = [
        f"{value:.6g}" if type(value) is float else _MISSING if value is None else str(value) for value in values
    ]
    places = [place if (place := number.find(".")) >= 0 else _find_end(number) for number in numbers]
    after = max((len(number) - place for number, place in zip(numbers, places, strict=True)), default=0)
    return _right_column(title, [number.ljust(place + after) for number, place in zip(numbers, places, strict=True)])


def _find_end(number: str) -> int:
    """Letters before the exponent, or all."""
    place = number.find("e")
    return len(number) if place < 0 else place


def _right_column(title: str, cells: Sequence[str]) -> _Column:
    """Cells of ASCII that end at the same edge; the title may be of any letters."""
    size = display_width(title)
    width = max(size, *map(len, cells), 0)
    lines = [cell.rjust(width) for cell in cells]
    return _Column([" " * (width - size) + title, *lines], width, is_text=False)


def _text_column(title: str, cells: Sequence[str]) -> _Column:
    lines = [title, *cells]
    if all(map(str.isascii, lines)):
        width = max(map(len, lines))
        return _Column([line.ljust(width) for line in lines], width, is_text=True)
    widths = [display_width(line) for line in lines]
    width = max(widths)
    padded = [line + " " * (width - size) for line, size in zip(lines, widths, strict=True)]
    return _Column(padded, width, is_text=True)


def _color(column: _Column, rows: Rows) -> _Column:
    statuses: Sequence[Any] = rows.column("status")
    colors = (_COLORS[status] for status in statuses)
    cells = (f"\x1b[{color}m{line}\x1b[m" for color, line in zip(colors, column.lines[1:], strict=True))
    return column._replace(lines=[column.lines[0], *cells])
