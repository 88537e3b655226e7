"""Runs of an experiment that were removed: who removes those that he does not like, chooses by results."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import suppress

from exptrack.analysis.codec import decode_record
from exptrack.analysis.rows import Rows
from exptrack.analysis.wording import counted
from exptrack.errors import RecordError
from exptrack.model.run import Status
from exptrack.operations.context import Context
from exptrack.store import runs, trash


def count_removed(context: Context, listed: Rows | None = None) -> dict[str, Counter[Status]]:
    """By the name of an experiment how many of its runs were removed, by status: those in the trash, and those of `listed` that carry a tombstone.

    What left the trash for good is known no more.
    """
    found = {} if listed is None else _find_removed(listed)
    oids = [*trash.list_trash(context.repository).values()]
    for oid, data in zip(oids, runs.read_records(context.repository, oids) if oids else (), strict=True):
        if isinstance(data, bytes):
            with suppress(RecordError):
                record = decode_record(data)
                found[oid] = record.experiment, record.status
    counts: defaultdict[str, Counter[Status]] = defaultdict(Counter)
    for experiment, status in found.values():
        if experiment is not None:
            counts[experiment][status] += 1
    return dict(counts)


def _find_removed(listed: Rows) -> dict[str, tuple[str | None, Status]]:
    """By the oid of each run that carries a tombstone its experiment and status."""
    gone = listed.pick([place for place, remover in enumerate(listed.column("removed")) if remover is not None])
    facts = zip(*(gone.column(name) for name in ("commit", "experiment", "status")), strict=True)
    return {str(oid): (None if name is None else str(name), Status(str(status))) for oid, name, status in facts}


def tell_removed(counts: Mapping[Status, int]) -> tuple[str, ...]:
    """A line on removed runs; none if there are none."""
    number, completed = sum(counts.values()), counts.get(Status.COMPLETED, 0)
    if not number:
        return ()
    of_these = "which had completed" if number == 1 == completed else f"{completed:,} of which had completed"
    if not completed:
        of_these = "which had not completed" if number == 1 else "none of which had completed"
    return (
        f"{counted(number, 'run')} of the experiment {'was' if number == 1 else 'were'} removed, {of_these}: what they gave counts nowhere",
    )
