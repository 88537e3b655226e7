"""Which runs there are: all of them, or those for which a query holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, overload

from exptrack.analysis.facts import facts_of
from exptrack.analysis.matching import matches
from exptrack.analysis.query import Query, check_names, parse_query
from exptrack.model.run import BrokenRun, Run
from exptrack.operations.context import Context
from exptrack.store import annotation, runs

if TYPE_CHECKING:
    from pandas import DataFrame


class Runs(Sequence[Run]):
    """Runs in an order, and beside them what lies on a ref of runs and cannot be read as one (`broken`)."""

    def __init__(self, listed: Sequence[Run], broken: Sequence[BrokenRun] = ()) -> None:
        self._listed = tuple(listed)
        self.broken = tuple(broken)

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> Runs: ...
    def __getitem__(self, index: int | slice) -> Run | Runs:
        return self._listed[index] if isinstance(index, int) else Runs(self._listed[index], self.broken)

    def __len__(self) -> int:
        return len(self._listed)

    def __iter__(self) -> Iterator[Run]:
        return iter(self._listed)

    def __repr__(self) -> str:
        return f"<Runs: {len(self)}>"

    def to_dataframe(self) -> DataFrame:
        raise NotImplementedError


def list_runs(
    context: Context,
    query: str | None = None,
    *,
    since: str | datetime | None = None,
    sort: str | None = None,
    number: int | None = None,
) -> Runs:
    """Those runs for which the query holds, or all, the one that started last first.

    Raises QueryError if the query cannot be read, or names a metric or parameter that no run has.
    """
    asked = None if query is None else parse_query(query)
    found = list(runs.read_runs(context.repository, runs.list_run_refs(context.repository)))
    broken = [one for one in found if isinstance(one, BrokenRun)]
    listed = annotation.annotate(context.repository, [one for one in found if isinstance(one, Run)])
    listed.sort(key=lambda one: one.record.started, reverse=True)
    listed = listed if asked is None else _select(listed, asked)
    return Runs(listed[:number], broken)


def _select(listed: Sequence[Run], query: Query) -> list[Run]:
    facts = [facts_of(one) for one in listed]
    check_names(query, {name for one in facts for name in one})
    return [one for one, known in zip(listed, facts, strict=True) if matches(query, known)]
