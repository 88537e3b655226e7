"""The histories of many runs, by a few processes for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from exptrack.analysis import history
from exptrack.analysis.history import read_name
from exptrack.analysis.points import Points
from exptrack.backends.git.objects import parse_tree, read, read_each
from exptrack.backends.git.repository import Repository
from exptrack.errors import RepositoryError
from exptrack.model.run import Run
from exptrack.operations.context import Context
from exptrack.operations.histories import FOLDER, complete

_LARGEST = 256 * 1024 * 1024  # bytes


class Loaded(NamedTuple):
    """A run with its histories by name; `is_lost` says that one of them cannot be read."""

    run: Run
    histories: dict[str, Points]
    is_lost: bool


def load_many(context: Context, runs: Sequence[Run]) -> Iterator[Loaded]:
    """The histories of each run, whole where the whole is here; those of one run are in memory at once."""
    repository = context.repository
    files, broken = _find_files(repository, [run.oid for run in runs])
    contents = read_each(repository, [oid for found in files for oid in found])
    quiet = context._replace(notice=_hear_nothing)
    for place, (run, found) in enumerate(zip(runs, files, strict=True)):
        points: dict[str, Points] = {}
        is_lost = place in broken
        for oid, content in zip(found, contents, strict=False):
            data = content if isinstance(content, bytes) else _read_alone(repository, oid)
            is_lost |= data is None
            if data is not None:
                points[read_name(data)] = history.parse_history(data)
        yield Loaded(run, complete(quiet, run, dict(sorted(points.items()))), is_lost)


def _find_files(repository: Repository, oids: Sequence[str]) -> tuple[list[list[str]], set[int]]:
    """The oids of the files of histories in each commit, level by level of their folders, and the places of commits where a folder cannot be read."""
    files: list[list[str]] = [[] for _ in oids]
    broken: set[int] = set()
    level = [(place, f"{oid}:{FOLDER.rstrip('/')}") for place, oid in enumerate(oids)]
    width = 32 if repository.object_format == "sha256" else 20
    while level:
        contents = read_each(repository, [name for _, name in level])
        below = []
        for (place, name), content in zip(level, contents, strict=True):
            if not isinstance(content, bytes):
                broken |= {place} if content is not None or ":" not in name else set()
                continue
            for entry in parse_tree(content, width):
                if entry.is_folder:
                    below.append((place, entry.oid))
                elif entry.name.endswith(".tsv") and not entry.is_elsewhere:
                    files[place].append(entry.oid)
        level = below
    return files, broken


def _read_alone(repository: Repository, oid: str) -> bytes | None:
    """A large one, or None."""
    try:
        return read(repository, oid, _LARGEST)
    except RepositoryError:
        return None


def _hear_nothing(_line: str) -> None:
    """A line for each of thousands of runs tells nobody anything: `is_whole` says it."""
