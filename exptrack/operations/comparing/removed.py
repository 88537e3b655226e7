"""Runs of an experiment that were removed: who removes those that he does not like, chooses by results."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress

from exptrack.analysis.codec import decode_record
from exptrack.analysis.wording import counted
from exptrack.errors import RecordError
from exptrack.model.run import Run, Status
from exptrack.operations.context import Context
from exptrack.store import runs, trash


def count_removed(context: Context, listed: Iterable[Run] = ()) -> dict[str, Counter[Status]]:
    """By the name of an experiment how many of its runs were removed, by status: those in the trash, and those of `listed` that carry a tombstone.

    What left the trash for good is known no more.
    """
    found = {run.oid: run.record for run in listed if run.is_removed}
    oids = [*trash.list_trash(context.repository).values()]
    for oid, data in zip(oids, runs.read_records(context.repository, oids) if oids else (), strict=True):
        if isinstance(data, bytes):
            with suppress(RecordError):
                found[oid] = decode_record(data)
    counts: defaultdict[str, Counter[Status]] = defaultdict(Counter)
    for record in found.values():
        if record.experiment is not None:
            counts[record.experiment][record.status] += 1
    return dict(counts)


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
