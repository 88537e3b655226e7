"""The histories of many runs, by a few processes for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exptrack.analysis import history
from exptrack.analysis.history import read_name
from exptrack.analysis.points import Points
from exptrack.backends.git.objects import parse_tree, read_many
from exptrack.backends.git.repository import Repository
from exptrack.model.run import Run
from exptrack.operations.context import Context
from exptrack.operations.histories import FOLDER, complete

_LARGEST = 256 * 1024 * 1024  # bytes


def load_many(context: Context, runs: Sequence[Run]) -> Iterator[tuple[Run, dict[str, Points]]]:
    """Each run with its histories by name, whole where the whole is here; those of one run are in memory at once."""
    files = _find_files(context.repository, [run.oid for run in runs])
    contents = read_many(context.repository, [oid for found in files for oid in found], _LARGEST)
    quiet = context._replace(notice=_hear_nothing)
    for run, found in zip(runs, files, strict=True):
        read = (content for _, content in zip(found, contents, strict=False) if content is not None)
        points = {read_name(content): history.parse_history(content) for content in read}
        yield run, complete(quiet, run, dict(sorted(points.items())))


def _find_files(repository: Repository, oids: Sequence[str]) -> list[list[str]]:
    """The oids of the files of histories in each commit, level by level of their folders."""
    files: list[list[str]] = [[] for _ in oids]
    level = [(place, f"{oid}:{FOLDER.rstrip('/')}") for place, oid in enumerate(oids)]
    width = 32 if repository.object_format == "sha256" else 20
    while level:
        contents = read_many(repository, [name for _, name in level])
        below = []
        for (place, _), content in zip(level, contents, strict=True):
            for entry in parse_tree(content or b"", width):
                if entry.is_folder:
                    below.append((place, entry.oid))
                elif entry.name.endswith(".tsv") and not entry.is_elsewhere:
                    files[place].append(entry.oid)
        level = below
    return files


def _hear_nothing(_line: str) -> None:
    """A line for each of thousands of runs tells nobody anything: `is_whole` says it."""
