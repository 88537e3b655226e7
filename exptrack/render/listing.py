"""A table of runs: numbers of a column under each other, what came from outside inert and in its cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
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
            column = _text_column(title, {text: text for text in texts}, texts)
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
    values: Sequence[Any] = rows.column("started" if name == "age" else name)
    if name == "age":
        return _right_column(title, _write_each(values, lambda then: format_age(then, now)), values)
    if name == "duration":
        return _right_column(title, _write_each(values, format_duration), values)
    if "." in name:
        return _key_column(title, values)
    write = _FIELDS.get(name, _write_field)
    cells = _write_each(values, write if name == "name" else lambda value: clip(inert(write(value)), _WIDEST))
    return _text_column(title, cells, values)


def _key_column(title: str, values: Sequence[Any]) -> _Column:
    kinds = {*map(type, values)}
    if kinds <= _NUMBERS:
        mixed = [*zip(map(type, values), values, strict=True)] if {int, float} <= kinds else None
        return _number_column(title, values if mixed is None else mixed)
    if kinds <= _TEXTS:
        return _text_column(title, _write_each(values, _write_value), values)
    cells = [_write_value(value) for value in values]
    return _text_column(title, {cell: cell for cell in cells}, cells)


def _write_each(values: Sequence[Any], write: Callable[[Any], str]) -> Mapping[Any, str]:
    """The cell of each value, where no two are equal and yet differ, as 1 and true do. What comes often is written once."""
    return {value: write(value) for value in {*values}}


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
    """Numbers with their points, or where these would be, under each other; where whole ones are among others, each with its type before it.

    10,000 of them a column: no function is called for each, which took twice as long.
    """
    numbers = {value: f"{value:.6g}" if type(value) is float else _write_whole(value) for value in {*values}}
    places = [place if (place := text.find(".")) >= 0 else _find_end(text) for text in numbers.values()]
    after = max((len(text) - place for text, place in zip(numbers.values(), places, strict=True)), default=0)
    cells = {value: text.ljust(place + after) for (value, text), place in zip(numbers.items(), places, strict=True)}
    return _right_column(title, cells, values)


def _write_whole(value: Any) -> str:
    """What is no float by itself: a whole number, nothing, or a number with its type before it."""
    if type(value) is tuple:
        return f"{value[1]:.6g}" if value[0] is float else _write_whole(value[1])
    return _MISSING if value is None else str(value)


def _find_end(number: str) -> int:
    """Letters before the exponent, or all."""
    place = number.find("e")
    return len(number) if place < 0 else place


def _right_column(title: str, cells: Mapping[Any, str], values: Sequence[Any]) -> _Column:
    """The cells of values, of ASCII, that end at the same edge; the title may be of any letters."""
    size = display_width(title)
    width = max(size, *map(len, cells.values()), 0)
    padded = {value: cell.rjust(width) for value, cell in cells.items()}
    return _Column([" " * (width - size) + title, *map(padded.__getitem__, values)], width, is_text=False)


def _text_column(title: str, cells: Mapping[Any, str], values: Sequence[Any]) -> _Column:
    sizes = {text: len(text) if text.isascii() else display_width(text) for text in {title, *cells.values()}}
    width = max(sizes.values())
    padded = {value: cell + " " * (width - sizes[cell]) for value, cell in cells.items()}
    lines = [title + " " * (width - sizes[title]), *map(padded.__getitem__, values)]
    return _Column(lines, width, is_text=True)


def _color(column: _Column, rows: Rows) -> _Column:
    statuses: Sequence[Any] = rows.column("status")
    colors = (_COLORS[status] for status in statuses)
    cells = (f"\x1b[{color}m{line}\x1b[m" for color, line in zip(colors, column.lines[1:], strict=True))
    return column._replace(lines=[column.lines[0], *cells])
