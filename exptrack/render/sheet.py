"""A page of Markdown that keeps to a limit: the patch is cut first, then the rows; nothing is ever cut inside a fence, table or fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from exptrack.analysis.wording import counted
from exptrack.render.gfm import details, fence, table

OPEN_ROWS = 20  # more are folded


class Rows(NamedTuple):
    """A table, of which the first `open_rows` are seen at once and the others folded below `summary`. Cells are Markdown."""

    header: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    title: str = ""
    numbers: tuple[int, ...] = ()
    summary: str = ""
    open_rows: int = OPEN_ROWS
    most: int | None = None
    legend: str = ""


class Items(NamedTuple):
    """A list, its items Markdown on one line each; folded below `summary`, if there is one."""

    items: Sequence[str]
    summary: str = ""


class Patch(NamedTuple):
    """A folded patch; `command` is the Markdown of what shows all of it."""

    lines: Sequence[str]
    command: str


Block = str | Rows | Items | Patch


def fit(blocks: Sequence[Block], limit: int, command: str) -> str:
    """The blocks, one below the other, in at most `limit` characters; `command` is the Markdown of what shows the rest."""
    text = _render(blocks, command, None, None)
    if len(text) <= limit:
        return text
    lines = max((len(block.lines) for block in blocks if isinstance(block, Patch)), default=0)
    if len(_render(blocks, command, None, 0)) <= limit:
        return _longest(lambda count: _render(blocks, command, None, count), min(lines, limit), limit)
    rows = max(map(_count_rows, blocks), default=0)
    if len(_render(blocks, command, 0, 0)) <= limit:
        return _longest(lambda count: _render(blocks, command, count, 0), rows, limit)
    return _shortest(blocks, command, limit)


def _longest(render: Callable[[int], str], most: int, limit: int) -> str:
    """What is rendered with the highest count that fits; a count of 0 does."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if len(render(middle)) <= limit:
            low = middle
        else:
            high = middle - 1
    return render(low)


def _shortest(blocks: Sequence[Block], command: str, limit: int) -> str:
    kept: list[Block] = []
    for block in blocks:
        if len(_render([*kept, block], command, 0, 0)) > limit:
            break
        kept.append(block)
    return _render(kept, command, 0, 0)


def _render(blocks: Sequence[Block], command: str, rows: int | None, lines: int | None) -> str:
    return "\n\n".join(filter(None, (_render_block(block, command, rows, lines) for block in blocks)))


def _render_block(block: Block, command: str, rows: int | None, lines: int | None) -> str:
    if isinstance(block, Rows):
        return _render_rows(block, command, rows)
    if isinstance(block, Items):
        return _render_items(block, rows)
    return _render_patch(block, lines) if isinstance(block, Patch) else block


def _render_rows(block: Rows, command: str, cap: int | None) -> str:
    caps = [number for number in (cap, block.most) if number is not None]
    shown = block.rows[: min(caps)] if caps else block.rows
    parts = [block.title]
    if shown[: block.open_rows]:
        parts += [table(block.header, shown[: block.open_rows], block.numbers), block.legend]
    if folded := shown[block.open_rows :]:
        summary = block.summary or f"{len(folded):,} more"
        parts.append(details(summary, table(block.header, folded, block.numbers)))
    if left := len(block.rows) - len(shown):
        verb = "is" if left == 1 else "are"
        parts.append(f"{counted(left, 'row')} {verb} left out; {command} shows all of it.")
    return "\n\n".join(filter(None, parts))


def _render_items(block: Items, cap: int | None) -> str:
    left = 0 if cap is None else max(0, len(block.items) - cap)
    items = block.items[:cap]
    text = "\n".join([*(f"- {item}" for item in items), *([f"- and {left:,} more"] if left else [])])
    return details(block.summary, text) if block.summary else text


def _render_patch(block: Patch, cap: int | None) -> str:
    lines = block.lines[:cap]
    left = len(block.lines) - len(lines)
    note = f"{counted(left, 'line')} of the patch {'is' if left == 1 else 'are'} left out; {block.command} shows them."
    if not lines:
        return note
    return details(
        f"patch, {counted(len(block.lines), 'line')}",
        "\n\n".join([fence(lines, "diff"), *([note] if left else [])]),
    )


def _count_rows(block: Block) -> int:
    return len(block.rows) if isinstance(block, Rows) else len(block.items) if isinstance(block, Items) else 0
