"""Runs as rows of the tables, put in and taken out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING, NamedTuple

from exptrack.analysis.facts import Facts, list_getters
from exptrack.model.run import Run
from exptrack.model.tree import Value
from exptrack.store.index.schema import FIELDS
from exptrack.store.index.values import (
    ANY,
    BIG,
    Bound,
    encode_fact,
    encode_text,
    encode_time,
    find_kind,
    find_text,
)

if TYPE_CHECKING:
    import sqlite3

_CHUNK = 250_000  # runs and facts that are in memory at once
_TOGETHER = 50  # facts
_FIXED = 6  # columns before the texts
_TEXTS = (*FIELDS, "tags", "notes", "removed")
_RUN = f"""INSERT INTO runs(id, ref, oid, shape, started, ended, {", ".join(_TEXTS)})
VALUES (?, ?, ?, ?, ?, ?{", CAST(? AS TEXT)" * len(_TEXTS)})"""  # noqa: S608 - of our own words
_FACT = "INSERT INTO facts VALUES (?, ?, ?, ?)"
_ODD_FACT = f"INSERT INTO facts VALUES (?1, ?2, ?3, {ANY.format(4)})"  # noqa: S608
_TAG = "INSERT OR IGNORE INTO tags VALUES (CAST(? AS TEXT), ?)"
_SEALED = "INSERT OR IGNORE INTO sealed VALUES (?, ?)"

_GETTERS = list_getters(FIELDS)


class Shape(NamedTuple):
    """The keys of metrics and parameters that some runs have: the id of this row of `shapes`, the ids of the keys, and the runs that wait."""

    id: int
    keys: tuple[int, ...]
    runs: list[int]
    values: list[tuple[Value, ...]]


class Writer:
    """Puts runs into an index, some thousand at once: a table in the order of keys takes them twice as quickly column by column."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._keys: dict[str, int] = {}
        self._shapes: dict[tuple[tuple[str, ...], tuple[str, ...]], Shape] = {}
        self._next = _next_id(connection)
        self._waiting = 0
        self._runs: list[tuple[Bound, ...]] = []
        self._fields: dict[str, tuple[list[int], list[Value]]] = {"seed": ([], []), "duration": ([], [])}
        self._tags: list[tuple[Bound, int]] = []
        self._sealed: list[tuple[int, int]] = []

    def add(self, run: Run) -> None:
        """Put in a run, with the annotations that stand on it; none of its ref may be there."""
        facts, record, number = Facts(run), run.record, self._next
        self._next += 1
        metrics, params = facts.metrics, facts.params
        shape = self._shape_of(tuple(metrics), tuple(params))
        shape.runs.append(number)
        shape.values.append((*metrics.values(), *params.values()))
        for (runs, values), value in zip(self._fields.values(), (record.seed, record.duration), strict=True):
            if value is not None:
                runs.append(number)
                values.append(value)
        ended = None if record.ended is None else encode_time(record.ended)
        fixed = (number, run.ref, run.oid, shape.id, encode_time(record.started), ended)
        self._runs.append((*fixed, *[get(run) for get in _GETTERS], *format_annotations(run)))  # type: ignore[arg-type]
        if run.annotations:
            self._tags += [(encode_text(tag), number) for tag in run.tags]
        self._sealed += [(self._key_of(f"metrics.{key}"), number) for key in record.sealed]
        self._waiting += 1 + len(shape.keys)
        if self._waiting >= _CHUNK:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        rows = self._runs
        if not "".join([text for row in rows for text in row[_FIXED:] if text]).isascii():  # type: ignore[misc]
            rows = [(*row[:_FIXED], *map(find_text, row[_FIXED:])) for row in rows]  # type: ignore[arg-type]
        self._connection.executemany(_RUN, rows)
        for key, (runs, values) in sorted(self._take_facts().items()):
            self._write(key, runs, values)
        self._connection.executemany(_TAG, self._tags)
        self._connection.executemany(_SEALED, self._sealed)
        for waiting in (self._runs, self._tags, self._sealed):
            waiting.clear()
        self._waiting = 0

    def _take_facts(self) -> dict[int, tuple[list[int], list[Value]]]:
        """What waits, by the ids of keys."""
        taken: dict[int, tuple[list[int], list[Value]]] = {}
        for shape in self._shapes.values():
            for key, values in zip(shape.keys, zip(*shape.values, strict=True), strict=False):
                column = taken.setdefault(key, ([], []))
                column[0].extend(shape.runs)
                column[1].extend(values)
            shape.runs.clear()
            shape.values.clear()
        for name, column in self._fields.items():
            if column[0]:
                taken[self._key_of(name)] = column
            self._fields[name] = [], []
        return taken

    def _write(self, key: int, runs: Sequence[int], values: Sequence[Value]) -> None:
        """Write the facts of one key."""
        kind = find_kind(values)
        if kind is not None:
            self._write_alike((key, kind), runs, values)
            return
        encoded = [(key, run, *encode_fact(value)) for run, value in zip(runs, values, strict=True)]
        self._connection.executemany(_ODD_FACT, encoded)
        if any(fact[2] == BIG for fact in encoded):
            self._connection.execute("UPDATE keys SET odd = 1 WHERE id = ?", (key,))

    def _write_alike(self, alike: tuple[int, int], runs: Sequence[int], values: Sequence[Value]) -> None:
        """Write facts of one key and kind, many by one statement: a million takes 0.6 s so, and 1.0 s one by one."""
        key, kind = alike
        whole = len(runs) // _TOGETHER * _TOGETHER
        if whole:
            statement = f"INSERT INTO facts VALUES {', '.join([f'({key:d}, ?, {kind:d}, ?)'] * _TOGETHER)}"  # noqa: S608 - numbers
            bound = chain.from_iterable(zip(runs[:whole], values[:whole], strict=True))
            self._connection.executemany(statement, zip(*[bound] * (2 * _TOGETHER), strict=True))
        left = zip(repeat(key), runs[whole:], repeat(kind), values[whole:], strict=False)
        self._connection.executemany(_FACT, left)

    def _shape_of(self, metrics: tuple[str, ...], params: tuple[str, ...]) -> Shape:
        shape = self._shapes.get((metrics, params))
        if shape is None:
            names = [f"metrics.{key}" for key in metrics] + [f"params.{key}" for key in params]
            keys = tuple(map(self._key_of, names))
            id_ = self._find("shapes", ("metrics", "params"), (json.dumps(metrics), json.dumps(params)))
            shape = self._shapes[metrics, params] = Shape(id_, keys, [], [])
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


def format_annotations(run: Run) -> tuple[str | None, str | None, str | None]:
    """Tags and notes that stand on a run, as JSON, and who removed it."""
    if not run.annotations:
        return None, None, None
    # JSON of ASCII letters: surrogates are escapes.
    tags, notes = (json.dumps(texts) if texts else None for texts in (run.tags, run.notes))
    return tags, notes, run.removed_by


def change_annotations(connection: sqlite3.Connection, row: int, run: Run) -> None:
    """Write down what stands on a run that is there, by its id."""
    _drop_tags(connection, [row])
    changed = "UPDATE runs SET tags = ?, notes = ?, removed = CAST(? AS TEXT) WHERE id = ?"
    connection.execute(changed, (*map(find_text, format_annotations(run)), row))
    connection.executemany(_TAG, [(encode_text(tag), row) for tag in run.tags])


def remove(connection: sqlite3.Connection, rows: Sequence[int]) -> None:
    """Take out runs by their ids."""
    if not rows:
        return
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
