"""What is garbage, of the objects in the DVC cache or in a DVC remote, and what of it is told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from exptrack.analysis.codec import decode_record
from exptrack.analysis.trust import is_sound
from exptrack.backends.dvc.collecting import Members, Stored
from exptrack.backends.git import refs
from exptrack.backends.git.repository import Repository
from exptrack.errors import DataError, RecordError
from exptrack.model.collection import Collected, Garbage
from exptrack.model.progress import Progress
from exptrack.model.run import Record, Run
from exptrack.operations.context import Context
from exptrack.operations.usage import find_used, unite
from exptrack.store import trash
from exptrack.store.runs import list_run_refs, name_of, read_records

_DAY: Final = 86_400
_LARGEST: Final = 5
_NAMED: Final = 10_000  # objects of which it is looked up what they were


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


def forget_expired(scope: Scope) -> None:
    """Delete the refs of removed runs whose time is over. Raises DataError if one is among the runs again: then its data may be looked for too late."""
    expired = scope.find_expired()
    if expired:
        refs.delete_refs(scope.context.repository, expired, "collect garbage")
        oids = frozenset(expired.values())
        back = [ref for ref, oid in list_run_refs(scope.context.repository).items() if oid in oids]
        if back:
            raise DataError(f"'{name_of(back[0])}' is back among the runs; nothing was deleted, do it once more")


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
    # With their oids, since elsewhere another run may have the name.
    without = frozenset({*((run.ref, run.oid) for run in dropped), *expired.items()})
    used = unite(
        find_used(
            one,
            without={ref for ref, _ in ignored},
            also={oid for ref, oid in also.get(str(one.common_dir), ()) if (ref, oid) not in ignored},
        )
        for one, ignored in zip(scope.repositories, chain([without], repeat(frozenset())), strict=False)
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
    kept = {*list_runs(context, keep.data).rows.refs(), *(broken.ref for broken in everything.broken)}
    oldest = datetime.fromtimestamp(now, UTC) - timedelta(days=keep.days)
    starts: Sequence[Any] = everything.rows.column("started")
    pairs = zip(everything.rows.refs(), starts, strict=True)
    dropped = [place for place, (ref, started) in enumerate(pairs) if ref not in kept and started < oldest]
    return list(everything.pick(dropped))


def _digests(run: Run) -> set[str]:
    return {pointer.digest for pointer in run.record.all_pointers}


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
    for pointer in (pointer for record in records for pointer in record.all_pointers if is_sound(pointer)):
        paths.setdefault(pointer.digest, pointer.path)
        if pointer.is_folder and len(paths) < _NAMED:
            for digest in read([pointer.digest]).digests:
                paths.setdefault(digest, f"{pointer.path}/")
    largest = sorted(garbage, key=lambda one: (-one.size, one.digest))[:_LARGEST]
    return tuple(Garbage(one.digest, one.size, paths.get(one.digest)) for one in largest)
