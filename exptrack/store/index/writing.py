"""Runs as rows of the tables, put in and taken out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from exptrack.analysis.facts import Facts
from exptrack.model.run import Run
from exptrack.store.index.schema import FIELDS
from exptrack.store.index.values import (
    ANY,
    BIG,
    FLOAT,
    Bound,
    encode_fact,
    encode_text,
    encode_time,
    find_text,
)

if TYPE_CHECKING:
    import sqlite3

_CHUNK = 5000  # runs, whose rows are in memory at once
_TEXTS = (*FIELDS, "tags", "notes", "removed")
_RUN = f"""INSERT INTO runs(id, ref, oid, shape, started, ended, {", ".join(_TEXTS)})
VALUES (?, ?, ?, ?, ?, ?{", CAST(? AS TEXT)" * len(_TEXTS)})"""  # noqa: S608 - of our own words
_FACT = "INSERT INTO facts VALUES (?, ?, ?, ?)"
_ODD_FACT = f"INSERT INTO facts VALUES (?1, ?2, ?3, {ANY.format(4)})"  # noqa: S608
_TAG = "INSERT OR IGNORE INTO tags VALUES (CAST(? AS TEXT), ?)"
_SEALED = "INSERT OR IGNORE INTO sealed VALUES (?, ?)"

_Fact = tuple[int, int, int, Bound]


class Shape(NamedTuple):
    """The keys of a run's metrics and parameters: the id of this row of `shapes`, and the ids of the keys."""

    id: int
    keys: tuple[int, ...]


class Writer:
    """Puts runs into an index. `facts` are those that wait, by their keys, since a table in the order of keys takes them quicker so."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._keys: dict[str, int] = {}
        self._shapes: dict[tuple[tuple[str, ...], tuple[str, ...]], Shape] = {}
        self._odd: set[int] = set()
        self._next = _next_id(connection)
        self._runs: list[tuple[Bound, ...]] = []
        self._facts: dict[int, list[_Fact]] = {}
        self._tags: list[tuple[Bound, int]] = []
        self._sealed: list[tuple[int, int]] = []

    def add(self, run: Run) -> None:
        """Put in a run, with the annotations that stand on it; none of its ref may be there."""
        self._add(run)
        if len(self._runs) >= _CHUNK:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        self._connection.executemany(_RUN, self._runs)
        for key in sorted(self._facts):
            facts = self._facts[key]
            is_odd = any(type(fact[3]) is bytes for fact in facts)
            self._connection.executemany(_ODD_FACT if is_odd else _FACT, facts)
        self._connection.executemany(_TAG, self._tags)
        self._connection.executemany(_SEALED, self._sealed)
        self._connection.executemany("UPDATE keys SET odd = 1 WHERE id = ?", [(key,) for key in self._odd])
        for waiting in (self._runs, self._facts, self._tags, self._sealed, self._odd):
            waiting.clear()

    def _add(self, run: Run) -> None:
        facts, record = Facts(run), run.record
        metrics, params = facts.metrics, facts.params
        shape = self._shape_of(tuple(metrics), tuple(params))
        number = self._next
        self._next += 1
        for key, value in zip(shape.keys, (*metrics.values(), *params.values()), strict=True):
            self._keep(key, number, value)
        for name in ("seed", "duration"):
            if (fact := facts.get(name)) is not None:
                self._keep(self._key_of(name), number, fact)
        texts = [find_text(facts.get(name)) for name in FIELDS]  # type: ignore[arg-type]
        ended = None if record.ended is None else encode_time(record.ended)
        fixed = (number, run.ref, run.oid, shape.id, encode_time(record.started), ended)
        self._runs.append((*fixed, *texts, *format_annotations(run)))
        self._tags += [(encode_text(tag), number) for tag in run.tags]
        self._sealed += [(self._key_of(f"metrics.{key}"), number) for key in record.sealed]

    def _keep(self, key: int, run: int, value: Any) -> None:
        kind = type(value)
        waiting = self._facts.get(key)
        if waiting is None:
            waiting = self._facts[key] = []
        if kind is float and value == value:  # noqa: PLR0124 - not NaN; here since nearly all are such
            waiting.append((key, run, FLOAT, value))
        else:
            encoded = encode_fact(value)
            waiting.append((key, run, *encoded))
            if encoded[0] == BIG:
                self._odd.add(key)

    def _shape_of(self, metrics: tuple[str, ...], params: tuple[str, ...]) -> Shape:
        shape = self._shapes.get((metrics, params))
        if shape is None:
            keys = [f"metrics.{key}" for key in metrics] + [f"params.{key}" for key in params]
            id_ = self._find("shapes", ("metrics", "params"), (json.dumps(metrics), json.dumps(params)))
            shape = self._shapes[metrics, params] = Shape(id_, tuple(map(self._key_of, keys)))
        return shape

    def _key_of(self, name: str) -> int:
        key = self._keys.get(name)
        if key is None:
            key = self._keys[name] = self._find("keys", ("name",), (encode_text(name),))
        return key

    def _find(self, table: str, columns: Sequence[str], values: Sequence[str | bytes]) -> int:
        """The id of a row, which is put in if it is not there."""
        marks = ", ".join("CAST(? AS TEXT)" for _ in columns)
        names = ", ".join(columns)
        self._connection.execute(f"INSERT OR IGNORE INTO {table}({names}) VALUES ({marks})", values)  # noqa: S608
        asked = f"SELECT id FROM {table} WHERE ({names}) = ({marks})"  # noqa: S608
        return int(self._connection.execute(asked, values).fetchone()[0])


def format_annotations(run: Run) -> tuple[Bound, Bound, Bound]:
    """Tags and notes that stand on a run, as JSON, and who removed it."""
    # JSON of ASCII letters: surrogates are escapes.
    tags, notes = (json.dumps(texts) if texts else None for texts in (run.tags, run.notes))
    return tags, notes, find_text(run.removed_by)


def change_annotations(connection: sqlite3.Connection, row: int, run: Run) -> None:
    """Write down what stands on a run that is there, by its id."""
    _drop_tags(connection, [row])
    changed = "UPDATE runs SET tags = ?, notes = ?, removed = CAST(? AS TEXT) WHERE id = ?"
    connection.execute(changed, (*format_annotations(run), row))
    connection.executemany(_TAG, [(encode_text(tag), row) for tag in run.tags])


def remove(connection: sqlite3.Connection, rows: Sequence[int]) -> None:
    """Take out runs by their ids."""
    keys: dict[int, list[int]] = {}
    gone = frozenset(rows)
    always = [key for (key,) in connection.execute("SELECT id FROM keys WHERE name IN ('seed', 'duration')")]
    _drop_tags(connection, rows)
    for row in rows:
        [(shape,)] = connection.execute("SELECT shape FROM runs WHERE id = ?", (row,))
        if shape not in keys:
            keys[shape] = [*always, *_keys_of(connection, shape)]
        connection.executemany("DELETE FROM facts WHERE key = ? AND run = ?", [(key, row) for key in keys[shape]])
    unsealed = [one for one in connection.execute("SELECT key, run FROM sealed") if one[1] in gone]
    connection.executemany("DELETE FROM sealed WHERE key = ? AND run = ?", unsealed)
    connection.executemany("DELETE FROM runs WHERE id = ?", [(row,) for row in rows])


def _keys_of(connection: sqlite3.Connection, shape: int) -> list[int]:
    [lists] = connection.execute("SELECT metrics, params FROM shapes WHERE id = ?", (shape,))
    names = [
        f"{area}.{key}" for area, keys in zip(("metrics", "params"), lists, strict=True) for key in json.loads(keys)
    ]
    asked = "SELECT id FROM keys WHERE name = CAST(? AS TEXT)"
    return [connection.execute(asked, (encode_text(name),)).fetchone()[0] for name in names]


def _drop_tags(connection: sqlite3.Connection, rows: Sequence[int]) -> None:
    for row in rows:
        [(tags,)] = connection.execute("SELECT tags FROM runs WHERE id = ?", (row,))
        gone = [(encode_text(tag), row) for tag in json.loads(tags or "[]")]
        connection.executemany("DELETE FROM tags WHERE tag = CAST(? AS TEXT) AND run = ?", gone)


def _next_id(connection: sqlite3.Connection) -> int:
    found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'runs'").fetchone()
    return (found[0] if found else 0) + 1
