"""Removed runs: `refs/exptrack/trash/<yyyymmdd>/<name>` keeps a run's commit for some days (`keep.trash`) after the one on which it was removed (UTC).

A name that lies there counts as used: no new run takes it (`store.outset`).
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from datetime import UTC, date, datetime, timedelta

from exptrack.analysis.names import is_name
from exptrack.backends.git import refs
from exptrack.backends.git.repository import Repository
from exptrack.store.runs import TRASH, name_of

_REF = re.compile(re.escape(TRASH) + r"(\d{4})(\d\d)(\d\d)/[a-z0-9][a-z0-9-]*", re.ASCII)


def ref_of(name: str, day: date) -> str:
    """Where a run of this name lies that was removed on this day."""
    return f"{TRASH}{day:%Y%m%d}/{name}"


def find_place(name: str, taken: Container[str]) -> str:
    """Where a run lies that is removed now: below today, or the next day on which no namesake has `taken` that ref."""
    day = datetime.now(UTC).date()
    while (ref := ref_of(name, day)) in taken:
        day += timedelta(1)
    return ref


def day_of(ref: str) -> date | None:
    """The day on which the run at this ref was removed; None if the ref names none."""
    found = _REF.fullmatch(ref)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def last_day(ref: str, days: int) -> date | None:
    """The last day on which the run at this ref can be had back for sure."""
    day = day_of(ref)
    try:
        return day and day + timedelta(days)
    except OverflowError:
        return None


def list_trash(repository: Repository) -> dict[str, str]:
    """The refs of all removed runs with the oid of each, the oldest day first."""
    return refs.list_refs(repository, TRASH)


def expired(listed: Mapping[str, str], now: datetime, days: int) -> dict[str, str]:
    """Those of the refs whose time is over. One that names no day never expires."""
    today = now.astimezone(UTC).date()
    return {ref: oid for ref, oid in listed.items() if (last := last_day(ref, days)) is not None and last < today}


def find(repository: Repository, name: str) -> dict[str, str]:
    """The refs of the removed runs of this name, with their oids, the oldest day first."""
    if not is_name(name):
        return {}
    return {ref: oid for ref, oid in list_trash(repository).items() if name_of(ref) == name}
