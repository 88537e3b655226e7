"""A difference between two sides as Markdown, for a pull request."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from exptrack.analysis.wording import counted
from exptrack.model.difference import Area, DataFile, Difference, FileChange, Side
from exptrack.model.settings import MetricDeclaration
from exptrack.render.codestat import is_binary, name_mode
from exptrack.render.datarows import list_data, sort_files
from exptrack.render.deltas import (
    TITLES,
    Entry,
    count_areas,
    count_kinds,
    list_entries,
    list_metrics,
    list_remarks,
    name_argument,
    name_side,
    remark_side,
    say_nothing_differs,
    select,
    split_environment,
)
from exptrack.render.gfm import code_span, sentence
from exptrack.render.sheet import Block, Items, Patch, Rows, fit
from exptrack.render.text import clip, format_size, page_lines
from exptrack.render.values import MISSING, clip_apart

_WIDEST_VALUE = 100
_WIDEST_NAME = 200
_WIDEST_REMARK = 500
_MOST_DATA_FILES = 100
_OID = 10
_SIGNS = {True: "✓ toward", False: "✗ away", None: ""}
_LEGEND = "✓ toward: moved in the direction of the metric's goal. ✗ away: against it."


def format_markdown(
    difference: Difference,
    declared: Mapping[str, MetricDeclaration],
    *,
    stat: bool = False,
    areas: Sequence[Area] = tuple(Area),
    limit: int = 60_000,
) -> str:
    """Heading, counts, and a table for each area that differs; much of it folded. At most `limit` characters.

    `stat` gives counts and the files of the code instead of values. Only `areas` are shown.
    """
    counts = count_areas(difference, areas)
    command = code_span(_command(difference))
    head = f"### {_head(difference.old)} → {_head(difference.new)}"
    said = " · ".join(f"**{TITLES[area]}** {count}" for area, count in counts.items())
    blocks: list[Block] = [head, said or f"{say_nothing_differs(areas, difference.skipped).capitalize()}."]
    for area in counts:
        blocks += _blocks(difference, declared, area, stat=stat)
    remarks = [sentence(clip(remark, _WIDEST_REMARK)) for remark in list_remarks(difference, areas)]
    return fit([*blocks, *([Items(remarks)] if remarks else [])], limit, command)


def describe_side(side: Side) -> str:
    """Name and remark of a side as Markdown."""
    remark = remark_side(side)
    said = remark if side.run else code_span(remark or "-")
    return code_span(clip(name_side(side), _WIDEST_VALUE)) + (f" ({said})" if remark else "")


def _head(side: Side) -> str:
    """As `describe_side`, and of a run its commit, by which a reviewer finds it."""
    oid = f" at {code_span(side.run.oid[:_OID])}" if side.run else ""
    return describe_side(side) + oid


def _command(difference: Difference) -> str:
    words = map(name_argument, (difference.old, difference.new))
    return clip(f"exptrack diff {shlex.join(words)}", 2 * _WIDEST_NAME)


def _blocks(
    difference: Difference, declared: Mapping[str, MetricDeclaration], area: Area, *, stat: bool
) -> Iterator[Block]:
    changes = select(difference, area)
    if area is Area.CODE:
        yield list_files(difference.files, "#### Code")
        if difference.patch and not stat:
            yield Patch(page_lines(difference.patch), code_span(f"{_command(difference)} --only code"))
    elif stat:
        return
    elif area is Area.PARAMS:
        yield Rows(("key", "old", "new"), _rows(list_entries(changes)), "#### Parameters")
    elif area is Area.METRICS:
        yield _metrics(list_metrics(changes, declared))
    elif area is Area.DATA:
        yield from _data(difference)
    else:
        facts, packages = split_environment(changes)
        rows = _rows(list_entries([*facts, *packages]))
        yield Rows(
            ("key", "old", "new"),
            rows,
            "#### Environment",
            summary=count_kinds(change.kind for change in changes),
            open_rows=0,
        )


def _rows(entries: Sequence[Entry]) -> list[list[str]]:
    return [[code_span(clip(entry.name, _WIDEST_NAME)), *_values(entry)] for entry in entries]


def _values(entry: Entry) -> list[str]:
    sides = [text for text in (entry.old, entry.new) if text is not None]
    spans = iter([code_span(text) for text in clip_apart(sides, _WIDEST_VALUE)])
    return [MISSING if text is None else next(spans) for text in (entry.old, entry.new)]


def _metrics(entries: Sequence[Entry]) -> Rows:
    """Without the columns in which nothing stands."""
    header = ("key", "old", "new", "delta", "relative", "goal")
    rows = [
        [*row, entry.delta, entry.relative, _SIGNS[entry.toward]]
        for row, entry in zip(_rows(entries), entries, strict=True)
    ]
    used = [number for number in range(len(header)) if number < 3 or any(row[number] for row in rows)]
    return Rows(
        tuple(header[number] for number in used),
        [[row[number] for number in used] for row in rows],
        "#### Metrics",
        numbers=tuple(index for index, number in enumerate(used) if 1 <= number <= 4),
        legend=_LEGEND if any(entry.toward is not None for entry in entries) else "",
    )


def _data(difference: Difference) -> Iterator[Rows]:
    entries = list_data(difference)
    rows = [
        [
            code_span(clip(entry.path, _WIDEST_NAME)),
            "; ".join([entry.what, *entry.remarks]),
            *_extents(entry.old, entry.new),
        ]
        for entry in entries
    ]
    yield Rows(("path", "change", "old", "new"), rows, "#### Data")
    files = [
        _data_file(f"{change.key[0]}/{file.path}", file)
        for change in select(difference, Area.DATA)
        for file in sort_files(difference.folders.get(change.key[0], ()))
    ]
    if files:
        header, summary = ("file", "change", "old", "new"), f"{counted(len(files), 'file')} in folders"
        yield Rows(header, files, numbers=(2, 3), summary=summary, open_rows=0, most=_MOST_DATA_FILES)


def _extents(old: str | None, new: str | None) -> list[str]:
    return [MISSING if text is None else code_span(text) for text in (old, new)]


def _data_file(path: str, file: DataFile) -> list[str]:
    sizes = [MISSING if size is None else format_size(size) for size in (file.old_size, file.new_size)]
    return [code_span(clip(path, _WIDEST_NAME)), str(file.kind), *sizes]


def list_files(files: Sequence[FileChange], title: str) -> Rows:
    """Files of the code that differ, and how many lines of each."""
    rows = [[_path(file), f"{file.kind}{name_mode(file)}", *_lines(file)] for file in files]
    return Rows(("file", "change", "+", "−"), rows, title, numbers=(2, 3))  # noqa: RUF001


def _path(file: FileChange) -> str:
    paths = [path for path in (file.old_path, file.path) if path]
    return " → ".join(code_span(clip(path, _WIDEST_NAME)) for path in paths)


def _lines(file: FileChange) -> tuple[str, str]:
    return ("binary", "") if is_binary(file) else (f"{file.added or 0:,}", f"{file.removed or 0:,}")
