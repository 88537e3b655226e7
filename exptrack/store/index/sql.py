"""Queries and orders as SQL over the index, with the meaning that `analysis.matching` and `analysis.facts.sort_facts` give them.

Each condition is 0 or 1 for every run, never NULL, so that `NOT` may stand before it. A condition on a fact asks once for the runs that
fulfil it, which is one scan over what lies together in `facts`; 100,000 single look-ups took longer. Whatever a user wrote is bound.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from exptrack.analysis.fieldnames import ALIASES
from exptrack.analysis.query import Comparison, Operand, Query
from exptrack.store.catalog import Unanswered
from exptrack.store.index.schema import FIELDS
from exptrack.store.index.values import (
    BIG,
    BOOLEAN,
    EMPTY,
    FLOAT,
    LARGEST,
    NAN,
    NULL,
    TEXT,
    WHOLE,
    decode_fact,
    decode_text,
    encode_time,
)

if TYPE_CHECKING:
    from sqlite3 import Connection

_A_DAY = 86_400_000_000  # microseconds
_SIGNS = {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_KINDS = {"number": f"({WHOLE}, {FLOAT})", "boolean": f"({BOOLEAN})", "text": f"({TEXT})"}
_TEXTS = {
    **{name: f"r.{name}" for name in FIELDS},
    "commit": "r.oid",
    "removed": "r.removed",
    "note": "CASE WHEN r.notes IS NOT NULL THEN CAST(exptrack_note(CAST(r.notes AS BLOB)) AS TEXT) END",
}
_TIMES = {"started": "r.started", "ended": "r.ended"}
_ORDERS = {**_TEXTS, **_TIMES, "tag": "CASE WHEN r.tags IS NOT NULL THEN exptrack_tags(CAST(r.tags AS BLOB)) END"}
_IN_FACTS = frozenset({"seed", "duration"})


class Sql(NamedTuple):
    """A piece of SQL and what is bound to its question marks."""

    text: str
    bound: tuple[object, ...] = ()


class Order(NamedTuple):
    """What is joined to `runs r`, and the terms of an ORDER BY, with what is bound to each."""

    join: Sql
    terms: str


# The run that made a key odd may be gone.
_KEY = f"""SELECT id, CASE WHEN odd THEN EXISTS (SELECT 1 FROM facts WHERE key = keys.id AND kind = {BIG}) END
FROM keys WHERE name = CAST(? AS TEXT)"""  # noqa: S608 - of our own words
_NEVER, _ALWAYS = Sql("0"), Sql("1")
_LATEST = "r.started DESC, r.ref"


def add_functions(connection: Connection) -> list[BaseException]:
    """What the SQL of this module calls. Texts come and go as bytes, since they may hold lone surrogates.

    The list takes what is raised in there, Ctrl-C above all, of which SQLite tells no more than that something was.
    """
    raised: list[BaseException] = []
    for name, function, arity in (
        ("exptrack_glob", _glob, 2),
        ("exptrack_fact_glob", _glob_fact, 3),
        ("exptrack_note", _join_notes, 1),
        ("exptrack_tags", _rank_tags, 1),
    ):
        connection.create_function(name, arity, _noting(function, raised), deterministic=True)
    return raised


def _noting(function: Callable[..., Any], raised: list[BaseException]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except BaseException as error:
            raised.append(error)
            raise

    return call


def make_condition(connection: Connection, query: Query) -> Sql:
    """Whether a query holds for the row of `runs r`. Raises Unanswered if it is about numbers that SQLite does not hold."""
    if isinstance(query, Comparison):
        return _compare(connection, query)
    terms = [make_condition(connection, term) for term in query.terms]
    if query.word == "not":
        return Sql(f"NOT {terms[0].text}", terms[0].bound)
    return _join(terms, query.word.upper())


def make_order(connection: Connection, name: str | None, *, descending: bool = False) -> Order:
    """The order by a fact, of equals (and without one) the run that started last first. Raises Unanswered as `make_condition`."""
    name = ALIASES.get(name or "", name or "")
    if name == "age":
        name, descending = "started", not descending
    way = "DESC" if descending else "ASC"
    if name in _ORDERS:
        text = _ORDERS[name]
        absent = "" if name == "started" else f"{text} IS NULL, "
        return Order(Sql(""), f"{absent}{text} {way}, {_LATEST}")
    key = find_key(connection, name) if "." in name or name in _IN_FACTS else None
    if key is None:
        return Order(Sql(""), _LATEST)
    # Whole numbers and others are compared with each other; NULL for what has no place in the order.
    rank = f"CASE f.kind WHEN {NULL} THEN NULL WHEN {NAN} THEN NULL WHEN {WHOLE} THEN {FLOAT} ELSE f.kind END"
    terms = f"{rank} IS NULL, {rank} {way}, f.value {way}, {_LATEST}"
    return Order(Sql("LEFT JOIN facts f ON f.key = ? AND f.run = r.id", (key,)), terms)


def find_key(connection: Connection, name: str) -> int | None:
    """The number of a key, None if no run has it. Raises Unanswered if some run has a number there that SQLite does not hold."""
    found = connection.execute(_KEY, (encode(name),)).fetchone()
    if found is not None and found[1]:
        raise Unanswered(f"{name[:60]!r} has numbers of more than 64 bits")
    return None if found is None else int(found[0])


def encode(text: str) -> bytes:
    """A text as it is bound under a CAST, whatever it holds."""
    return text.encode("utf-8", "surrogatepass")


def decode_texts(data: bytes | str | None) -> tuple[str, ...]:
    """The texts of a JSON list, none if there is no list."""
    if not data:
        return ()
    return tuple(json.loads(data if isinstance(data, str) else decode_text(data)))


def _compare(connection: Connection, comparison: Comparison) -> Sql:
    field, sign, operand = comparison
    if field == "tag":
        return _compare_tag(sign, operand)
    if field in _TEXTS:
        return _compare_text(_TEXTS[field], sign, operand)
    if field in _TIMES:
        return _compare_time(_TIMES[field], sign, operand)
    key = find_key(connection, field) if "." in field or field in _IN_FACTS else None
    if key is None:
        return _NEVER
    test = _test_fact(sign, operand)
    return Sql(f"r.id IN (SELECT run FROM facts WHERE key = ? AND {test.text})", (key, *test.bound))  # noqa: S608 - of our own words


def _test_fact(sign: str, operand: Operand) -> Sql:
    if sign == "~":
        value = f"CASE kind WHEN {TEXT} THEN CAST(value AS BLOB) ELSE value END"
        return Sql(f"kind NOT IN ({NULL}, {EMPTY}) AND exptrack_fact_glob(?, kind, {value})", (_pattern(operand),))
    kinds = _KINDS.get(operand.kind)
    if kinds is None:
        return Sql(f"kind <> {NULL}") if sign == "!=" else _NEVER
    place, bound = _bind(operand)
    if sign == "!=":
        return Sql(f"kind <> {NULL} AND (kind NOT IN {kinds} OR value <> {place})", (bound,))
    return Sql(f"kind IN {kinds} AND value {_SIGNS[sign]} {place}", (bound,))


def _compare_tag(sign: str, operand: Operand) -> Sql:
    if sign == "~":
        test = Sql("exptrack_glob(?, CAST(tag AS BLOB))", (_pattern(operand),))
    elif operand.kind != "text":
        return _ALWAYS if sign == "!=" else _NEVER
    else:
        test = Sql(f"tag {'=' if sign == '!=' else _SIGNS[sign]} CAST(? AS TEXT)", (encode(str(operand.value)),))
    word = "NOT IN" if sign == "!=" else "IN"
    return Sql(f"r.id {word} (SELECT run FROM tags WHERE {test.text})", test.bound)  # noqa: S608


def _compare_text(text: str, sign: str, operand: Operand) -> Sql:
    if sign == "~":
        return Sql(f"ifnull(exptrack_glob(?, CAST({text} AS BLOB)), 0)", (_pattern(operand),))
    if operand.kind != "text":
        return Sql(f"({text} IS NOT NULL)") if sign == "!=" else _NEVER
    return Sql(f"ifnull({text} {_SIGNS[sign]} CAST(? AS TEXT), 0)", (encode(str(operand.value)),))


def _compare_time(time: str, sign: str, operand: Operand) -> Sql:
    kind, value = operand
    if sign == "~" or kind not in {"time", "day"} or not isinstance(value, datetime):
        return Sql(f"({time} IS NOT NULL)") if sign == "!=" else _NEVER
    moment = encode_time(value)
    if kind == "day" and sign in {"=", "!="}:
        word = "NOT BETWEEN" if sign == "!=" else "BETWEEN"
        return Sql(f"ifnull({time} {word} ? AND ?, 0)", (moment, moment + _A_DAY - 1))
    return Sql(f"ifnull({time} {_SIGNS[sign]} ?, 0)", (moment,))


def _bind(operand: Operand) -> tuple[str, object]:
    """Where a value stands in SQL, and what is bound there."""
    value: Any = operand.value
    if operand.kind == "text":
        return "CAST(? AS TEXT)", encode(value)
    if value != value or (isinstance(value, int) and not ~LARGEST <= value <= LARGEST):  # noqa: PLR0124 - NaN
        raise Unanswered("the query has a number that the index does not compare with")
    return "?", int(value) if isinstance(value, bool) else value


def _pattern(operand: Operand) -> bytes:
    return encode(str(operand.value))


def _join(terms: Sequence[Sql], word: str) -> Sql:
    """In pairs of pairs, since SQLite has a limit to how deep an expression is, and a chain is as deep as it is long."""
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    left, right = _join(terms[:middle], word), _join(terms[middle:], word)
    return Sql(f"({left.text} {word} {right.text})", left.bound + right.bound)


def _glob(pattern: bytes, text: bytes | None) -> bool | None:
    return None if text is None else fnmatchcase(decode_text(text), decode_text(pattern))


def _glob_fact(pattern: bytes, kind: int, value: Any) -> bool:
    text = decode_text(value) if kind == TEXT else str(decode_fact(kind, value)).lower()
    return fnmatchcase(text, decode_text(pattern))


def _join_notes(notes: bytes | None) -> bytes | None:
    return encode("\n".join(decode_texts(notes))) or None


def _rank_tags(tags: bytes | None) -> bytes | None:
    """Bytes whose order is that of tuples of texts: each ends with what is less than any letter."""
    return b"".join(encode(tag).replace(b"\0", b"\0\xff") + b"\0\0" for tag in decode_texts(tags)) or None
