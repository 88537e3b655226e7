"""Which runs there are: all of them, or those for which a query holds, in an order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, overload

from exptrack.analysis.facts import SORTABLE, Facts, sort_facts
from exptrack.analysis.fieldnames import advise_name
from exptrack.analysis.matching import matches
from exptrack.analysis.query import Query, check_names, names_in, parse_moment, parse_query
from exptrack.backends.git.dates import find_date
from exptrack.backends.git.repository import Repository
from exptrack.errors import ExptrackError
from exptrack.model.run import BrokenRun, Run
from exptrack.operations.context import Context
from exptrack.store import annotation, runs

if TYPE_CHECKING:
    from exptrack.analysis.frame import Frame

_LOST = "its tags and notes are not in the repository; `git fsck` tells more"


class Runs(Sequence[Run]):
    """Runs in an order, and beside them what lies on a ref of runs and cannot be read as one, or not as a whole (`broken`).

    `facts` gives for each run what is known of it by name, `among` is how many refs of runs there are in all. Where the first few were
    asked for, older ones may not have been looked at, and then those that are broken are not named.
    """

    def __init__(
        self, listed: Sequence[Run | Facts], broken: Sequence[BrokenRun] = (), among: int | None = None
    ) -> None:
        self.facts = tuple(one if isinstance(one, Facts) else Facts(one) for one in listed)
        self.broken = tuple(broken)
        self.among = len(self.facts) + len(self.broken) if among is None else among

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> Runs: ...
    def __getitem__(self, index: int | slice) -> Run | Runs:
        if isinstance(index, slice):
            return Runs(self.facts[index], self.broken, self.among)
        return self.facts[index].run

    def __len__(self) -> int:
        return len(self.facts)

    def __iter__(self) -> Iterator[Run]:
        return (one.run for one in self.facts)

    def __repr__(self) -> str:
        few = ", ".join([*(one.run.name for one in self.facts[:3]), *(["…"] if len(self) > 3 else [])])
        return f"<Runs: {len(self)} ({few})>" if few else "<Runs: 0>"

    def to_dataframe(self) -> Frame:
        """One row a run, with typed columns (`docs/query.md` lists them)."""
        from exptrack.analysis.frame import make_frame

        return make_frame(self.facts)


def list_runs(
    context: Context,
    query: str | None = None,
    *,
    since: str | datetime | None = None,
    sort: str | None = None,
    number: int | None = None,
) -> Runs:
    """Those runs for which the query holds, or all; the one that started last first, or in the order of `sort`.

    Raises QueryError if the query cannot be read, or names a metric or parameter that no run has; ExptrackError if `since` is no date,
    `sort` names what no run has, or `number` is below zero.
    """
    repository = context.repository
    asked = None if query is None else parse_query(query, lambda: known_names(repository))
    begin = None if since is None else _read_since(repository, since)
    if number is not None and number < 0:
        raise ExptrackError(f"{number} is no number of runs: give 0 or more")
    refs = runs.list_run_refs(repository)
    key = (sort or "").removeprefix("-")
    # Whether any run has a name is only known when all are read.
    is_whole = "." in key or (asked is not None and any("." in name for name in names_in(asked)))
    wanted = refs if is_whole else _filed_since(refs, begin)
    found = _read(repository, wanted, None if is_whole or asked or sort is not None else number)
    broken = [one for one in found if isinstance(one, BrokenRun)]
    lost: set[str] = set()
    whole = annotation.annotate(repository, [one for one in found if isinstance(one, Run)], lost)
    broken += [BrokenRun(run.name, run.oid, run.ref, _LOST) for run in whole if run.oid in lost]
    rows = [Facts(run) for run in whole]
    if sort is not None:
        _check_sort(key, rows)
        _check_open([key], rows)
    if asked is not None and rows:
        check_names(asked, _known(names_in(asked), rows), query)
        _check_open(names_in(asked), rows)
    chosen = [row for row in rows if _is_chosen(row, asked, begin)]
    chosen.sort(key=lambda row: row.run.record.started, reverse=True)
    ordered = chosen if sort is None else sort_facts(chosen, key, descending=sort.startswith("-"))
    return Runs(ordered[:number], broken, len(refs))


def known_names(repository: Repository) -> set[str]:
    """All that any run can be asked for: the fields, metrics and parameters; nothing if there is no run."""
    read = runs.read_runs(repository, runs.list_run_refs(repository))
    return {name for run in read if isinstance(run, Run) for name in Facts(run)}


def _read(repository: Repository, refs: Mapping[str, str], number: int | None) -> list[Run | BrokenRun]:
    """The runs at the refs; with a `number` at least that many of the latest, and no more months than that takes."""
    if number is None:
        return list(runs.read_runs(repository, refs))
    found: list[Run | BrokenRun] = []
    pending: dict[str, str] = {}
    counted = 0
    months = [(month, list(filed)) for month, filed in groupby(refs.items(), key=lambda item: _month_of(item[0]))]
    for month, filed in reversed(months):
        pending |= filed
        if counted + len(pending) >= number:
            found += runs.read_runs(repository, pending)
            # One that lies in a later month than it started in says nothing about the months between.
            counted = sum(isinstance(one, Run) and _format_month(one.record.started) >= month for one in found)
            pending = {}
            if counted >= number:
                return found
    return [*found, *runs.read_runs(repository, pending)]


def _filed_since(refs: Mapping[str, str], begin: datetime | None) -> Mapping[str, str]:
    if begin is None:
        return refs
    month = _format_month(begin)
    return {ref: oid for ref, oid in refs.items() if _month_of(ref) >= month}


def _month_of(ref: str) -> str:
    return ref.removeprefix(runs.RUNS).partition("/")[0]


def _format_month(moment: datetime) -> str:
    return moment.isoformat()[:7]


def _read_since(repository: Repository, since: str | datetime) -> datetime:
    if isinstance(since, datetime):
        return since.replace(tzinfo=UTC) if since.tzinfo is None else since.astimezone(UTC)
    moment = parse_moment(since.replace(" ", "T", 1)) or find_date(repository, since)
    if moment is None:
        forms = "2026-11-01, 2026-11-01T12:00, 2.weeks, '3 days ago' or yesterday"
        raise ExptrackError(f"'{since[:60]}' is no date: use one such as {forms}")
    return moment


def _known(names: Sequence[str], rows: Sequence[Facts]) -> Iterable[str]:
    """The names that some run has: of those asked for if all are found, else of all, so that the nearest can be said."""
    if all(any(name in row for row in rows) for name in names):
        return names
    return {name for row in rows for name in row}


def _check_sort(key: str, rows: Sequence[Facts]) -> None:
    if key not in SORTABLE and rows and not any(key in row for row in rows):
        names = {*SORTABLE, *(name for row in rows for name in row)}
        raise ExptrackError(f"no run has '{key[:60]}' to sort by: {advise_name(key, names)}")


def _check_open(names: Iterable[str], rows: Sequence[Facts]) -> None:
    """Nothing is chosen by a holdout: whether one is above a number would tell its value."""
    for name in names:
        key = name.removeprefix("metrics.")
        if key != name and any(key in row.run.record.sealed for row in rows) and _is_sealed_in_all(key, rows):
            raise ExptrackError(
                f"'{key[:60]}' is sealed: no run is chosen by it, `exptrack unseal` shows it after the choice"
            )


def _is_sealed_in_all(key: str, rows: Sequence[Facts]) -> bool:
    return all(key in row.run.record.sealed for row in rows if key in row.metrics)


def _is_chosen(row: Facts, query: Query | None, begin: datetime | None) -> bool:
    return (begin is None or row.run.record.started >= begin) and (query is None or matches(query, row))
