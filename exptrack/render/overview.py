"""What differs between three sides or more: a table with a column for each side, as text, Markdown or JSON.

The JSON has `schema` (1), `sides` (as `old` and `new` in the JSON of a difference), `rows` with `area`, `key` (path of keys) and
`values` (by the side's number from 0, for the sides that have one), `skipped` (areas that were not compared, and why), and `cautions`.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from exptrack.analysis import fields
from exptrack.model.difference import Area, Overview, Row, Side
from exptrack.model.tree import Value
from exptrack.render.deltas import (
    TITLES,
    choose_form,
    list_remarks,
    name_argument,
    name_side,
    remark_side,
    say_nothing_differs,
)
from exptrack.render.differencejson import SCHEMA, encode_side
from exptrack.render.gfm import code_span, sentence
from exptrack.render.markdown import describe_side
from exptrack.render.sheet import Block, Items, Rows, fit
from exptrack.render.text import BOLD, align, clip, display_width, fill, inert, inert_json, paint
from exptrack.render.values import MISSING, clip_apart, name_keys, tell_apart

_PIPE_WIDTH = 200
_NARROWEST_CELL, _WIDEST_CELL = 24, 40
_WIDEST_MARKDOWN = 100
_OID, _DIGEST = 10, 7


def format_overview(overview: Overview, *, width: int | None, color: bool) -> str:
    """An area after the other; a table that is wider than the terminal in blocks of columns, each with the keys."""
    room = width or _PIPE_WIDTH
    parts = []
    for area, rows in _areas(overview).items():
        title = paint(f"{TITLES[area]}:", BOLD if color else "")
        parts.append("\n".join([title, *_blocks(overview.sides, rows, room)]))
    remarks = "\n".join(map(inert, list_remarks(overview)))
    return "\n\n".join(filter(None, [*(parts or [_nothing(overview)]), remarks]))


def format_overview_markdown(overview: Overview, limit: int = 60_000) -> str:
    """A table for each area, in at most `limit` characters."""
    header = ("key", *map(describe_side, overview.sides))
    blocks: list[Block] = [f"### What differs between {len(overview.sides)} sides"]
    for area, rows in _areas(overview).items():
        names = [code_span(clip(name, 2 * _WIDEST_MARKDOWN)) for name in name_keys([row.key for row in rows])]
        cells = [_cells(row, len(overview.sides), _WIDEST_MARKDOWN, code_span) for row in rows]
        lines = [[name, *line] for name, line in zip(names, cells, strict=True)]
        blocks.append(Rows(header, lines, f"#### {TITLES[area].capitalize()}"))
    if not overview.rows:
        blocks.append(f"{_nothing(overview).capitalize()}.")
    remarks = [sentence(line) for line in list_remarks(overview)]
    return fit([*blocks, *([Items(remarks)] if remarks else [])], limit, code_span(_command(overview)))


def format_overview_json(overview: Overview) -> str:
    """The overview in the schema above."""
    rows = [row._asdict() for row in overview.rows]
    document = {
        "schema": SCHEMA,
        "sides": list(map(encode_side, overview.sides)),
        "rows": rows,
        "skipped": overview.skipped,
        "cautions": overview.cautions,
    }
    return inert_json(fields.format_json(fields.finite(document)))


def _command(overview: Overview) -> str:
    return clip(f"exptrack diff {shlex.join(map(name_argument, overview.sides))}", 4 * _WIDEST_MARKDOWN)


def _areas(overview: Overview) -> dict[Area, list[Row]]:
    rows = {area: [row for row in overview.rows if row.area == area] for area in Area}
    return {area: some for area, some in rows.items() if some}


def _nothing(overview: Overview) -> str:
    return say_nothing_differs(tuple(Area), overview.skipped)


def _blocks(sides: Sequence[Side], rows: Sequence[Row], width: int) -> Iterator[str]:
    """Lines of one table, or of several below each other with as many columns as fit, but at least one."""
    keys = [clip(name, max(width // 2, _NARROWEST_CELL)) for name in name_keys([row.key for row in rows])]
    first = fill(["key", *keys])
    limit = min(max((width - 2 - display_width(first[0])) // len(sides) - 2, _NARROWEST_CELL), _WIDEST_CELL)
    cells = [_cells(row, len(sides), limit, str) for row in rows]
    columns = [align([_title(side), *(line[number] for line in cells)]) for number, side in enumerate(sides)]
    while columns:
        count = _count_fitting(first, columns, width)
        for line in zip(first, *columns[:count], strict=True):
            yield clip("  " + "  ".join(line).rstrip(), width)
        columns = columns[count:]
        if columns:
            yield ""


def _count_fitting(first: Sequence[str], columns: Sequence[Sequence[str]], width: int) -> int:
    room = width - 2 - display_width(first[0])
    for count, column in enumerate(columns):
        room -= 2 + display_width(column[0])
        if room < 0:
            return max(count, 1)
    return len(columns)


def _title(side: Side) -> str:
    remark = remark_side(side)
    name = clip(name_side(side), _WIDEST_CELL)
    return f"{name} ({remark})" if remark else name


def _cells(row: Row, count: int, width: int, form: Callable[[str], str]) -> list[str]:
    """A cell for each side; those that differ read differently."""
    numbers = [number for number in range(count) if number in row.values]
    texts = tell_apart([row.values[number] for number in numbers], partial(_shorten, row))
    shown = dict(zip(numbers, map(form, clip_apart(texts, width)), strict=True))
    return [shown.get(number, MISSING) for number in range(count)]


def _shorten(row: Row, value: Value) -> str:
    """Digests and oids in short; where two would then read alike, `tell_apart` takes all of them."""
    if row.area == Area.CODE:
        return inert(str(value)[:_OID])
    if row.area == Area.DATA and isinstance(value, str):
        algorithm, colon, rest = value.partition(":")
        digest, blank, remark = rest.partition(" ")
        folder = ".dir" if digest.endswith(".dir") else ""
        return inert(f"{algorithm}{colon}{digest.removesuffix(folder)[:_DIGEST]}{folder}{blank}{remark}")
    return choose_form(row.area, row.key)(value)
