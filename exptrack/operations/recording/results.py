"""What the command left in the work tree: metrics, pointers, outputs, and the files of the run commit that hold them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from exptrack.analysis.selection import Candidate, choose
from exptrack.backends import dvc
from exptrack.backends.git.index import list_untracked
from exptrack.backends.git.repository import Repository
from exptrack.errors import DataError, explain
from exptrack.model.data import Pointer
from exptrack.model.run import Record
from exptrack.model.tree import Tree, Value, merge, nest
from exptrack.operations.files import Disk
from exptrack.operations.recording.outputs import keep_output, pointer_files
from exptrack.operations.sources import Reader, is_at
from exptrack.store.start import Start, is_written, last_written

_SMALL = 1024 * 1024


class Results(NamedTuple):
    """Paths are relative to the repository's root. `written` are the files that this run wrote and that are looked at for their results."""

    metrics: Tree
    data: tuple[Pointer, ...]
    outputs: tuple[Pointer, ...]
    files: Mapping[str, bytes]
    executable: frozenset[str]
    written: tuple[str, ...]
    problems: tuple[str, ...]


def collect(
    repository: Repository,
    start: Start,
    record: Record,
    logged: Mapping[str, Value],
    large: Iterable[Pointer],
    until: float | None,
) -> Results:
    """Read what the command wrote, and nothing that lay there before.

    `repository` has the index of the snapshot, since the command may have changed its own. `logged` are the last values of metrics
    read from the output; what a file says of them counts more. `large` are pointers of untracked files that were over the limit. What
    was written after `until` (Unix time) is not taken.
    """
    top = Path(start.top)
    reader = Reader(Disk(top), record.project)
    problems = reader.problems
    if until is not None:
        start = _without_late(start, until, problems)
    made = [out for stage in record.stages or () for out in stage.outs]
    written = [path for path in start.metric_files if is_written(start, path)]
    # The metrics of a stage that was skipped are the pipeline's all the same.
    results = [path for path in start.metric_files if path in written or (is_at(path, made) and (top / path).is_file())]
    metrics = reader.metrics(results)
    data, renewed = _renew_pointers(start, record, reader)
    cached = {pointer.path for pointer in data}
    files = {
        path: content
        for path in results
        if not is_at(path, cached) and (content := _read_small(top / path)) is not None
    }
    outputs = tuple(pointer for path in start.outputs if (pointer := keep_output(start, path, problems)) is not None)
    files |= renewed
    changed = [path for path in start.plain if is_written(start, path)]
    plain = [path for path in start.plain if path in changed or is_at(path, made)]
    loose = [one for path in plain for one in _files_at(top, path) if not is_at(one, cached)]
    if start.is_isolated:
        loose += _new_files(repository, start, record, outputs, problems)
    kept = _keep(start, loose, problems)
    files |= kept
    for pointer in (*outputs, *large):
        if pointer.path not in cached and pointer.path not in start.outs:
            files |= pointer_files(repository, start.snapshot, pointer, files)
    return Results(
        metrics=merge(nest(logged), metrics),
        data=_compare(repository, start, data, problems),
        outputs=outputs,
        files=files,
        executable=frozenset(path for path in kept if os.access(top / path, os.X_OK)),
        written=(*written, *renewed, *changed),
        problems=tuple(problems),
    )


def _new_files(
    repository: Repository, start: Start, record: Record, outputs: Sequence[Pointer], problems: list[str]
) -> list[str]:
    """Files that the command made in its own work tree, which the next run empties."""
    top = Path(start.top)
    if not top.is_dir():
        problems.append("its own work tree is gone, and with it the files that the command made")
        return []
    stays = {*start.outs, *start.links, *start.outputs, *(pointer.path for pointer in outputs)}
    known = {omission.path for omission in record.not_captured}
    untracked = list_untracked(repository._replace(top=top))
    return [path for path in untracked if path not in known and not is_at(path, stays) and _is_file(top / path)]


def _files_at(top: Path, path: str) -> list[str]:
    """The file at a path, or those below the folder there."""
    place = top / path
    if not place.is_dir() or place.is_symlink():
        return [path] if _is_file(place) else []
    return sorted(one.relative_to(top).as_posix() for one in place.rglob("*") if _is_file(one))


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _keep(start: Start, paths: Sequence[str], problems: list[str]) -> dict[str, bytes]:
    """Those of the files that are small enough, with their content; what is too large is named."""
    top = Path(start.top)
    candidates = [Candidate(path, _size(top / path)) for path in dict.fromkeys(paths)]
    taken, left = choose(candidates, start.limits, start.secrets)
    problems += [
        f"{one.path} is not kept ({one.reason}): let DVC cache it in dvc.yaml"
        if is_at(one.path, start.plain)
        else f"{one.path}, which the command made, is not kept ({one.reason}): name it with `-o`"
        for one in left
    ]
    return {path: content for path in taken if (content := _read(top / path)) is not None}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _without_late(start: Start, until: float, problems: list[str]) -> Start:
    """Without the files that were written when the run had ended: they may be anybody's."""
    watched = (*start.metric_files, *start.pointer_files, *start.outputs, *start.plain)
    late = {path for path in watched if is_written(start, path) and last_written(Path(start.top) / path) > until}
    problems += [
        f"{path} was written after the run had ended, so it is not taken for this run's" for path in sorted(late)
    ]
    metrics, pointers, outputs, plain = (
        tuple(path for path in paths if path not in late)
        for paths in (start.metric_files, start.pointer_files, start.outputs, start.plain)
    )
    return start._replace(metric_files=metrics, pointer_files=pointers, outputs=outputs, plain=plain)


def _read_small(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.stat().st_size <= _SMALL else None
    except OSError:
        return None


def _renew_pointers(start: Start, record: Record, reader: Reader) -> tuple[tuple[Pointer, ...], dict[str, bytes]]:
    """All pointers as they are now, and the pointer files that the command wrote."""
    files: dict[str, bytes] = {}
    kept = {pointer.path: pointer for pointer in record.data}
    for path in start.pointer_files:
        if not is_written(start, path):
            continue
        with suppress(OSError):
            files[path] = (Path(start.top) / path).read_bytes()
        kept = {key: pointer for key, pointer in kept.items() if pointer.source != path}
        kept |= {pointer.path: pointer for pointer in reader.pointers(path)}
    return tuple(kept[path] for path in sorted(kept)), files


def _mend(home: Path | None, pointers: Sequence[Pointer], top: Path) -> Iterator[str]:
    """Undo in each DVC cache what the command wrote there through a link; a line for each pointer that it was."""
    from exptrack.operations.recording.needs import by_root

    modified = [pointer for pointer in pointers if pointer.modified]
    for root, pointer in [(root, one) for root, share in by_root(top, home, modified).items() for one in share]:
        mended, removed = dvc.mend(root, pointer, top / pointer.path)
        said = f"the command wrote to {pointer.path}, which is linked to the DVC cache"
        if removed:
            yield f"{said}: what it spoilt there is removed (files: {removed}); fetch it again"
        elif mended:
            yield f"{said}: there it is as before"


def _compare(
    repository: Repository, start: Start, data: tuple[Pointer, ...], problems: list[str]
) -> tuple[Pointer, ...]:
    """Compare each pointer with the disk once more. What was modified before the command ran stays named."""
    if not data:
        return data
    top = Path(start.top)
    root = dvc.find_root(top / start.record.project, top)
    known = dvc.StatCache(repository.shared / "cache" / "digests")
    try:
        now = dvc.look(data, top, dvc.cache_dir(root) if root else None, known)
        known.save()
        if start.is_isolated:
            problems += _mend(root, now, top)
    except (DataError, OSError) as error:
        problems.append(f"data could not be compared with its pointers: {explain(error)}")
        return data
    return tuple(
        after._replace(modified=before.modified or after.modified) for before, after in zip(data, now, strict=True)
    )
