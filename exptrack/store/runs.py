"""Runs as commits on hidden refs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from exptrack.analysis.codec import decode_record
from exptrack.backends.git import index as git_index
from exptrack.backends.git import objects, refs
from exptrack.backends.git.repository import Repository
from exptrack.errors import RecordError
from exptrack.model.run import BrokenRun, Run

RUNS = "refs/exptrack/runs/"
ACTIVE = "refs/exptrack/active/"
TRASH = "refs/exptrack/trash/"
RECORD = ".exptrack/run.json"

_FIRST_MONTH = (2026, 1)  # exptrack did not exist before
_RUN_REF = re.compile(r"refs/exptrack/runs/\d{4}-\d\d/([a-z0-9][a-z0-9-]*)")


def ref_of(name: str, started: datetime) -> str:
    """Where a run is filed: under the month in which it started, UTC."""
    return f"{RUNS}{started.astimezone(UTC):%Y-%m}/{name}"


def find_base_and_taken(repository: Repository, name: str, now: datetime) -> tuple[str | None, str | None]:
    """The commit that HEAD is at (None before the first), and the ref that has this name already, or None.

    Looks up one possible ref a month instead of listing all runs, so that recording costs the same with 100 and with 100,000 of them.
    """
    candidates = [*(f"{RUNS}{year}-{month:02}/{name}" for year, month in _months(now)), ACTIVE + name]
    base, *found = objects.resolve(repository, ["HEAD^{commit}", *candidates])
    taken = next((ref for ref, oid in zip(candidates, found, strict=True) if oid), None)
    return base, taken or next((ref for ref in refs.list_refs(repository, TRASH) if name_of(ref) == name), None)


def _months(now: datetime) -> Iterator[tuple[int, int]]:
    year, month = min(_FIRST_MONTH, (now.year, now.month))
    while (year, month) <= (now.year + 1, 1):
        yield year, month
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def list_run_refs(repository: Repository, prefix: str = RUNS) -> dict[str, str]:
    """Refs of all runs with the oid of each, oldest month first."""
    return refs.list_refs(repository, prefix)


def name_of(ref: str) -> str:
    """The leaf of a ref, which is the run's name."""
    return ref.rpartition("/")[2]


def read_runs(repository: Repository, run_refs: Mapping[str, str]) -> Iterator[Run | BrokenRun]:
    """The run at each ref, in order; what is none is named with the reason, and costs the others nothing."""
    records = objects.read_many(repository, [f"{oid}:{RECORD}" for oid in run_refs.values()])
    for (ref, oid), data in zip(run_refs.items(), records, strict=True):
        yield parse_run(ref, oid, data)


def parse_run(ref: str, oid: str, data: bytes | None) -> Run | BrokenRun:
    """A run from the content of its record, or what is wrong with it."""
    name = name_of(ref)
    if not _RUN_REF.fullmatch(ref):
        return BrokenRun(name, oid, ref, "its ref is not refs/exptrack/runs/<yyyy-mm>/<name>")
    if data is None:
        return BrokenRun(name, oid, ref, f"there is no {RECORD} in it")
    try:
        record = decode_record(data)
    except RecordError as error:
        return BrokenRun(name, oid, ref, str(error))
    if record.name != name:
        return BrokenRun(name, oid, ref, f"its record is that of '{record.name}'")
    return Run(record, oid, ref)


def write_run(
    repository: Repository, snapshot: str, index: Path, files: Mapping[str, bytes], message: str, *, signed: bool
) -> str:
    """Store the run commit: the snapshot plus `files`, on top of a copy of the snapshot's index."""
    mine = index.with_name("index.run")
    git_index.copy_index(index, mine)
    oids = objects.write_blobs(repository, list(files.values()), index.parent)
    blobs = dict(zip(files, oids, strict=True))
    objects.put_into_index(repository, mine, blobs)
    return objects.write_commit(repository, objects.write_tree(repository, mine), [snapshot], message, signed=signed)


def read_files(repository: Repository, commit: str, paths: Sequence[str]) -> dict[str, bytes]:
    """The content of those of `paths` that a commit holds."""
    contents = objects.read_many(repository, [f"{commit}:{path}" for path in paths])
    return {path: content for path, content in zip(paths, contents, strict=True) if content is not None}
