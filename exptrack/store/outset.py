"""What Git knows before a run starts: who commits, where HEAD is, which names are taken. Asked all at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from exptrack.backends.git import command, objects, refs, repository
from exptrack.backends.git.repository import Committing, Repository
from exptrack.store.runs import ACTIVE, RUNS, TRASH, name_of

_FIRST_MONTH = (2026, 1)  # exptrack did not exist before


class Outset(NamedTuple):
    """`base` is the commit that HEAD is at (None before the first), `taken` the ref that has the name already.

    `active` are the refs of runs that are under way, or were not tidied up.
    """

    committing: Committing
    base: str | None
    taken: str | None
    active: dict[str, str]


def find_outset(place: Repository, name: str, now: datetime) -> Outset:
    """Look before a run of this name starts; raises RepositoryError if Git knows no identity.

    Looks up one possible ref a month instead of listing all runs, so that recording costs the same with 100 and with 100,000 of them.
    """
    candidates = [f"{RUNS}{year}-{month:02}/{name}" for year, month in _months(now)]
    wanted = ["HEAD^{commit}", *candidates]
    how, found, listed = command.together(
        place.top,
        repository.ask_committing(),
        objects.ask_oids(wanted),
        refs.ask_refs(ACTIVE, TRASH),
    )
    base, *oids = objects.parse_oids(found)
    others = refs.parse_refs(listed)
    taken = [ref for ref, oid in zip(candidates, oids, strict=True) if oid] + [
        ref for ref in others if name_of(ref) == name
    ]
    return Outset(
        repository.parse_committing(place, how),
        base,
        taken[0] if taken else None,
        {ref: oid for ref, oid in others.items() if ref.startswith(ACTIVE)},
    )


def _months(now: datetime) -> Iterator[tuple[int, int]]:
    year, month = min(_FIRST_MONTH, (now.year, now.month))
    while (year, month) <= (now.year + 1, 1):
        yield year, month
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
