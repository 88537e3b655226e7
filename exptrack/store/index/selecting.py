"""Which runs of the index are asked for, in their order, and of each what a table of runs always needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from exptrack.store.catalog import Asked, asks_keys, format_month
from exptrack.store.index.sql import Order, Sql, decode_texts, make_condition, make_order
from exptrack.store.index.values import LARGEST, decode_text, encode_time
from exptrack.store.runs import RUNS

if TYPE_CHECKING:
    from sqlite3 import Connection

_Gathered = TypeVar("_Gathered")

# Of one statement; SQLite takes 999 in old versions.
CHUNK = 500
# To scan so many rows takes as long as to look one up.
_DENSE = 4


class Chosen(NamedTuple):
    """Runs in an order, one list a column, so that 100,000 take 40 MB. What the columns hold can change while a run's number stays, but for the first three."""

    ids: Sequence[int]
    oids: Sequence[str]
    refs: Sequence[str]
    statuses: Sequence[str]
    started: Sequence[int]
    tags: Sequence[tuple[str, ...]]
    notes: Sequence[tuple[str, ...]]
    removed: Sequence[str | None]

    def pick(self, places: Sequence[int]) -> Chosen:
        """Those at these places, in that order."""
        columns: Iterable[Any] = ([column[place] for place in places] for column in self)
        return Chosen(*columns)


def choose(connection: Connection, asked: Asked) -> Chosen:
    """The runs that are asked for. Raises Unanswered if only Git can tell, sqlite3.Error if the index is damaged."""
    conditions: list[Sql] = []
    if asked.since is not None:
        conditions.append(Sql("r.started >= ?", (encode_time(asked.since),)))
        if not asks_keys(asked):
            conditions.append(Sql("r.ref >= ?", (RUNS + format_month(asked.since),)))
    if asked.query is not None:
        conditions.append(make_condition(connection, asked.query))
    order = make_order(connection, asked.sort, descending=asked.is_descending)
    rows = fetch(connection, *_statement(conditions, order, asked.number))
    ids, oids, refs, statuses, started, tags, notes, removed = zip(*rows, strict=True) if rows else ((),) * 8
    return Chosen(ids, oids, refs, statuses, started, _decode_all(tags), _decode_all(notes), removed)


def fetch(connection: Connection, statement: str, bound: Sequence[object] = ()) -> list[Any]:
    """The rows of a statement, its texts with lone surrogates too."""
    return gather_rows(connection, statement, bound, list)


def gather_rows(
    connection: Connection, statement: str, bound: Sequence[object], gather: Callable[[Iterable[Any]], _Gathered]
) -> _Gathered:
    """The rows of a statement, as `fetch`, by what gathers them without a list."""
    from sqlite3 import OperationalError

    try:
        return gather(connection.execute(statement, tuple(bound)))
    except OperationalError as error:
        if "decode" not in str(error):
            raise
    usual = connection.text_factory
    connection.text_factory = decode_text
    try:
        return gather(connection.execute(statement, tuple(bound)))
    finally:
        connection.text_factory = usual


def fetch_of(
    connection: Connection,
    statement: str,
    ids: Sequence[int],
    bound: Sequence[object] = (),
    gather: Callable[[Iterable[Any]], dict[int, Any]] = dict,
) -> dict[int, Any]:
    """What a statement gives for the runs with these numbers, which go where it has `{}`; at times for others, too."""
    if not ids:
        return {}
    first, last = min(ids), max(ids)
    if last - first < _DENSE * len(ids):
        return gather_rows(connection, statement.format("BETWEEN ? AND ?"), (*bound, first, last), gather)
    return fetch_at(connection, statement, ids, bound, gather)


def fetch_at(
    connection: Connection,
    statement: str,
    wanted: Sequence[object],
    bound: Sequence[object] = (),
    gather: Callable[[Iterable[Any]], dict[Any, Any]] = dict,
) -> dict[Any, Any]:
    """What a statement gives for those `wanted`, so many at a time, which go where it has `{}`."""
    found: dict[Any, Any] = {}
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        places = f"IN ({', '.join('?' * len(part))})"
        found |= gather_rows(connection, statement.format(places), (*bound, *part), gather)
    return found


def _statement(conditions: Sequence[Sql], order: Order, number: int | None) -> tuple[str, tuple[object, ...]]:
    columns = "r.id, r.oid, r.ref, r.status, r.started, r.tags, r.notes, r.removed"
    where = f"WHERE {' AND '.join(one.text for one in conditions)}" if conditions else ""
    limit = "" if number is None else "LIMIT ?"
    statement = f"SELECT {columns} FROM runs r {order.join.text} {where} ORDER BY {order.terms} {limit}"  # noqa: S608 - of our own words
    bound = [*order.join.bound, *(value for one in conditions for value in one.bound)]
    return statement, (*bound, *(() if number is None else (min(number, LARGEST),)))


def _decode_all(lists: Sequence[str | None]) -> Sequence[tuple[str, ...]]:
    """Most runs have none, and many have the same."""
    known = {text: decode_texts(text) for text in set(lists)}
    return [known[text] for text in lists]
