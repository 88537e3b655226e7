"""Remove runs, and bring them back.

A removed run lies in the trash for 30 days, and a tombstone on its commit tells other clones. In this order: the ref in the trash, the
tombstones of all, then the run refs go. Killed in between, the run is still there, and to remove it once more does what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from exptrack.analysis.codec import decode_record
from exptrack.analysis.message import check_note
from exptrack.analysis.names import is_name
from exptrack.analysis.secrets import mask
from exptrack.backends.git import objects, refs
from exptrack.backends.git.repository import Repository, find_identity
from exptrack.errors import ExptrackError, NameTakenError, RecordError, RepositoryError, RevError
from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import BrokenRun, Run
from exptrack.operations.context import Context
from exptrack.store import annotation, journal, revs, runs, trash
from exptrack.store.names import find_named

_OID = 7  # digits that are enough to mean a removed run


class Removed(NamedTuple):
    """A run in the trash. `by`, `time` and `reason` are those of its tombstone; it can be had back up to `last_day`, if that is known."""

    name: str
    oid: str
    ref: str
    last_day: date | None
    time: datetime | None = None
    by: str = ""
    reason: str | None = None


def choose(context: Context, words: Sequence[str]) -> tuple[Run | BrokenRun, ...]:
    """The runs that the words name, each a rev or a query, in their order; what is in the trash already is only told.

    Raises RevError and QueryError; a run under way cannot be removed, and it is said how to end it.
    """
    from exptrack.operations.listing import known_names, list_runs
    from exptrack.operations.ranges import is_query, refuse_torn

    refuse_torn(words, lambda: known_names(context.repository), "rm")
    found: dict[str, Run | BrokenRun] = {}
    for word in words:
        if is_query(word):
            found |= {run.ref: run for run in list_runs(context, word)}
        elif (run := _find(context, word)) is not None:
            found[run.ref] = run
    return tuple(found.values())


def _find(context: Context, rev: str) -> Run | BrokenRun | None:
    """The run that is meant; None if it was removed already."""
    repository = context.repository
    _refuse_alive(context, rev)
    try:
        ref, oid = revs.find_ref(repository, rev)
    except RevError:
        if not trash.find(repository, rev):
            raise
        context.notice(f"'{rev}' was removed already: `exptrack rm --restore {rev}` brings it back")
        return None
    return next(runs.read_runs(repository, {ref: oid}))


def _refuse_alive(context: Context, name: str) -> None:
    shared = context.repository.shared
    if not is_name(name) or not journal.is_alive(shared, name):
        return
    from exptrack.operations.active import look

    pid = look(shared, name).pid
    how = f"`kill {pid}`" if pid and not journal.is_foreign(shared, name) else "Ctrl-C where it runs"
    raise RevError(f"'{name}' is under way: end it with {how}, and remove it when it is recorded")


def remove(context: Context, chosen: Sequence[Run | BrokenRun], reason: str | None = None) -> tuple[str, ...]:
    """Move the runs into the trash, with a tombstone on each that carries none, and give their names.

    What was begun before is completed. Raises ExptrackError if one is under way, RepositoryError if Git cannot; nothing is lost then.
    """
    repository = context.repository
    names = tuple(run.name for run in chosen)
    for name in set(journal.list_names(repository.shared)).intersection(names):
        _refuse_alive(context, name)
        if journal.is_dead(repository.shared, name):
            raise ExptrackError(f"'{name}' has a journal that waits for `exptrack recover`: run that first")
    said = None if reason is None or not reason.strip() else mask(check_note(reason.strip()))
    identity = find_identity(repository)
    _put_into_trash(repository, chosen)
    buried = _read_tombstones(repository, [run.oid for run in chosen])
    unmarked = dict.fromkeys(run.oid for run in chosen if not buried.get(run.oid) and _is_commit(repository, run))
    stones = [(oid, annotation.make(AnnotationKind.TOMBSTONE, said, identity)) for oid in unmarked]
    annotation.add_to(repository, identity, stones)
    refs.delete_refs(repository, {run.ref: run.oid for run in chosen}, "remove")
    return names


def _is_commit(repository: Repository, run: Run | BrokenRun) -> bool:
    """Whether there can be a note on it."""
    return isinstance(run, Run) or objects.resolve(repository, [f"{run.oid}^{{commit}}"]) == [run.oid]


def _put_into_trash(repository: Repository, chosen: Sequence[Run | BrokenRun]) -> None:
    """Create a ref in the trash for each run that has none there, a day later where a namesake has the place."""
    there = trash.list_trash(repository)
    kept = {(runs.name_of(ref), oid) for ref, oid in there.items()}
    today = datetime.now(UTC).date()
    new: dict[str, str] = {}
    for run in chosen:
        day = today
        while (ref := trash.ref_of(run.name, day)) in there or ref in new:
            day += timedelta(1)
        if (run.name, run.oid) not in kept:
            kept.add((run.name, run.oid))
            new[ref] = run.oid
    created = set(refs.create_refs(repository, new, "remove"))
    if created != new.keys():  # another process was quicker
        now = trash.list_trash(repository)
        for ref, oid in new.items():
            if now.get(ref) != oid:
                raise RepositoryError(f"{ref} was made by somebody else just now: try again")


def _read_tombstones(repository: Repository, oids: Sequence[str]) -> dict[str, tuple[Annotation, ...]]:
    lines = annotation.read(repository, oids, set())
    return {oid: annotation.tombstones(found) for oid, found in lines.items()}


def list_removed(context: Context) -> tuple[Removed, ...]:
    """The runs in the trash, the one that was removed last first."""
    repository = context.repository
    listed = trash.list_trash(repository)
    stones = _read_tombstones(repository, list(listed.values())) if listed else {}
    return tuple(_describe(ref, oid, stones.get(oid, ())) for ref, oid in reversed(listed.items()))


def _describe(ref: str, oid: str, stones: Sequence[Annotation]) -> Removed:
    stone = stones[0] if stones else None
    known = (stone.time, stone.author, stone.value if isinstance(stone.value, str) else None) if stone else ()
    return Removed(runs.name_of(ref), oid, ref, trash.last_day(ref), *known)


class _Return(NamedTuple):
    """A run that comes back to `ref`; `kept` are its places in the trash."""

    name: str
    oid: str
    ref: str
    kept: Mapping[str, str]


def restore(context: Context, names: Sequence[str]) -> tuple[str, ...]:
    """Bring removed runs back, all or none, each by its name or the beginning of its oid, and give their names.

    Raises RevError if there is no such run, NameTakenError if another run has its name by now, RecordError if it cannot be read.
    """
    repository = context.repository
    listed = trash.list_trash(repository)
    found = list({back.oid: back for back in (_find_removed(repository, listed, name) for name in names)}.values())
    if len({back.ref for back in found}) < len(found):
        raise NameTakenError("two of these runs have the same name: only one of them can come back")
    identity = find_identity(repository)
    refs.create_refs(repository, {back.ref: back.oid for back in found}, "restore")
    for back in found:
        _refuse_taken(repository, back.name, back.oid)  # somebody may have been quicker
    stones = _read_tombstones(repository, [back.oid for back in found])
    removals = [
        (oid, annotation.make(AnnotationKind.REMOVAL, None, identity, [one.id for one in some]))
        for oid, some in stones.items()
        if some
    ]
    annotation.add_to(repository, identity, removals)
    refs.delete_refs(repository, {ref: oid for back in found for ref, oid in back.kept.items()}, "restore")
    return tuple(back.name for back in found)


def _find_removed(repository: Repository, listed: Mapping[str, str], word: str) -> _Return:
    """The removed run of this name or oid, in the trash or, where others removed it, still among the runs."""
    kept = {ref: oid for ref, oid in listed.items() if _is_meant(word, ref, oid)}
    oids = list(dict.fromkeys(kept.values()))
    if not oids:
        oids = [oid for oid in find_named(repository, word).values() if _read_tombstones(repository, [oid]).get(oid)]
    if not oids:
        raise RevError(_explain_missing(repository, listed, word))
    if len(oids) > 1:
        hints = [
            f"  {oid[: runs.ABBREVIATED]}  {runs.name_of(ref)}, removed {trash.day_of(ref)}"
            for ref, oid in kept.items()
        ]
        raise RevError(
            f"'{word}': {len(oids)} removed runs are meant by it, give the oid of one", ("they are:", *hints)
        )
    [oid] = oids
    data = next(runs.read_records(repository, [oid]))
    if not isinstance(data, bytes):
        raise RecordError(f"'{word}' has no record that can be read, so it does not come back; its commit is {oid}")
    record = decode_record(data)
    if kept and record.name != runs.name_of(next(iter(kept))):
        raise RecordError(f"'{word}' has the record of '{record.name}', so it does not come back; its commit is {oid}")
    _refuse_taken(repository, record.name, oid)
    return _Return(record.name, oid, runs.ref_of(record.name, record.started), kept)


def _is_meant(word: str, ref: str, oid: str) -> bool:
    return runs.name_of(ref) == word or (len(word) >= _OID and oid.startswith(word))


def _refuse_taken(repository: Repository, name: str, oid: str) -> None:
    others = {one for one in find_named(repository, name).values() if one != oid}
    if others:
        other = min(others)[: runs.ABBREVIATED]
        raise NameTakenError(
            f"another run is named '{name}' by now ({other}): remove that one first, or leave this one"
        )
    if journal.folder_of(repository.shared, name).exists():
        raise NameTakenError(
            f"a run named '{name}' is under way or waits for `exptrack recover`: restore this one later"
        )


def _explain_missing(repository: Repository, listed: Mapping[str, str], word: str) -> str:
    from difflib import get_close_matches

    if find_named(repository, word):
        return f"'{word}' is not removed"
    near = get_close_matches(word[:100], map(runs.name_of, listed), n=1)
    more = f", did you mean '{near[0]}'?" if near else "; `exptrack rm --list` lists those that are"
    return f"no removed run is named '{word}'{more}"
