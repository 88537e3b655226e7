"""The files of the code that differ, as `git diff --stat` shows them."""

from __future__ import annotations

from collections.abc import Sequence

from exptrack.model.change import Kind
from exptrack.model.difference import FileChange
from exptrack.render.text import clip_left, display_width, inert, pad

_WIDEST_BAR = 40
_NARROWEST_BAR = 10
_MARKS = {Kind.ADDED: " (new)", Kind.REMOVED: " (gone)", Kind.CHANGED: ""}


def format_stat(files: Sequence[FileChange], width: int | None) -> list[str]:
    """One line a file: path, number of lines, and a bar of + and - that is scaled to the widest."""
    names = [name_file(file) + _MARKS[file.kind] + name_mode(file) for file in files]
    counts = ["Bin" if is_binary(file) else str(_lines(file)) for file in files]
    number = max(map(len, counts), default=0)
    if width is not None:
        names = [clip_left(name, max(width - number - _NARROWEST_BAR - 4, _NARROWEST_BAR)) for name in names]
    path = max(map(display_width, names), default=0)
    room = _WIDEST_BAR if width is None else max(min(_WIDEST_BAR, width - path - number - 4), 1)
    most = max((_lines(file) for file in files), default=0)
    return [
        f"{pad(name, path)} | {count:>{number}} {_bar(file, most, room)}".rstrip()
        for name, count, file in zip(names, counts, files, strict=True)
    ]


def name_file(file: FileChange) -> str:
    """The path on one line, with the one before it if it moved."""
    return f"{inert(file.old_path)} → {inert(file.path)}" if file.old_path else inert(file.path)


def name_mode(file: FileChange) -> str:
    """How the mode changed, where it did."""
    return f" (mode {file.old_mode} → {file.new_mode})" if file.old_mode else ""


def is_binary(file: FileChange) -> bool:
    """Whether no lines were counted."""
    return file.added is None and file.removed is None


def _lines(file: FileChange) -> int:
    return (file.added or 0) + (file.removed or 0)


def _bar(file: FileChange, most: int, room: int) -> str:
    lines = _lines(file)
    if most <= room:
        return "+" * (file.added or 0) + "-" * (file.removed or 0)
    sides = (file.added or 0, file.removed or 0)
    cells = max(-(-lines * room // most), sum(map(bool, sides)))  # a file that changed has a bar, however short
    plus = _share(file.added or 0, lines, cells)
    return "+" * plus + "-" * (cells - plus)


def _share(added: int, lines: int, cells: int) -> int:
    if not added or added == lines or cells < 2:
        return cells if added * 2 >= lines else 0
    return min(max(round(cells * added / lines), 1), cells - 1)
