"""Runs of a remote on their way here: which are asked for, which are what they should be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from exptrack.backends.git.repository import Repository
from exptrack.errors import ExptrackError
from exptrack.model.run import Run
from exptrack.model.sharing import Arrival
from exptrack.store import annotation
from exptrack.store.names import possible_refs
from exptrack.store.runs import RUNS, name_of

_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
_PREFIX = re.compile(r"[a-z0-9][a-z0-9-]*")


class Filter(NamedTuple):
    """Which runs are asked for: of these months, with names that begin so, of an experiment, for which a query holds.

    With `exactly` only those that have one of these names.
    """

    months: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    experiment: str | None = None
    query: str | None = None
    exactly: tuple[str, ...] = ()

    @property
    def is_of_refs(self) -> bool:
        """Whether the names of refs tell enough for the remote to pick them."""
        return bool(self.months or self.names)

    @property
    def is_of_records(self) -> bool:
        """Whether the records must be read."""
        return self.experiment is not None or self.query is not None


def check(wanted: Filter) -> None:
    """Raise QueryError for a query that cannot be read, before anything is fetched."""
    if wanted.query is not None:
        from exptrack.analysis.query import parse_query

        parse_query(wanted.query)


def patterns_of(wanted: Filter) -> list[str]:
    """What to ask the remote for; raises ExptrackError for what can be no month, or the beginning of no name."""
    for month in wanted.months:
        if not _MONTH.fullmatch(month):
            raise ExptrackError(f"'{month[:60]}' is no month: write it as in 2026-11")
    for name in wanted.names:
        if not _PREFIX.fullmatch(name):
            raise ExptrackError(f"no name begins with '{name[:60]}': names have small letters, digits and hyphens")
    # One star is all that git takes, so each month is asked for.
    months = wanted.months or [
        ref.removeprefix(RUNS).partition("/")[0] for ref in possible_refs("x", datetime.now(UTC))
    ]
    return [f"{RUNS}{month}/{name}*" for month in months for name in wanted.names or ("",)]


def narrow(refs: Mapping[str, str], wanted: Filter) -> dict[str, str]:
    """Those of a remote's refs that are runs, and have the names that are asked for; in the order of the refs."""
    exactly = frozenset(wanted.exactly)
    return {
        ref: oid
        for ref, oid in sorted(refs.items())
        if ref.startswith(RUNS) and (not exactly or name_of(ref) in exactly)
    }


def pick(repository: Repository, found: Sequence[Run], wanted: Filter) -> list[Run]:
    """Those of the runs for which the experiment and the query hold; raises QueryError."""
    if wanted.experiment is not None:
        found = [run for run in found if run.record.experiment == wanted.experiment]
    if wanted.query is None or not found:
        return list(found)
    from exptrack.analysis.facts import Facts
    from exptrack.analysis.matching import matches
    from exptrack.analysis.query import check_names, names_in, parse_query
    from exptrack.operations.listing import known_names

    rows = [Facts(run) for run in annotation.annotate(repository, found, set())]
    query = parse_query(wanted.query)
    names = {name for row in rows for name in row}
    if not names.issuperset(names_in(query)):
        names |= known_names(repository)  # it may be that of runs that are here already
    check_names(query, names, wanted.query)
    return [row.run for row in rows if matches(query, row)]


def group(found: Sequence[Run]) -> tuple[Arrival, ...]:
    """The runs by author and host, those with most runs first."""
    names: dict[tuple[str, str], list[str]] = {}
    for run in found:
        names.setdefault((run.record.author, run.record.host), []).append(name_of(run.ref))
    arrivals = [Arrival(author, host, tuple(some)) for (author, host), some in names.items()]
    return tuple(sorted(arrivals, key=lambda one: (-len(one.names), one.author, one.host)))
