"""Entries as rows of a table; what is too wide for it has its values under each other instead, where they are easier to compare."""

from __future__ import annotations

from collections.abc import Sequence

from exptrack.render.deltas import Entry
from exptrack.render.text import GREEN, RED, align, clip, display_width, fill, pad, paint
from exptrack.render.values import MISSING, clip_apart

_HEADER = ("key", "old", "new", "delta", "relative")
_SHARES = (3, 4, 6, 8)  # a value may take a third of the width, or less if more rows fit then
_NARROWEST = 12
_LONGEST_KEY = 200

Cells = tuple[str, ...]


def format_entries(entries: Sequence[Entry], width: int, *, color: bool = False) -> list[str]:
    """A table: key, old, new, and delta and relative delta if there are any. Numbers have their points under each other."""
    short, long = _divide(entries, width)
    lines = _table([_HEADER, *map(_cells, short)]) if short else []
    shades = ["", *map(_shade, short)] if short else []
    if color:
        lines = [
            (*line[:3], *(paint(cell, shade) for cell in line[3:])) for line, shade in zip(lines, shades, strict=True)
        ]
    table = ["  " + "  ".join(line).rstrip() for line in lines]
    return [*table, *(line for entry in long for line in _stack(entry, width, color=color))]


def format_arrows(entries: Sequence[Entry], width: int) -> list[str]:
    """Lines such as `numpy  1.26.4 → 2.0.1`."""
    short, long = _divide(entries, width)
    names, olds = fill([entry.name for entry in short]), fill([entry.old or MISSING for entry in short])
    news = [entry.new or MISSING for entry in short]
    lines = [f"  {name}  {old} → {new}" for name, old, new in zip(names, olds, news, strict=True)]
    return [*lines, *(line for entry in long for line in _stack(entry, width))]


def format_singles(entries: Sequence[Entry], width: int) -> list[str]:
    """Lines of a key and a value: for entries of which all have the same side only."""
    values = [entry.new if entry.old is None else entry.old for entry in entries]
    room = width - 4 - max((display_width(value or "") for value in values), default=0)
    column = max((size for entry in entries if (size := display_width(entry.name)) <= max(room, width // 3)), default=0)
    lines = []
    for entry, value in zip(entries, values, strict=True):
        line = f"  {pad(entry.name, column)}  {value}"
        fits = display_width(entry.name) <= column and display_width(line) <= width
        lines += [line] if fits else _stack(entry, width)
    return lines


def _cells(entry: Entry) -> Cells:
    return (entry.name, entry.old or MISSING, entry.new or MISSING, entry.delta, entry.relative)


def _shade(entry: Entry) -> str:
    return "" if entry.toward is None else GREEN if entry.toward else RED


def _table(rows: Sequence[Cells]) -> list[Cells]:
    """Cells of the same width in each column; a column that has a header only is left out."""
    columns = list(zip(*rows, strict=True))
    used = [column for number, column in enumerate(columns) if number < 3 or any(column[1:])]
    return list(zip(fill(used[0]), *map(align, used[1:]), strict=True))


def _divide(entries: Sequence[Entry], width: int) -> tuple[list[Entry], list[Entry]]:
    """The entries that stand in a table of this width, as many as can be, and the others."""
    tries = [_fitting(entries, width, max(width // share, _NARROWEST)) for share in _SHARES]
    fits = max(tries, key=len)
    return [entries[number] for number in fits], [entry for number, entry in enumerate(entries) if number not in fits]


def _fitting(entries: Sequence[Entry], width: int, limit: int) -> dict[int, None]:
    """Numbers of the entries that fit if no value is wider than `limit`."""
    slim = [number for number, entry in enumerate(entries) if _is_slim(entry, limit)]
    rows = _table([_HEADER, *(("", *_cells(entries[number])[1:]) for number in slim)])
    room = width - 2 - sum(display_width(cell) + 2 for cell in rows[0][1:])
    return dict.fromkeys(number for number in slim if display_width(entries[number].name) <= room)


def _is_slim(entry: Entry, limit: int) -> bool:
    return all(display_width(text) <= limit for text in (entry.old or "", entry.new or ""))


def _stack(entry: Entry, width: int, *, color: bool = False) -> list[str]:
    sides = {name: text for name, text in (("old", entry.old), ("new", entry.new)) if text is not None}
    texts = clip_apart(list(sides.values()), width - 9)
    lines = [f"  {clip(entry.name, max(width - 2, _LONGEST_KEY))}"]
    lines += [f"    {name}  {text}" for name, text in zip(sides, texts, strict=True)]
    if entry.delta:
        delta = "  ".join(filter(None, (entry.delta, entry.relative)))
        lines.append(f"    delta  {paint(delta, _shade(entry) if color else '')}")
    return lines
