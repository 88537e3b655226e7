"""Runs by their exact name, without listing all of them: under each month there is one ref that may have it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from exptrack.analysis.names import is_name
from exptrack.backends.git import objects
from exptrack.backends.git.repository import Repository
from exptrack.store.runs import RUNS

_FIRST_MONTH = (2026, 1)  # exptrack did not exist before


def possible_refs(name: str, now: datetime) -> tuple[str, ...]:
    """Where a run of this name may lie, oldest month first; a month ahead of `now` counts, since clocks differ."""
    return tuple(f"{RUNS}{year}-{month:02}/{name}" for year, month in _months(now))


def find_named(repository: Repository, name: str) -> dict[str, str]:
    """The refs of the runs of this name, with their oids; more than one if two clones have used it."""
    if not is_name(name):
        return {}
    possible = possible_refs(name, datetime.now(UTC))
    oids = objects.resolve(repository, possible)
    return {ref: oid for ref, oid in zip(possible, oids, strict=True) if oid}


def _months(now: datetime) -> Iterator[tuple[int, int]]:
    year, month = min(_FIRST_MONTH, (now.year, now.month))
    while (year, month) <= (now.year + 1, 1):
        yield year, month
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
