"""Configurations compared by a metric, for a terminal: a line each with its interval drawn, then the verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from exptrack.model.comparison import Comparison, Word
from exptrack.render.comparisonparts import (
    BASELINE,
    CELLS,
    HEADER,
    Told,
    draw_bar,
    find_scale,
    list_notes,
    list_rows,
    list_secondary,
    list_told,
    list_words,
    say_head,
    say_shared,
)
from exptrack.render.page import YELLOW
from exptrack.render.text import BOLD, GREEN, RED, clip, display_width, inert, pad, paint, wrap

_GAP = "  "
_WIDEST_LABEL = 60
_PIPE_WIDTH = 200
_COLORS = {
    Word.BETTER: GREEN,
    Word.EQUIVALENT: GREEN,
    Word.WORSE: RED,
    Word.WITHHELD: YELLOW,
    Word.NOT_COMPARABLE: YELLOW,
}


def format_comparison(comparison: Comparison, *, width: int | None = None, color: bool = False) -> str:
    """Head, table, verdicts, notes; lines are folded at `width` cells (None: 200), and a table that is too wide loses its bars first."""
    room = width or _PIPE_WIDTH
    head = "\n".join(wrap(inert(say_head(comparison)).split(" "), room))
    told, common = list_told(comparison)
    parts = [
        paint(head, BOLD) if color else head,
        "\n".join(wrap(inert(say_shared(comparison)).split(" "), room)) if comparison.shared else "",
        "\n".join(_table(comparison, room, color=color)),
        "\n".join(line for one in told for line in _tell(one, room, color=color)),
        _paragraph("secondary metrics, exploratory:", _list_explored(comparison), room),
        _paragraph("", [*common, *list_notes(comparison)], room),
    ]
    return "\n\n".join(filter(None, parts))


def _table(comparison: Comparison, room: int, *, color: bool) -> list[str]:
    if not comparison.configurations:
        return ["no configuration"]
    rows = [tuple(map(inert, row)) for row in list_rows(comparison)]
    labels = [_clip_label(row[0], min(_WIDEST_LABEL, max(20, room // 2))) for row in (HEADER, *rows)]
    columns = [_left(labels), *(_right(cells) for cells in zip(*(row[1:] for row in (HEADER, *rows)), strict=True))]
    bars = _bars(comparison)
    words = ["", *list_words(comparison)]
    tails = [_left(bars), words] if any(words) else [bars]
    if sum(map(_width, (*columns, *tails))) + len(_GAP) * (len(columns) + len(tails) - 1) > room:
        tails = [words] if any(words) else []
    while (
        len(columns) > 3 and sum(map(_width, (*columns, *tails))) + len(_GAP) * (len(columns) + len(tails) - 1) > room
    ):
        columns.pop()
    lines = [_GAP.join(cells).rstrip() for cells in zip(*columns, *tails, strict=True)]
    return [_paint_word(line, word) if color else line for line, word in zip(lines, words, strict=True)]


def _clip_label(label: str, width: int) -> str:
    """The beginning of a label, and what marks the baseline."""
    end = BASELINE if label.endswith(BASELINE) else ""
    return clip(label.removesuffix(end), width - len(end)) + end


def _bars(comparison: Comparison) -> list[str]:
    scale = find_scale(comparison.configurations)
    mark = next((one.mean for one in comparison.configurations if one.is_baseline), None)
    drawn = [draw_bar(one, scale, mark) for one in comparison.configurations]
    title = "" if scale is None else f"{scale.low:.4g}".ljust(CELLS - len(f"{scale.high:.4g}")) + f"{scale.high:.4g}"
    return [title, *drawn]


def _tell(one: Told, room: int, *, color: bool) -> list[str]:
    label = inert(one.label)
    lines = [f"  {line}" for line in wrap(inert(one.line).split(" "), room - 2)]
    if color:
        lines[0] = lines[0].replace(str(one.word), paint(str(one.word), _COLORS.get(one.word, "")), 1)
    notes = [f"    {line}" for note in one.notes for line in wrap(inert(note).split(" "), room - 4)]
    return [clip(label, room), *lines, *notes]


def _paragraph(title: str, lines: Sequence[str], room: int) -> str:
    if not lines:
        return ""
    folded = [
        ("- " if not place else "  ") + piece
        for line in lines
        for place, piece in enumerate(wrap(inert(line).split(" "), room - 2))
    ]
    return "\n".join([*filter(None, [title]), *folded])


def _list_explored(comparison: Comparison) -> list[str]:
    return [f"{label}: {line.removeprefix('exploratory:').strip()}" for label, line in list_secondary(comparison)]


def _paint_word(line: str, word: str) -> str:
    color = _COLORS.get(Word(word), "") if word else ""
    return line[: -len(word)] + paint(word, color) if color and line.endswith(word) else line


def _left(cells: Sequence[str]) -> list[str]:
    width = _width(cells)
    return [pad(cell, width) for cell in cells]


def _right(cells: Sequence[str]) -> list[str]:
    width = _width(cells)
    return [" " * (width - display_width(cell)) + cell for cell in cells]


def _width(cells: Sequence[str]) -> int:
    return max(map(display_width, cells), default=0)
