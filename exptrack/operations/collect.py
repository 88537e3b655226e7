"""Collect garbage: delete data that nothing uses, in the DVC cache or in a DVC remote.

Used is what any version of a pointer file names (`usage.py`), and what is in folders of it. Besides, all is kept that is young: what was
put there, or taken up again, within the days of grace may belong to a run that has no ref yet, or one that is elsewhere.

In a cache DVC's own locks are held while it is looked at for the second time and garbage is deleted. Who takes up old data again
(`backends/dvc/objects.py`) makes it young first. In a remote, marks keep those away who push.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from exptrack.analysis.codec import decode_record
from exptrack.backends import dvc
from exptrack.backends.dvc.collecting import Members, Stored, delete, list_objects, locked, read_members
from exptrack.backends.dvc.config import Cache, find_cache
from exptrack.backends.git import everywhere, refs
from exptrack.backends.git.repository import Repository
from exptrack.errors import DataError, RecordError
from exptrack.model.collection import Collected, Garbage
from exptrack.model.run import Record, Run
from exptrack.model.sharing import Progress, Silence
from exptrack.operations.context import Context
from exptrack.operations.usage import find_repositories, find_used, unite
from exptrack.store import trash
from exptrack.store.runs import name_of, read_records

_DAY: Final = 86_400
_LARGEST: Final = 5
_NAMED: Final = 10_000  # objects of which it is looked up what they were
_SILENCE: Final = Silence()


class Scope(NamedTuple):
    """What garbage is looked for with: the repositories that use the place, and what does not count in the first of them."""

    context: Context
    root: Path
    repositories: tuple[Repository, ...]
    now: float

    @property
    def before(self) -> float:
        """The moment before which data must have come to be garbage."""
        return self.now - self.context.settings.keep.grace * _DAY

    def find_expired(self, listed: Mapping[str, str] | None = None) -> dict[str, str]:
        """Those of the refs, or else of all that are here, that are of removed runs whose time is over."""
        days, moment = self.context.settings.keep.trash, datetime.fromtimestamp(self.now, UTC)
        return trash.expired(trash.list_trash(self.context.repository) if listed is None else listed, moment, days)


class Plan(NamedTuple):
    """What is garbage, what else there is, and what is told of it."""

    garbage: tuple[Stored, ...]
    said: Collected


def collect(  # noqa: PLR0913 - each is a choice of the user's, but for the clock
    context: Context,
    *,
    force: bool,
    remote: str | None = None,
    projects: Sequence[Path] = (),
    progress: Progress = _SILENCE,
    despite: bool = False,
    now: float | None = None,
) -> Collected:
    """Find the data that nothing uses, and delete it if `force`; in the remote of this name, else in the DVC cache of the project.

    `projects` are folders of other repositories that use it, too. `despite` deletes even if there are pointer files that do not say
    what they use. `now` is the time to reckon with. Raises DataError if there is no DVC project, if others may use the cache, if somebody
    works with DVC or pushes just now, or if what is used cannot be known; RepositoryError if a repository is not whole, or a Git remote
    cannot be reached.
    """
    root = dvc.find_root(context.folder, context.repository.top)
    if root is None:
        raise DataError(f"there is no DVC project at {context.folder}, so there is no data to collect")
    scope = Scope(context, root, find_repositories(context.repository, projects), time.time() if now is None else now)
    if remote is not None:
        from exptrack.operations.collectremote import collect_remote

        return collect_remote(scope, remote, progress, force=force, despite=despite, is_given=now is not None)
    return _collect_cache(scope, progress, force=force, despite=despite, is_shared=bool(projects))


def _collect_cache(scope: Scope, progress: Progress, *, force: bool, despite: bool, is_shared: bool) -> Collected:
    cache = find_cache(scope.root)
    if not is_shared:
        _refuse_shared(scope, cache)
    lock: AbstractContextManager[None] = nullcontext()
    if force:
        lock = locked(_find_roots(scope, cache))
    with lock:
        progress.begin("looking for garbage")
        objects = list(list_objects(cache))
        plan = make_plan(scope, str(cache.folder), objects, lambda digests: read_members(cache, digests))
        if force:
            refuse_unreadable(plan.said, despite=despite)
            forget_expired(scope)
            counted = Counted(progress, len(plan.garbage))
            delete(cache, plan.garbage, scope.before, counted.add)
            return plan.said._replace(done=True, objects=counted.objects, size=counted.size)
    return plan.said


def _refuse_shared(scope: Scope, cache: Cache) -> None:
    folder = cache.folder.resolve()
    repository = scope.context.repository
    inside = [repository.common_dir, *(place.top for place in everywhere.list_places(repository) if place.top)]
    if not any(folder.is_relative_to(top.resolve()) for top in inside):
        raise DataError(
            f"the cache {cache.folder} lies outside of the repository, and others may use it: "
            "name their folders with `--projects DIR…`"
        )


def _find_roots(scope: Scope, cache: Cache) -> list[Path]:
    """All DVC projects in work trees of the repositories that have this cache."""
    folder = cache.folder.resolve()
    roots = {scope.root.resolve()}
    for repository in scope.repositories:
        for place in everywhere.list_places(repository):
            roots |= {root.resolve() for root in everywhere.find_folders_with(repository, place, ".dvc/config")}
    return sorted(root for root in roots if find_cache(root).folder.resolve() == folder)


def forget_expired(scope: Scope) -> None:
    """Delete the refs of removed runs whose time is over."""
    expired = scope.find_expired()
    if expired:
        refs.delete_refs(scope.context.repository, expired, "collect garbage")


def refuse_unreadable(said: Collected, *, despite: bool) -> None:
    """Raise DataError if something does not say what it uses."""
    if said.unreadable and not despite:
        raise DataError(
            f"{said.unreadable[0]} {_and_more(said.unreadable)}cannot be read, so what it uses is not known: "
            "mend it, or give --force twice to delete what nothing else uses"
        )


def _and_more(names: Sequence[str]) -> str:
    return f"and {len(names) - 1:,} more " if len(names) > 1 else ""


class Counted:
    """Counts what is deleted, and tells `progress`."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.objects = self.size = 0
        self._progress = progress
        progress.begin("deleting", total)

    def add(self, one: Stored) -> None:
        self.objects += 1
        self.size += one.size
        self._progress.advance(1)


def make_plan(
    scope: Scope,
    place: str,
    objects: Sequence[Stored],
    read: Callable[[Iterable[str]], Members],
    also: Mapping[str, Collection[tuple[str, str]]] = MappingProxyType({}),
) -> Plan:
    """What of the objects in a place is garbage. `read` gives what folders hold.

    `also` are refs that count, with their oids, by the common folder of the repository.
    """
    dropped = find_dropped(scope.context, scope.now)
    expired = {
        **scope.find_expired(dict(also.get(str(scope.context.repository.common_dir), ()))),
        **scope.find_expired(),
    }
    without = {*(run.ref for run in dropped), *expired}
    used = unite(
        find_used(
            one, without=ignored, also={oid for ref, oid in also.get(str(one.common_dir), ()) if ref not in ignored}
        )
        for one, ignored in zip(scope.repositories, chain([without], repeat(frozenset[str]())), strict=False)
    )
    inside = read(_folders(used.digests))
    needed = used.digests | inside.digests
    young = {one.digest for one in objects if one.changed is None or one.changed >= scope.before}
    inside_young = read(_folders(young - needed))
    waiting = (young | inside_young.digests) - needed
    garbage = tuple(one for one in objects if one.digest not in needed and one.digest not in waiting)
    unused = {one.digest for one in garbage}
    sizes = {
        kind: [one.size for one in objects if one.digest in digests]
        for kind, digests in (("kept", needed), ("young", waiting))
    }
    records = chain((run.record for run in dropped), _read_expired(scope.context.repository, expired))
    said = Collected(
        place,
        done=False,
        objects=len(garbage),
        size=sum(one.size for one in garbage),
        kept=len(sizes["kept"]),
        kept_size=sum(sizes["kept"]),
        young=len(sizes["young"]),
        young_size=sum(sizes["young"]),
        largest=_name_largest(garbage, records, read),
        losing=tuple(run.name for run in dropped if not unused.isdisjoint(_digests(run))),
        expired=tuple(sorted(map(name_of, expired))),
        unlisted=len(inside.unlisted),
        unreadable=(*used.unreadable, *inside.broken, *inside_young.broken),
    )
    return Plan(garbage, said)


def _folders(digests: Iterable[str]) -> list[str]:
    return [digest for digest in digests if digest.endswith(".dir")]


def find_dropped(context: Context, now: float) -> list[Run]:
    """The runs whose data is not kept, by the policy in `exptrack.yaml`. Raises QueryError if its query cannot be read."""
    keep = context.settings.keep
    if keep.data is None:
        return []
    from exptrack.operations.listing import list_runs

    everything = list_runs(context)
    kept = {run.ref for run in list_runs(context, keep.data)} | {broken.ref for broken in everything.broken}
    oldest = datetime.fromtimestamp(now, UTC) - timedelta(days=keep.days)
    return [run for run in everything if run.ref not in kept and run.started < oldest]


def _digests(run: Run) -> set[str]:
    return {pointer.digest for pointer in run.record.pointers}


def _read_expired(repository: Repository, expired: Mapping[str, str]) -> Iterator[Record]:
    """The records of removed runs, where they can be read."""
    for content in read_records(repository, list(expired.values())):
        if isinstance(content, bytes):
            with suppress(RecordError):
                yield decode_record(content)


def _name_largest(
    garbage: Sequence[Stored], records: Iterable[Record], read: Callable[[Iterable[str]], Members]
) -> tuple[Garbage, ...]:
    """The largest garbage, by what it was to the runs of these records."""
    paths: dict[str, str] = {}
    for pointer in (pointer for record in records for pointer in record.pointers):
        paths.setdefault(pointer.digest, pointer.path)
        if pointer.is_folder and len(paths) < _NAMED:
            for digest in read([pointer.digest]).digests:
                paths.setdefault(digest, f"{pointer.path}/")
    largest = sorted(garbage, key=lambda one: (-one.size, one.digest))[:_LARGEST]
    return tuple(Garbage(one.digest, one.size, paths.get(one.digest)) for one in largest)
