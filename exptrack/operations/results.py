"""What the command left in the work tree: metrics, pointers, outputs, and the files of the run commit that hold them."""

from __future__ import annotations

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
from exptrack.model.settings import Capture
from exptrack.model.tree import Tree, Value, merge, nest
from exptrack.operations.files import Disk
from exptrack.operations.outputs import keep_output, pointer_files
from exptrack.operations.sources import Reader
from exptrack.store.start import Start, is_written, last_written

_SMALL = 1024 * 1024


class Results(NamedTuple):
    """Paths are relative to the repository's root. `written` are the metric and pointer files that this run wrote."""

    metrics: Tree
    data: tuple[Pointer, ...]
    outputs: tuple[Pointer, ...]
    files: Mapping[str, bytes]
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
    written = [path for path in start.metric_files if is_written(start, path)]
    metrics = reader.metrics(written)
    data, renewed = _renew_pointers(start, record, reader)
    cached = {pointer.path for pointer in data}
    files = {
        path: content for path in written if path not in cached and (content := _read_small(top / path)) is not None
    }
    outputs = tuple(pointer for path in start.outputs if (pointer := keep_output(start, path, problems)) is not None)
    files |= renewed
    if start.is_isolated:
        files |= _new_files(repository, start, record, outputs, problems)
    for pointer in (*outputs, *large):
        if pointer.path not in cached and pointer.path not in start.outs:
            files |= pointer_files(repository, start.snapshot, pointer, files)
    return Results(
        metrics=merge(nest(logged), metrics),
        data=_compare(repository, start, data, problems),
        outputs=outputs,
        files=files,
        written=(*written, *renewed),
        problems=tuple(problems),
    )


def _new_files(
    repository: Repository, start: Start, record: Record, outputs: Sequence[Pointer], problems: list[str]
) -> dict[str, bytes]:
    """Small files that the command made in its own work tree, which the next run empties; what is too large is named."""
    top = Path(start.top)
    if not top.is_dir():
        problems.append("its own work tree is gone, and with it the files that the command made")
        return {}
    settings = Capture()
    stays = {*start.outs, *start.links, *start.outputs, *(pointer.path for pointer in outputs)}
    known = {omission.path for omission in record.not_captured}
    candidates = [
        Candidate(path, (top / path).stat().st_size)
        for path in list_untracked(repository._replace(top=top))
        if path not in known and not any(path == one or path.startswith(f"{one}/") for one in stays)
        if (top / path).is_file() and not (top / path).is_symlink()
    ]
    taken, left = choose(candidates, settings.limits, settings.secrets)
    problems += [f"{one.path}, which the command made, is not kept ({one.reason}): name it with `-o`" for one in left]
    return {path: content for path in taken if (content := _read_small(top / path)) is not None}


def _without_late(start: Start, until: float, problems: list[str]) -> Start:
    """Without the files that were written when the run had ended: they may be anybody's."""
    watched = (*start.metric_files, *start.pointer_files, *start.outputs)
    late = {path for path in watched if is_written(start, path) and last_written(Path(start.top) / path) > until}
    problems += [
        f"{path} was written after the run had ended, so it is not taken for this run's" for path in sorted(late)
    ]
    metrics, pointers, outputs = (
        tuple(path for path in paths if path not in late)
        for paths in (start.metric_files, start.pointer_files, start.outputs)
    )
    return start._replace(metric_files=metrics, pointer_files=pointers, outputs=outputs)


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


def _mend(root: Path, pointers: Sequence[Pointer], top: Path) -> Iterator[str]:
    """Undo in the DVC cache what the command wrote there through a link; a line for each pointer that it was."""
    for pointer in pointers:
        mended, removed = dvc.mend(root, pointer, top / pointer.path) if pointer.modified else (0, 0)
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
        if root is not None and start.is_isolated:
            problems += _mend(root, now, top)
    except (DataError, OSError) as error:
        problems.append(f"data could not be compared with its pointers: {explain(error)}")
        return data
    return tuple(
        after._replace(modified=before.modified or after.modified) for before, after in zip(data, now, strict=True)
    )
