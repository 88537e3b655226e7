"""What would be lost if files of the work tree were replaced, and what is in the way."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from exptrack.analysis.trees import decode_tree
from exptrack.backends import dvc
from exptrack.backends.dvc.keeping import find_unkept
from exptrack.backends.git import index as git_index
from exptrack.backends.git import objects
from exptrack.backends.git.staging import File, WorkTree
from exptrack.errors import RecordError
from exptrack.model.application import Part
from exptrack.model.run import SEALED, Run
from exptrack.model.tree import Value, flatten
from exptrack.operations.applying.wanted import Source, parts_of
from exptrack.operations.context import Context
from exptrack.operations.listing import list_runs
from exptrack.store import runs
from exptrack.store.holdout import read_holdout

_FIRST = 100  # runs that are looked at before the others


def find_unsaved(context: Context, source: Source, tree: WorkTree, differing: Mapping[str, File | None]) -> list[str]:
    """Files that would be replaced or removed and are neither as they are staged, nor as they are committed.

    What a run writes (pointer files, results) is saved, too, if a run has it; anything if it is in the DVC cache.
    """
    changed = [
        path
        for path in sorted(differing)
        if path in tree.refused or (path in tree.found and tree.found[path] != tree.staged.get(path))
    ]
    if not changed:
        return []
    [head] = objects.resolve(context.repository, ["HEAD^{commit}"])
    committed = git_index.list_tree(context.repository, head, changed) if head else {}
    changed = [path for path in changed if path in tree.refused or tree.found[path] != committed.get(path)]
    results = [path for path in changed if path not in tree.refused and Part.DATA in parts_of(source, path)]
    saved = set(_find_in_runs(context, source, tree, results)) if results else set()
    root = dvc.find_root(context.folder, context.repository.top)
    known = dvc.StatCache(context.repository.shared / "cache" / "digests")
    return [
        path
        for path in changed
        if path not in saved
        and (root is None or path in tree.staged or find_unkept(root, context.repository.top / path, known))
    ]


def _find_in_runs(context: Context, source: Source, tree: WorkTree, paths: Sequence[str]) -> Iterator[str]:
    """Those of `paths` whose content on disk is that in some run; of the file of metrics, if its values are those of some run."""
    # The latest have it most often.
    newest_first = dict(reversed(runs.list_run_refs(context.repository).items()))
    for path in paths:
        if _is_in_any(context, tree.found[path][1], path, [*newest_first.values()]) or (
            path == source.metrics and _has_metrics(context, path, newest_first)
        ):
            yield path


def _is_in_any(context: Context, blob: str, path: str, oids: Sequence[str]) -> bool:
    """Whether some of these runs has this content at a path; older ones are looked at where later ones have not."""
    start, number = 0, _FIRST
    while start < len(oids):
        if blob in objects.resolve(context.repository, [f"{oid}:{path}" for oid in oids[start : start + number]]):
            return True
        start, number = start + number, number * 10
    return False


def _has_metrics(context: Context, path: str, newest_first: Mapping[str, str]) -> bool:
    """The file in a run commit holds the same values in another form, and what was logged besides."""
    try:
        mine = flatten(decode_tree((context.repository.top / path).read_bytes(), "json"))
    except (OSError, ValueError):
        return False
    few = dict(islice(newest_first.items(), _FIRST))
    if any(_holds(context, run, mine) for run in runs.read_runs(context.repository, few) if isinstance(run, Run)):
        return True
    found = list_runs(context)
    for key, value in mine.items():
        if len(found) <= _FIRST:
            break
        column = found.rows.column(f"metrics.{key}")
        found = found.pick([place for place, other in enumerate(column) if other in (value, SEALED)])
    return any(_holds(context, run, mine) for run in found)


def _holds(context: Context, run: Run, mine: Mapping[str, Value]) -> bool:
    """Whether a run has all these metrics. What is sealed is read where the others are the same: it is a process for each run."""
    shown = flatten(run.record.shown_metrics)
    may_hold = all(shown.get(key) in (value, SEALED) for key, value in mine.items())
    return may_hold and mine.items() <= _all_metrics(context, run).items()


def _all_metrics(context: Context, run: Run) -> dict[str, Value]:
    """The metrics of a run with those that are sealed: what the command wrote holds both."""
    try:
        sealed = read_holdout(context.repository, run)
    except RecordError:
        sealed = {}
    return {**flatten(run.metrics), **flatten(sealed)}


def find_obstacle(
    top: Path, places: Sequence[str], gone: Collection[str], data: Collection[str]
) -> tuple[str, str] | None:
    """What lies where something is to be written and may not be replaced by it, and what is to be written there.

    A file or a link in place of a folder, unless it is `gone` by then; a folder in place of a file, unless all in it is. `data` are
    those of `places` that may replace a folder.
    """
    checked = set[str]()
    for path in places:
        for end in (end for end, letter in enumerate(path) if letter == "/"):
            folder = path[:end]
            if folder not in checked and folder not in gone and _is_no_folder(top / folder):
                return folder, path
            checked.add(folder)
        if path not in data and _is_folder(top / path):
            for one in _list_below(top / path):
                if (found := one.relative_to(top).as_posix()) not in gone:
                    return found, path
    return None


def _is_no_folder(path: Path) -> bool:
    return os.path.lexists(path) and not _is_folder(path)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _list_below(folder: Path) -> Iterator[Path]:
    for path, folders, files in os.walk(folder):
        yield from (Path(path, name) for name in files)
        yield from (Path(path, name) for name in folders if Path(path, name).is_symlink())
