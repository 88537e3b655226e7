"""The parts of a reproduction in Markdown, each a block by itself; all that came from others is letters and no more."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from exptrack.analysis.wording import counted
from exptrack.model.difference import Area, Difference
from exptrack.model.reproduction import Answer, Divergence, Level, LevelAnswer
from exptrack.model.settings import MetricDeclaration
from exptrack.render.deltas import TITLES, count_areas, name_argument
from exptrack.render.gfm import code_span, details, join_spans, table, word_span
from exptrack.render.markdown import format_markdown as format_difference
from exptrack.render.reproduction import format_sides, say_divergence
from exptrack.render.sheet import Block, Rows
from exptrack.render.text import clip, inert
from exptrack.render.values import MISSING, clip_apart

WIDEST = 200  # letters of a name or value
_SIGNS = {Answer.YES: "✓ ", Answer.NO: "✗ "}
_WIDEST_LINE = 500
_MOST_EVIDENCE = 3  # lines in the table; the others are folded
# Numbers and marks that mean nothing in the middle of a line, so that they can stand beside plain words.
_PLAIN = re.compile(
    r"[(\[]?[+±-]?\d{1,6}(?:\.\d{1,6})?%?,?|[+±-]?\d{1,6}(?:\.\d{1,6})?%?\][.,;:]?"
    r"|\(?[+±-]?\d{1,6}(?:\.\d{1,6})?%?\)?[.,;:]?|\(?[A-Za-z]+(?:-[A-Za-z]+)*\)?[.,;:]?"
    r"|[→±=%–-]|\)?[.,;:]?"  # noqa: RUF001
)
_BULLET = re.compile(r"[-=–]|\d+[.)]")  # noqa: RUF001
_HEX = re.compile(r"[0-9a-fA-F]{7,}")


def list_levels(
    levels: Sequence[LevelAnswer], required: Level | None = None, *, is_folded: bool = False
) -> list[Block]:
    """A table of the levels with their answers and evidence, of which most is folded if it is much; the required one is marked."""
    most = None if is_folded else _MOST_EVIDENCE
    rows = [
        [
            f"**{one.level}** (required)" if one.level is required else str(one.level),
            format_answer(one),
            "<br>".join(format_prose(line) for line in one.evidence[:most]),
        ]
        for one in levels
    ]
    header = ("level", "answer", "evidence")
    if is_folded:
        return [Rows(header, rows, summary="levels and their evidence", open_rows=0)]
    more = [[str(one.level), format_prose(line)] for one in levels for line in one.evidence[_MOST_EVIDENCE:]]
    blocks: list[Block] = [table(header, rows)]
    if more:
        summary = f"{counted(len(more), 'more line')} of evidence"
        blocks.append(Rows(("level", "evidence"), more, summary=summary, open_rows=0))
    return blocks


def format_answer(one: LevelAnswer) -> str:
    """The answer for a level, with a sign."""
    return f"{_SIGNS.get(one.answer, '')}{one.answer}"


def format_divergence(divergence: Divergence) -> str:
    """Where it first diverged, and the value on each side."""
    sides = format_sides(divergence)
    spans = iter(map(code_span, clip_apart([side for side in sides if side is not None], WIDEST)))
    old, new = (MISSING if side is None else next(spans) for side in sides)
    return f"**First diverged:** {say_divergence(divergence, format_name)}: {old} → {new}"


def fold_difference(difference: Difference, declared: Mapping[str, MetricDeclaration], title: str, limit: int) -> str:
    """What differs as `exptrack diff --markdown` shows it, below `title` and the counts; a line if there is no room for it."""
    if difference.is_empty:
        return ""
    counts = count_areas(difference, tuple(Area))
    summary = f"{title}: {'; '.join(f'{TITLES[area]} {count}' for area, count in counts.items())}"
    text = format_difference(difference, declared, limit=limit - len(details(summary, "")))
    head, _, body = text.removeprefix("### ").partition("\n\n")
    if "\n\n" in body:
        return details(summary, f"{head}\n\n{body}")
    return say_left_out(difference)


def say_left_out(difference: Difference) -> str:
    """The line in place of what differs."""
    words = shlex.join(["exptrack", "diff", name_argument(difference.old), name_argument(difference.new)])
    return f"What differs is left out; {code_span(clip(words, WIDEST))} shows it."


def format_name(text: str) -> str:
    """A name in a code span."""
    return code_span(clip(inert(text), WIDEST))


def format_prose(text: str) -> str:
    """A sentence for the middle of a line: plain words and numbers as they are, all else in code spans."""
    return join_spans(clip(text, _WIDEST_LINE), _words)


def format_item(text: str) -> str:
    """The same for the beginning of a line, where some words would begin a list."""
    first, blank, rest = format_prose(text).partition(" ")
    return f"{code_span(first) if _BULLET.fullmatch(first) else first}{blank}{rest}"


def _words(text: str) -> str:
    return " ".join(
        word if not word or (_PLAIN.fullmatch(word) and not _HEX.search(word)) else word_span(word)
        for word in text.split(" ")
    )
