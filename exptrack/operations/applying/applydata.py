"""The data of a run in the work tree: what of it is to be brought, and what goes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from exptrack.backends import dvc
from exptrack.backends.dvc.keeping import find_unkept, holds_more
from exptrack.backends.git.clearing import remove
from exptrack.backends.git.staging import File, WorkTree
from exptrack.errors import DataError
from exptrack.model.change import Kind
from exptrack.model.data import Pointer
from exptrack.operations.applying.exchange import Step
from exptrack.operations.applying.wanted import Source
from exptrack.operations.context import Context
from exptrack.operations.files import Disk
from exptrack.operations.recording.needs import list_absent
from exptrack.operations.sources import Reader
from exptrack.operations.ways import check_way
from exptrack.store.private_index import is_dvc_file


class Cargo(NamedTuple):
    """Pointers of the run whose data is not on disk as they say, and pointers of the work tree whose data the run did not have.

    `root` is the DVC project (None only if there is no data), `kept` the paths whose present data its pointer in the work tree stands
    for, and is in the cache.
    """

    root: Path | None = None
    brought: tuple[Pointer, ...] = ()
    removed: tuple[Pointer, ...] = ()
    kept: frozenset[str] = frozenset()

    @property
    def paths(self) -> tuple[str, ...]:
        """Where data is brought to."""
        return tuple(one.path for one in self.brought)


def find_cargo(context: Context, source: Source, tree: WorkTree, wanted: Mapping[str, File | None]) -> Cargo:
    """Compare the data on disk with what the run had; raises DataError if there is data, and no DVC project for it."""
    top = context.repository.top
    root = dvc.find_root(context.folder, top)
    if root is None:
        if source.pointers:
            raise DataError(
                "the run has data, and there is no DVC project in the work tree to take it from: "
                "run `exptrack init`, or leave the data out with `--only params,code`"
            )
        return Cargo()
    known = dvc.StatCache(context.repository.shared / "cache" / "digests")
    folder = dvc.cache_dir(root)
    for one in source.pointers.values():
        if one.modified:
            context.notice(
                f"{one.path} was not what its pointer says when {source.run.name} ran: the pointer's data is taken"
            )
    absent = list_absent(source.run.record)
    asked = [one for path, one in source.pointers.items() if path not in absent]
    brought = tuple(one for one in dvc.look(asked, top, folder, known) if one.modified is not False)
    reader = Reader(Disk(top), context.project, context.yaml.load)
    present = reader.find_sources([path for path in tree.found if is_dvc_file(path)]).pointers
    kept = {one.path: one for one in dvc.look(present, top, folder, known) if one.modified is False}
    in_cache = dvc.has_in_cache(root, list(kept.values()))
    kept = {path: one for path, one in kept.items() if in_cache[one] and not holds_more(root, one, top / path)}
    known.save()
    stale = [one for one in present if one.path not in source.pointers and wanted.get(one.source, ()) is None]
    removed = tuple(one for one in stale if one.path in kept and not _holds(wanted, one.path))
    for one in stale:
        if one not in removed and os.path.lexists(top / one.path):
            context.notice(f"left alone, since it is not in the DVC cache and the run did not have it: {one.path}")
    return Cargo(root, brought, removed, frozenset(kept))


def _holds(wanted: Mapping[str, File | None], path: str) -> bool:
    """Whether a file is wanted at or below a path."""
    return any(file is not None and (one == path or one.startswith(f"{path}/")) for one, file in wanted.items())


def check_cargo(context: Context, cargo: Cargo) -> Iterator[str]:
    """What of the present data would be lost: it is not in the DVC cache."""
    if cargo.root is None:
        return
    top = context.repository.top
    known = dvc.StatCache(context.repository.shared / "cache" / "digests")
    for path in cargo.paths:
        if path not in cargo.kept and os.path.lexists(top / path):
            unkept = find_unkept(cargo.root, top / path, known)
            if unkept is not None:
                yield f"{Path(unkept).relative_to(top)} (not in the DVC cache)"
    known.save()


def list_cargo(context: Context, cargo: Cargo) -> tuple[tuple[str, Kind], ...]:
    """The paths of data that change, each with what happens to it."""
    top = context.repository.top
    brought = ((path, Kind.CHANGED if os.path.lexists(top / path) else Kind.ADDED) for path in cargo.paths)
    return (*brought, *((one.path, Kind.REMOVED) for one in cargo.removed))


@contextmanager
def load_cargo(context: Context, source: Source, cargo: Cargo, token: str) -> Iterator[list[Step]]:
    """The data beside its place, ready to be put there; what is not in the cache comes from the DVC remote.

    Raises DataError if it is not to be had; then, and at the end, nothing is left beside.
    """
    top = context.repository.top
    steps = [Step(top / one.path, None) for one in cargo.removed]
    try:
        if cargo.root is not None:
            dvc.fetch(cargo.root, cargo.brought)
        for pointer in cargo.brought:
            target = top / pointer.path
            steps.append(Step(target, target.with_name(f".{target.name}.{token}")))
            # Outputs are copies: a script may append to them.
            is_linked = pointer.source.endswith(".dvc") and pointer.path not in {
                one.path for one in source.run.record.outputs
            }
            check_way(top, pointer.path)
            if cargo.root is not None and steps[-1].new is not None:
                dvc.bring(cargo.root, pointer, steps[-1].new, is_linked=is_linked)
        yield steps
    finally:
        for step in steps:
            if step.new is not None:
                _clear(step.new, top)


def _clear(path: Path, top: Path) -> None:
    with suppress(OSError):
        remove(path)
        while path.parent != top:
            path = path.parent
            path.rmdir()  # one that was made for it; any other is not empty
