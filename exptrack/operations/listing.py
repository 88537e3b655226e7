"""Which runs there are: all of them, or those for which a query holds, in an order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, overload

from exptrack.analysis.facts import SORTABLE
from exptrack.analysis.fieldnames import ALIASES, FIELDS, advise_name
from exptrack.analysis.query import Query, check_names, names_in, parse_moment, parse_query
from exptrack.analysis.rows import Rows
from exptrack.backends.git.repository import Repository
from exptrack.errors import ExptrackError
from exptrack.model.run import BrokenRun, Run
from exptrack.operations.context import Context
from exptrack.store.catalog import Asked, Catalog
from exptrack.store.indexedcatalog import open_catalog

if TYPE_CHECKING:
    from exptrack.analysis.frame import Frame

_CHUNK = 500  # runs that are in memory at once


class Runs(Sequence[Run]):
    """Runs in an order, and beside them what lies on a ref of runs and cannot be read as one, or not as a whole (`broken`).

    `rows` is what is known of them column by column; a run as a whole is read when it is asked for, and not kept: who goes over them more than once
    makes a list of them. `among` is how many refs of runs there are in all. Where the first few were
    asked for, older ones may not have been looked at, and then those that are broken are not named.
    """

    def __init__(self, rows: Rows, broken: Sequence[BrokenRun] = (), among: int | None = None) -> None:
        self.rows = rows
        self.broken = tuple(broken)
        self.among = len(self.rows) + len(self.broken) if among is None else among
        self._kept: tuple[int, Sequence[Run]] = (0, ())  # from which place on, in one: threads may share it

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> Runs: ...
    def __getitem__(self, index: int | slice) -> Run | Runs:
        if isinstance(index, int) and not -len(self) <= index < len(self):
            raise IndexError(f"there is no run {index} among {len(self)}")
        places = range(len(self))[index]
        if isinstance(places, int):
            return self._load(places)
        return self if len(places) == len(self) and places.step == 1 else self.pick(places)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Run]:
        for start in range(0, len(self), _CHUNK):
            yield from self.rows.load(start, start + _CHUNK)

    def __repr__(self) -> str:
        few = ", ".join(
            [*map(str, self.rows.pick(range(len(self))[:3]).column("name")), *(["…"] if len(self) > 3 else [])]
        )
        return f"<Runs: {len(self)} ({few})>" if few else "<Runs: 0>"

    def pick(self, places: Sequence[int]) -> Runs:
        """Those at these places, in that order."""
        return Runs(self.rows.pick(places), self.broken, self.among)

    def to_dataframe(self) -> Frame:
        """One row a run, with typed columns (`docs/query.md` lists them)."""
        from exptrack.analysis.frame import make_frame

        return make_frame(self.rows)

    def _load(self, place: int) -> Run:
        start, loaded = self._kept
        if not start <= place < start + len(loaded):
            start = place - place % _CHUNK
            loaded = self.rows.load(start, start + _CHUNK)
            self._kept = start, loaded
        return loaded[place - start]


def list_runs(
    context: Context,
    query: str | Query | None = None,
    *,
    since: str | datetime | None = None,
    sort: str | None = None,
    number: int | None = None,
) -> Runs:
    """Those runs for which the query holds, or all; the one that started last first, or in the order of `sort`.

    Raises QueryError if the query cannot be read, or names a metric or parameter that no run has; ExptrackError if `since` is no date,
    `sort` names what no run has, or `number` is below zero.
    """
    with open_listing(context) as catalog:
        parsed = parse_query(query, lambda: _known_names(catalog)) if isinstance(query, str) else query
        begin = None if since is None else _read_since(context.repository, since)
        if number is not None and number < 0:
            raise ExptrackError(f"{number} is no number of runs: give 0 or more")
        if sort is not None:
            _check_sort(sort.removeprefix("-"), catalog)
        if parsed is not None:
            _check_query(parsed, query if isinstance(query, str) else None, catalog)
        listed = catalog.select(_order(Asked(parsed, begin, number=number), sort))
        return Runs(listed.rows, listed.broken, catalog.among)


def open_listing(context: Context) -> AbstractContextManager[Catalog]:
    """The runs of a project's repository, from the index or from Git, for the time of a block."""
    return open_catalog(context.repository, context.progress, context.verbose)


def known_names(repository: Repository) -> set[str]:
    """All that any run can be asked for: the fields, metrics and parameters; nothing if there is no run."""
    with open_catalog(repository) as catalog:
        return _known_names(catalog)


def _known_names(catalog: Catalog) -> set[str]:
    return {*FIELDS, *catalog.names()} if catalog.among else set()


def _order(asked: Asked, sort: str | None) -> Asked:
    if sort is None:
        return asked
    name = ALIASES.get(sort.removeprefix("-"), sort.removeprefix("-"))
    is_age = name == "age"  # the youngest started last
    return asked._replace(sort="started" if is_age else name, is_descending=sort.startswith("-") is not is_age)


def _read_since(repository: Repository, since: str | datetime) -> datetime:
    if isinstance(since, datetime):
        return since.replace(tzinfo=UTC) if since.tzinfo is None else since.astimezone(UTC)
    moment = parse_moment(since.replace(" ", "T", 1))
    if moment is None:
        from exptrack.backends.git.dates import find_date

        moment = find_date(repository, since)
    if moment is None:
        forms = "2026-11-01, 2026-11-01T12:00, 2.weeks, '3 days ago' or yesterday"
        raise ExptrackError(f"'{since[:60]}' is no date: use one such as {forms}")
    return moment


def _check_sort(key: str, catalog: Catalog) -> None:
    if key in SORTABLE:
        return
    names = catalog.names()
    if key not in names and _has_runs(catalog):
        raise ExptrackError(f"no run has '{key[:60]}' to sort by: {advise_name(key, {*SORTABLE, *names})}")
    _check_open([key], catalog)


def _check_query(query: Query, text: str | None, catalog: Catalog) -> None:
    asked = [name for name in names_in(query) if "." in name]
    if not asked:
        return
    names = catalog.names()
    if any(name not in names for name in asked) and _has_runs(catalog):
        check_names(query, names, text)
    _check_open(asked, catalog)


def _has_runs(catalog: Catalog) -> bool:
    """Whether any run can be read."""
    return len(catalog.select(Asked(number=1)).rows) > 0


def _check_open(names: Sequence[str], catalog: Catalog) -> None:
    """Nothing is chosen by a holdout: whether one is above a number would tell its value."""
    for key in catalog.sealed([name.removeprefix("metrics.") for name in names if name.startswith("metrics.")]):
        raise ExptrackError(
            f"'{key[:60]}' is sealed: no run is chosen by it, `exptrack unseal` shows it after the choice"
        )
