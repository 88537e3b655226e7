"""The rows of data in a difference: what happened to a file or folder, its sizes, and the files in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from exptrack.analysis.wording import counted
from exptrack.model.change import Change, Kind
from exptrack.model.data import Pointer
from exptrack.model.difference import Area, DataFile, Difference
from exptrack.render.deltas import select
from exptrack.render.text import format_size, inert
from exptrack.render.values import name_path

_ORDER = (Kind.ADDED, Kind.REMOVED, Kind.CHANGED)
_NAMED = 5
_MODIFIED = " modified"
_SAME = "same pointer"


class DataEntry(NamedTuple):
    """A change of data in words: what happened, how large each side is (None: nothing there), remarks, and the files that differ."""

    path: str
    kind: Kind
    what: str
    old: str | None
    new: str | None
    remarks: tuple[str, ...] = ()
    files: tuple[DataFile, ...] = ()

    @property
    def facts(self) -> list[str]:
        """What happened, the sizes, and the remarks, in pieces for one line or more."""
        *whats, what = (f"{part}," for part in self.what.split(", "))
        return [*whats, *(f"{fact}  " for fact in (what[:-1], self.extent, *self.remarks) if fact)]

    @property
    def extent(self) -> str:
        """The sizes of both sides, or of the one that is there."""
        if self.old and self.new and self.what != _SAME:
            return f"{self.old} → {self.new}"
        return self.old or self.new or ""


def list_data(difference: Difference) -> list[DataEntry]:
    """The changes of data, in words."""
    return [_entry(difference, change) for change in select(difference, Area.DATA)]


def count_files(files: Sequence[DataFile]) -> str:
    """`4 files added (1.2 MiB), 1 removed (300.0 KiB), 2 changed (1.0 KiB → 1.2 KiB)`."""
    parts: list[str] = []
    for kind in _ORDER:
        some = [file for file in files if file.kind is kind]
        if some:
            count = f"{len(some):,}" if parts else counted(len(some), "file")
            parts.append(f"{count} {kind}{_sizes(some, kind)}")
    return ", ".join(parts)


def name_files(files: Sequence[DataFile]) -> list[str]:
    """The first files by name, in pieces: `added: a.png,` `b.png;` `removed: c.png` `and 12 more`."""
    first = sort_files(files)[:_NAMED]
    pieces = []
    for kind in _ORDER:
        names = [name_path(file.path) for file in first if file.kind is kind]
        pieces += [f"{name}," for name in names[:-1]] + [f"{name};" for name in names[-1:]]
        if names:
            pieces[-len(names)] = f"{kind}: {pieces[-len(names)]}"
    pieces[-1] = pieces[-1].removesuffix(";")
    return [*pieces, f"and {len(files) - _NAMED:,} more"] if len(files) > _NAMED else pieces


def sort_files(files: Sequence[DataFile]) -> list[DataFile]:
    """In the order in which they are counted."""
    return sorted(files, key=lambda file: _ORDER.index(file.kind))


def total_sizes(files: Sequence[DataFile], side: str) -> int | None:
    """Bytes of the files on a side, `old_size` or `new_size`; None if that of one is not known."""
    sizes = [getattr(file, side) for file in files]
    return None if None in sizes else sum(sizes)


def _entry(difference: Difference, change: Change) -> DataEntry:
    path = ".".join(change.key)
    before = None if change.kind is Kind.ADDED else difference.old.pointers.get(path)
    after = None if change.kind is Kind.REMOVED else difference.new.pointers.get(path)
    files = difference.folders.get(path, ())
    old = None if change.kind is Kind.ADDED else _extent(before, change.old)
    new = None if change.kind is Kind.REMOVED else _extent(after, change.new)
    remarks = _remarks(change, before, after, is_listed=path in difference.folders)
    what = count_files(files) if change.kind is Kind.CHANGED and files else str(change.kind)
    if change.kind is Kind.CHANGED and _digest(change.old) == _digest(change.new):
        what = _SAME
    return DataEntry(name_path(path), change.kind, what, old, new, remarks, files)


def _extent(pointer: Pointer | None, digest: object) -> str:
    """How much a pointer stands for; the beginning of its digest if it does not say."""
    files = None if pointer is None or pointer.files is None else counted(pointer.files, "file")
    size = None if pointer is None or pointer.size is None else format_size(pointer.size)
    return ", ".join(filter(None, (files, size))) or inert(_digest(digest)[:16])


def _digest(value: object) -> str:
    return str(value).removesuffix(_MODIFIED)


def _remarks(change: Change, before: Pointer | None, after: Pointer | None, *, is_listed: bool) -> tuple[str, ...]:
    remarks = []
    if change.kind is Kind.CHANGED and before and after and before.is_folder and after.is_folder and not is_listed:
        remarks.append("its listing is not in the DVC cache")
    sides = [name for name, value in (("old", change.old), ("new", change.new)) if str(value).endswith(_MODIFIED)]
    if sides:
        remarks.append(f"MODIFIED on the {' and the '.join(sides)} side: not what the pointer stands for")
    return tuple(remarks)


def _sizes(files: Sequence[DataFile], kind: Kind) -> str:
    sides = {Kind.ADDED: ("new_size",), Kind.REMOVED: ("old_size",), Kind.CHANGED: ("old_size", "new_size")}[kind]
    totals = [total_sizes(files, side) for side in sides]
    return "" if None in totals else f" ({' → '.join(map(format_size, totals))})"
