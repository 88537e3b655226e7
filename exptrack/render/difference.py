"""A difference between two sides, for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from exptrack.model.change import Kind
from exptrack.model.difference import Area, Difference
from exptrack.model.settings import MetricDeclaration
from exptrack.render.codestat import format_stat
from exptrack.render.columns import format_arrows, format_entries, format_singles
from exptrack.render.datarows import DataEntry, list_data, name_files
from exptrack.render.deltas import (
    TITLES,
    count_areas,
    count_kinds,
    count_lines,
    describe_side,
    list_entries,
    list_metrics,
    list_remarks,
    say_nothing_differs,
    select,
    split_environment,
)
from exptrack.render.text import BOLD, CYAN, GREEN, RED, display_width, inert, pad, page_lines, paint, wrap

_SHADES = {"+": GREEN, "-": RED}
PIPE_WIDTH = 200  # a pipe has no edge, but the eye must find a row's end


class _View(NamedTuple):
    difference: Difference
    declared: Mapping[str, MetricDeclaration]
    width: int
    color: bool


def format_difference(
    difference: Difference,
    declared: Mapping[str, MetricDeclaration],
    *,
    width: int | None,
    color: bool,
    stat: bool = False,
    areas: Sequence[Area] = tuple(Area),
) -> str:
    """Which two sides, then the areas in which they differ, then what was not compared or cannot be told.

    `width` is that of the terminal, None in a pipe. `stat` gives counts instead of values. Only `areas` are shown.
    """
    head = f"{describe_side(difference.old)} → {describe_side(difference.new)}"
    counts = count_areas(difference, areas)
    if not counts:
        parts = [say_nothing_differs(areas, difference.skipped)]
    elif stat:
        parts = ["\n".join(_stat(difference, counts, width))]
    else:
        view = _View(difference, declared, width or PIPE_WIDTH, color)
        parts = ["\n".join(_section(view, area)) for area in counts]
    remarks = "\n".join(map(inert, list_remarks(difference, areas)))
    return "\n\n".join(filter(None, [head, *parts, remarks]))


def _stat(difference: Difference, counts: Mapping[Area, str], width: int | None) -> Iterator[str]:
    widest = max(len(TITLES[area]) for area in counts)
    yield from (f"{TITLES[area]:<{widest}}  {count}" for area, count in counts.items())
    if Area.CODE in counts:
        yield from (f" {line}" for line in format_stat(difference.files, width and width - 1))


def _section(view: _View, area: Area) -> Iterator[str]:
    title, *lines = _SECTIONS[area](view)
    yield paint(title, BOLD if view.color else "")
    yield from lines


def _params(view: _View) -> Iterator[str]:
    yield "parameters:"
    yield from format_entries(list_entries(select(view.difference, Area.PARAMS)), view.width)


def _metrics(view: _View) -> Iterator[str]:
    yield "metrics:"
    entries = list_metrics(select(view.difference, Area.METRICS), view.declared)
    yield from format_entries(entries, view.width, color=view.color)


def _data(view: _View) -> Iterator[str]:
    yield "data:"
    entries = list_data(view.difference)
    limit = view.width // 2
    column = max((width for entry in entries if (width := display_width(entry.path)) <= limit), default=0)
    for entry in entries:
        yield from _data_lines(entry, column, view.width)


def _data_lines(entry: DataEntry, column: int, width: int) -> Iterator[str]:
    lines = wrap(entry.facts, width - column - 4)
    if entry.files:
        lines += wrap(name_files(entry.files), width - column - 4)
    indent = " " * (column + 4)
    if display_width(entry.path) > column:
        yield f"  {entry.path}"
        yield from (indent + line for line in lines)
    else:
        yield f"  {pad(entry.path, column)}  {lines[0]}"
        yield from (indent + line for line in lines[1:])


def _environment(view: _View) -> Iterator[str]:
    facts, packages = split_environment(select(view.difference, Area.ENVIRONMENT))
    counts = {
        "": count_kinds(change.kind for change in facts),
        "packages ": count_kinds(change.kind for change in packages),
    }
    yield "environment: " + "; ".join(what + count for what, count in counts.items() if count)
    yield from format_arrows(list_entries(facts), view.width)
    for kind in (Kind.CHANGED, Kind.ADDED, Kind.REMOVED):
        some = [change._replace(key=change.key[1:]) for change in packages if change.kind is kind]
        if some:
            form = format_arrows if kind is Kind.CHANGED else format_singles
            yield f"  packages {kind}:"
            yield from (f"  {line}" for line in form(list_entries(some), view.width - 2))


def _code(view: _View) -> Iterator[str]:
    files, patch = view.difference.files, view.difference.patch
    yield f"code: {count_lines(files)}"
    yield from (f"  {line}" for line in format_stat(files, view.width - 2))
    if patch:
        yield ""
        yield "\n".join(_paint_patch(patch, is_colored=view.color))


def _paint_patch(patch: str, *, is_colored: bool) -> Iterator[str]:
    """The lines, inert: git's own colours could not be told from those that a file holds."""
    is_head = True
    for line in page_lines(patch):
        is_head = line.startswith("diff --git ") or (is_head and not line.startswith("@@"))
        shade = BOLD if is_head else CYAN if line.startswith("@@") else _SHADES.get(line[:1], "")
        yield paint(line, shade if is_colored else "")


_SECTIONS: Mapping[Area, Callable[[_View], Iterator[str]]] = {
    Area.PARAMS: _params,
    Area.METRICS: _metrics,
    Area.DATA: _data,
    Area.ENVIRONMENT: _environment,
    Area.CODE: _code,
}
