"""Remove runs, and bring them back.

A removed run lies in the trash for 30 days (`keep.trash`), and a tombstone on its commit tells other clones. In this order: the ref in the trash, the
tombstones of all, then the run refs go. Killed in between, the run is still there, and to remove it once more does what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
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
    taken, new = set(there), dict[str, str]()
    for run in chosen:
        if (run.name, run.oid) not in kept:
            kept.add((run.name, run.oid))
            ref = trash.find_place(run.name, taken)
            taken.add(ref)
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
    days = context.settings.keep.trash
    return tuple(_describe(ref, oid, days, stones.get(oid, ())) for ref, oid in reversed(listed.items()))


def _describe(ref: str, oid: str, days: int, stones: Sequence[Annotation]) -> Removed:
    stone = stones[0] if stones else None
    known = (stone.time, stone.author, stone.value if isinstance(stone.value, str) else None) if stone else ()
    return Removed(runs.name_of(ref), oid, ref, trash.last_day(ref, days), *known)


class _Return(NamedTuple):
    """A run that comes back; `kept` are its places in the trash."""

    name: str
    oid: str
    kept: Mapping[str, str]


def restore(context: Context, words: Sequence[str]) -> tuple[str, ...]:
    """Bring removed runs back, all or none, each by its name or the beginning of its oid, and give their names.

    A run that others removed and that is still here loses its tombstones. Raises RevError if there is no such run, NameTakenError if
    another run has its name by now, RecordError if it cannot be read.
    """
    repository = context.repository
    listed, here = trash.list_trash(repository), _list_named(repository)
    found = list({one.oid: one for one in (_find_removed(repository, listed, here, word) for word in words)}.values())
    if len({one.name for one in found}) < len(found):
        raise NameTakenError("two of these runs have the same name: only one of them can come back")
    _refuse_taken(repository, found, here)
    places = _find_places(repository, found)
    here_already = set().union(*here.values())
    identity = find_identity(repository)
    refs.create_refs(repository, {ref: oid for ref, oid in places.items() if oid not in here_already}, "restore")
    _refuse_taken(repository, found, _list_named(repository))  # somebody may have been quicker
    stones = _read_tombstones(repository, [one.oid for one in found])
    removals = [
        (oid, annotation.make(AnnotationKind.REMOVAL, None, identity, [one.id for one in some]))
        for oid, some in stones.items()
        if some
    ]
    annotation.add_to(repository, identity, removals)
    refs.delete_refs(repository, {ref: oid for one in found for ref, oid in one.kept.items()}, "restore")
    return tuple(one.name for one in found)


def _list_named(repository: Repository) -> dict[str, set[str]]:
    """The oids of the runs that are here, by their names."""
    named: dict[str, set[str]] = {}
    for ref, oid in runs.list_run_refs(repository).items():
        named.setdefault(runs.name_of(ref), set()).add(oid)
    return named


def _find_removed(
    repository: Repository, listed: Mapping[str, str], here: Mapping[str, set[str]], word: str
) -> _Return:
    """The removed run of this name or oid, in the trash or, where others removed it, still among the runs."""
    named = {ref: oid for ref, oid in listed.items() if runs.name_of(ref) == word}
    kept = named or {ref: oid for ref, oid in listed.items() if len(word) >= _OID and oid.startswith(word)}
    oids = list(dict.fromkeys(kept.values()))
    if not oids:
        oids = [oid for oid in sorted(here.get(word, ())) if _read_tombstones(repository, [oid]).get(oid)]
    if not oids:
        raise RevError(f"'{word}' is not removed" if word in here else _explain_missing(listed, word))
    if len(oids) > 1:
        hints = [f"  {oid[: runs.ABBREVIATED]}  removed {trash.day_of(ref)}" for ref, oid in kept.items()]
        what = f"'{word}': {len(oids)} removed runs are meant by it, give the oid of one"
        raise RevError(what, ("they are:", *hints) if hints else ())
    return _Return(runs.name_of(next(iter(kept), word)), oids[0], kept)


def _find_places(repository: Repository, found: Sequence[_Return]) -> dict[str, str]:
    """The ref of each run, in the month of its record, with its oid."""
    places: dict[str, str] = {}
    for one, data in zip(found, runs.read_records(repository, [one.oid for one in found]), strict=True):
        stays = f"so it does not come back; its commit is {one.oid}"
        if not isinstance(data, bytes):
            raise RecordError(f"'{one.name}' has no record that can be read, {stays}")
        record = decode_record(data)
        ref = runs.ref_of(record.name, record.started)
        if record.name != one.name or isinstance(runs.parse_run(ref, one.oid, data), BrokenRun):
            raise RecordError(f"'{one.name}' has the record of '{record.name}', {stays}")
        places[ref] = one.oid
    return places


def _refuse_taken(repository: Repository, found: Sequence[_Return], here: Mapping[str, set[str]]) -> None:
    waiting = set(journal.list_names(repository.shared))
    for one in found:
        if others := here.get(one.name, set()) - {one.oid}:
            other = min(others)[: runs.ABBREVIATED]
            what = f"another run is named '{one.name}' by now ({other}): remove that one first, or leave this one"
            raise NameTakenError(what)
        if one.name in waiting:
            what = f"a run named '{one.name}' is under way or waits for `exptrack recover`: restore this one later"
            raise NameTakenError(what)


def _explain_missing(listed: Mapping[str, str], word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word[:100], map(runs.name_of, listed), n=1)
    more = f", did you mean '{near[0]}'?" if near else "; `exptrack rm --list` lists those that are"
    return f"no removed run is named '{word}'{more}"
