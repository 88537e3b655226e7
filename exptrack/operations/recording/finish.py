"""From the journal of a run whose command has ended (or whose recorder has died) to its commit and ref."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import strftime, time
from typing import NamedTuple

from exptrack.analysis.codec import encode_record
from exptrack.analysis.history import Logged
from exptrack.analysis.message import format_message
from exptrack.analysis.wording import name_few
from exptrack.backends.git import refs
from exptrack.backends.git.index import find_ignored
from exptrack.backends.git.objects import resolve
from exptrack.backends.git.repository import Repository
from exptrack.errors import RecordError, RepositoryError
from exptrack.model.run import Record, Run
from exptrack.operations.recording.compose import RECORD, compose, find_last_sign
from exptrack.operations.recording.histories import read_logged
from exptrack.store import runs
from exptrack.store.journal import Journal, append_elsewhere, folder_of, list_ancestors, read_stream
from exptrack.store.recorded import note_recorded
from exptrack.store.start import Start, read_start

_MOST_NAMESAKES = 100
_NAMED = 3
_PATIENCE, _IMPATIENCE = 10_000, 100  # milliseconds for a lock of git's that somebody holds, or may have left
_CLOCKS = 2.0  # seconds by which the clocks of a file system and of a host may differ


class Finished(NamedTuple):
    """A recorded run, and what the user should hear of."""

    run: Run
    warnings: tuple[str, ...]


def finish(
    repository: Repository, journal: Journal, start: Start, *, until: float | None = None, logged: Logged | None = None
) -> Finished:
    """Record the run that the journal tells of.

    Safe against a kill at any instant: objects first, then the ref, which is created once; then the journal goes, and the ref in
    `active/`. Raises RepositoryError or OSError, and the journal stays.

    What was written after `until` (Unix time) is not this run's: somebody else's work, if it is recorded only later.

    `logged` is what the journal's stream says, if it was read before. Another run may have come by the name meanwhile (a fetch brings them): then this one is recorded as `<name>-2`, and says so.
    """
    record, files, executable, measured = compose(repository, journal, start, until, logged)
    _tell_ancestors(repository, start, measured)
    active = runs.ACTIVE + record.name
    for name in _names(record):
        renamed = record if name == record.name else _rename(record, name)
        files[RECORD] = encode_record(renamed)
        message = format_message(renamed, start.primary)
        oid, warnings = _write(repository, start, files, message, executable)
        ref = runs.ref_of(name, start.record.started)
        is_created, is_tidy = refs.create_and_delete(repository, (ref, oid), (active, start.snapshot), f"record {name}")
        # What went wrong is told by trying the one step again, alone.
        if is_created or refs.create_ref(repository, ref, oid, f"record {name}"):
            note_recorded(repository.shared, name)
            journal.remove()
            warnings += () if start.is_isolated else _advise(repository, record)
            if not is_tidy:
                warnings += _tidy_ref(repository, active, start.snapshot)
            return Finished(Run(renamed, oid, ref, start.snapshot), (*renamed.problems, *warnings))
    raise RepositoryError(f"'{record.name}' and all its namesakes are taken; the journal is kept in {journal.folder}")


def _tell_ancestors(repository: Repository, start: Start, measured: Sequence[str]) -> None:
    """Runs that this one was inside of find the metric files that it wrote in their work tree, and cannot tell them from their own."""
    parent = start.record.links.parent
    for name in list_ancestors(repository.shared, parent) if measured else ():
        other = read_start(folder_of(repository.shared, name))
        if other is not None and other.top == start.top:
            append_elsewhere(repository.shared, name, "concurrent", name=start.record.name, files=list(measured))


def _advise(repository: Repository, record: Record) -> tuple[str, ...]:
    """Files that changed meanwhile, data that was used without being versioned, and what the next run would take for code."""
    outputs = [pointer.path for pointer in record.outputs]
    ignored = find_ignored(repository, outputs) if outputs else set()
    return (
        *(
            (f"{name_few(record.changed, _NAMED)} changed while it ran: recorded as at the start",)
            if record.changed
            else ()
        ),
        *(
            f"{pointer.path} was not what {pointer.source} stands for: `dvc add` or `dvc commit` it, and the next run names it rightly"
            for pointer in record.data
            if pointer.modified and not (record.is_pipeline and pointer.stage)
        ),
        *(
            f"{path} is not ignored by Git: add it to .gitignore, or the next run takes it for code"
            for path in outputs
            if path not in ignored
        ),
    )


def _rename(record: Record, name: str) -> Record:
    return record._replace(
        name=name, problems=(*record.problems, f"the name '{record.name}' was taken by another run while this one ran")
    )


def finish_dead(repository: Repository, journal: Journal) -> Finished | None:
    """As `finish`, for a run whose recorder died; None if it died before its command could start, and nothing is left of it then.

    A run that has its ref already is finished, and only tidied up.
    """
    start = read_start(journal.folder)
    is_pipeline = start is not None and start.record.is_pipeline
    if start is None and (journal.folder / "start.json").exists():
        raise RecordError(f"{journal.folder / 'start.json'} is damaged, or of a later version of exptrack")
    has_started = any(entry["kind"] == "starting" for entry in read_stream(journal.folder))
    if start is None or not has_started or (is_pipeline and _was_refused(journal.folder)):
        discard(repository, journal)
        return None
    run = _find_own(repository, start)
    if run is None:
        logged = read_logged(journal.folder)
        until = find_last_sign(journal.folder, logged, start.record)
        return finish(repository, journal, start, until=until + _CLOCKS, logged=logged)
    note_recorded(repository.shared, run.name)
    journal.remove()
    return Finished(run, _tidy_ref(repository, runs.ACTIVE + journal.folder.name, start.snapshot))


def _was_refused(folder: Path) -> bool:
    from exptrack.operations.recording.pipeline import find_refusal

    return find_refusal(folder) is not None


def _names(record: Record) -> list[str]:
    return [record.name, *(f"{record.name}-{number}" for number in range(2, _MOST_NAMESAKES))]


def _find_own(repository: Repository, start: Start) -> Run | None:
    """The run that stands on this snapshot, by its name or that of a namesake; another run of the same name does not."""
    candidates = [runs.ref_of(name, start.record.started) for name in _names(start.record)]
    found = resolve(repository, [word for ref in candidates for word in (ref, f"{ref}^1")])
    own = [
        (ref, oid)
        for ref, oid, parent in zip(candidates, found[::2], found[1::2], strict=True)
        if parent == start.snapshot
    ]
    run = next(runs.read_runs(repository, {ref: oid for ref, oid in own[:1] if oid}), None)
    return run if isinstance(run, Run) else None


def discard(repository: Repository, journal: Journal) -> None:
    """Forget a run whose command never started."""
    ref = runs.ACTIVE + journal.folder.name
    if oid := refs.list_refs(repository, ref).get(ref):
        refs.delete_ref(repository, ref, oid)
    journal.remove()


def _tidy_ref(repository: Repository, active: str, snapshot: str) -> tuple[str, ...]:
    """Delete the ref of a run under way. If it cannot be deleted now, that is harmless: a name in both places is finished."""
    from exptrack.operations.recording.housekeeping import is_tidying

    # Our own housekeeping holds the lock as long as it writes all refs anew, 0.1 s for 100,000 of them.
    patience = _PATIENCE if is_tidying(repository) else _IMPATIENCE
    if refs.delete_ref(repository, active, snapshot, patience):
        return ()
    locks = " and ".join(str(lock) for lock in refs.find_locks(repository))
    return (f"recorded, but git could not tidy up: if no git is running, remove {locks}",) if locks else ()


def _write(
    repository: Repository, start: Start, files: Mapping[str, bytes | str], message: str, executable: frozenset[str]
) -> tuple[str, tuple[str, ...]]:
    """The run commit, signed if the user's Git says so and the signer works."""
    now = strftime(f"{int(time())} %z")
    people = f"author {start.author} {now}\ncommitter {start.committer} {now}\n".encode(errors="surrogateescape")
    oid = runs.write_run(repository, start.snapshot, files, message, people, executable)
    if not start.is_signing:
        return oid, ()
    try:
        return runs.sign_run(repository, oid, start.snapshot, message), ()
    except RepositoryError:
        return oid, ("commit.gpgSign is set, but signing failed: the run is recorded unsigned",)
