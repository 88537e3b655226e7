"""What a run had in its work tree: which file, which version of it, to which part it belongs, and which data."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from exptrack.analysis import trust
from exptrack.analysis.arguments import ARGUMENTS
from exptrack.analysis.comparable import is_value_file
from exptrack.backends.git.staging import SUBMODULE, File, list_files
from exptrack.errors import RecordError, RepositoryError
from exptrack.model.application import Part
from exptrack.model.data import Pointer
from exptrack.model.run import Record, Run
from exptrack.operations.applying.told import find_told
from exptrack.operations.context import Context
from exptrack.operations.recording.needs import read_large_pointers
from exptrack.operations.sources import below
from exptrack.store.private_index import is_dvc_file, is_ours

# In a folder named `.dvc` all else is what DVC obeys: its settings, its caches.
_HARMLESS = re.compile(r"(?:.*/)?\.dvc/(?:\.gitignore|plots/[^/]+)", re.DOTALL)


class Source(NamedTuple):
    """A run, the files of its snapshot and of its commit, the paths of its parameter files, and its pointers by path.

    In the snapshot the parameter files are as the command's own words would have them.
    """

    run: Run
    snapshot: Mapping[str, File]
    final: Mapping[str, File]
    params: frozenset[str]
    pointers: Mapping[str, Pointer]

    @property
    def metrics(self) -> str:
        """The file that the run commit has its metrics in."""
        return below(self.run.record.project, "metrics.json")


def read_source(context: Context, run: Run) -> Source:
    """Read what a run has; raises RepositoryError where its snapshot is not here, RecordError for data outside of the repository."""
    if run.snapshot is None:
        raise RepositoryError(
            f"the snapshot of '{run.name}' is not in this repository: run `git fetch --unshallow` first"
        )
    trust.check_run(run)
    record = run.record
    named = (below(record.project, source) for source in record.params if source != ARGUMENTS)
    snapshot = list_files(context.repository, run.snapshot)
    pointers = {one.path: one for one in map(_check_pointer, (*read_large_pointers(context, run), *record.pointers))}
    final = list_files(context.repository, run.oid)
    _check_folders(pointers, {*snapshot, *final})
    return Source(
        run,
        snapshot | dict(find_told(context, run, snapshot)),
        final,
        frozenset([*named, below(record.project, "params.yaml")]),
        pointers,
    )


def _check_pointer(pointer: Pointer) -> Pointer:
    """`pointer`, unless it leads elsewhere: somebody else may have written the record. Raises RecordError."""
    if not trust.is_sound(pointer):
        raise RecordError(f"the record has data that cannot be: {pointer.path!r}; do not trust this run")
    return pointer


def _check_folders(paths: Collection[str], files: Collection[str]) -> None:
    """Raise RecordError for data below what is a file or a link, which may lead anywhere."""
    for path in paths:
        for end in (end for end, letter in enumerate(path) if letter == "/"):
            if path[:end] in files:
                raise RecordError(
                    f"the record has data that cannot be: {path!r} lies below {path[:end]!r}, which is no folder; do not trust this run"
                )


def find_wanted(source: Source, tracked: Collection[str], parts: Collection[Part]) -> dict[str, File | None]:
    """What is to be at each path, None for nothing. What a path's part was not asked for, or is left alone, is not listed.

    `tracked` are the paths that Git tracks now: only such a file is ever removed.
    """
    wanted: dict[str, File | None] = {}
    left_out = _not_captured(source.run.record)
    for path in {*source.snapshot, *source.final, *tracked}:
        chosen = parts_of(source, path).intersection(parts)
        if not chosen or _is_below(path, source.pointers):
            continue
        # A tracked file that looks secret is in the snapshot as it was committed, which is not what the run had.
        if path in left_out or (path not in source.final and _is_below(path, left_out)):
            continue
        file = _choose(source, path, chosen)
        if (file is not None and file[0] != SUBMODULE) or (file is None and path in tracked):
            wanted[path] = file
    return wanted


def parts_of(source: Source, path: str) -> frozenset[Part]:
    """The parts that a file belongs to; none if it is exptrack's own, or what DVC obeys, as the places of its cache and remotes."""
    if is_ours(path) or not (trust.is_inside(path, is_data=True) or _HARMLESS.fullmatch(path)):
        return frozenset()
    if path in source.params:
        return frozenset({Part.PARAMS} if is_value_file(path) else {Part.PARAMS, Part.CODE})
    is_result = path in source.final and source.final[path] != source.snapshot.get(path)
    if is_result and path.rpartition("/")[2] == ".gitignore":
        return frozenset({Part.CODE, Part.DATA})
    is_pointer_file = is_dvc_file(path) and not path.endswith("dvc.yaml")
    return frozenset({Part.DATA if is_result or is_pointer_file or path == source.metrics else Part.CODE})


def _choose(source: Source, path: str, parts: Collection[Part]) -> File | None:
    """Results as they were after the run, all else as it was before."""
    if Part.DATA not in parts or (path == source.metrics and not source.run.record.metrics):
        return source.snapshot.get(path)
    return source.final.get(path)


def _not_captured(record: Record) -> set[str]:
    return {one.path.rstrip("/") for one in record.not_captured if not one.pointer}


def _is_below(path: str, places: Collection[str]) -> bool:
    return path in places or any(path[:end] in places for end, letter in enumerate(path) if letter == "/")
