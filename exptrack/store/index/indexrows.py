"""The rows of a selection from the index. Columns are fetched when they are asked for, and whole runs come from Git."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from exptrack.analysis.codec import decode_annotations
from exptrack.analysis.query import Fact
from exptrack.analysis.rows import RunRows, rank_keys
from exptrack.backends.git.repository import Repository
from exptrack.errors import RecordError
from exptrack.model.run import BrokenRun, Run
from exptrack.store import annotation
from exptrack.store.index.file import reopened
from exptrack.store.index.schema import FIELDS
from exptrack.store.index.selecting import Chosen, fetch, fetch_at, fetch_some
from exptrack.store.index.sql import decode_texts, encode
from exptrack.store.index.values import FLOAT, NULL, TEXT, WHOLE, decode_fact, decode_time
from exptrack.store.runs import name_of, read_runs

if TYPE_CHECKING:
    from sqlite3 import Connection

_Found = TypeVar("_Found")
_PLAIN = f"({NULL}, {WHOLE}, {FLOAT}, {TEXT})"


class Place(NamedTuple):
    """The index that a selection was made from: where it lies, which one it is, and how often it has lost runs since."""

    path: Path
    incarnation: str
    deletions: int


class IndexRows:
    """Rows of runs that were found in the index. It may be gone, or another, when more of them is asked for: then Git is read, which has the same."""

    def __init__(self, repository: Repository, place: Place, chosen: Chosen) -> None:
        self._repository, self._place, self._chosen = repository, place, chosen
        self._columns: dict[str, Sequence[Fact]] = {}
        self._keys: dict[str, Mapping[str, int]] = {}
        self._read: RunRows | None = None

    def __len__(self) -> int:
        return len(self._chosen.ids)

    def column(self, name: str) -> Sequence[Fact]:
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = self._find_column(name)
        return found

    def notes(self) -> Sequence[tuple[str, ...]]:
        return self._chosen.notes

    def refs(self) -> Sequence[str]:
        return self._chosen.refs

    def keys(self, area: str) -> Mapping[str, int]:
        found = self._keys.get(area)
        if found is None:
            found = self._ask(lambda connection: _count_keys(connection, area, self._chosen.ids))
            self._keys[area] = found = self._whole.keys(area) if found is None else found
        return found

    def varying(self) -> Sequence[str]:
        keys = self.keys("params")
        found = self._ask(
            lambda connection: [key for key, number in keys.items() if self._varies(connection, key, number)]
        )
        return self._whole.varying() if found is None else found

    def pick(self, places: Sequence[int]) -> IndexRows:
        picked = IndexRows(self._repository, self._place, self._chosen.pick(places))
        picked._columns = {name: [column[place] for place in places] for name, column in self._columns.items()}
        return picked

    def load(self, start: int, stop: int) -> Sequence[Run]:
        oids, refs = self._chosen.oids[start:stop], self._chosen.refs[start:stop]
        listed = []
        for run in read_runs(self._repository, dict(zip(refs, oids, strict=True))):
            if isinstance(run, BrokenRun):
                raise RecordError(f"the run {run.name} cannot be read: {run.reason}")
            listed.append(run)
        texts = self._ask(lambda connection: _read_notes(connection, oids))
        if texts is None:
            return annotation.annotate(self._repository, listed, set())
        return [
            run._replace(annotations=annotation.standing(run, decode_annotations(texts.get(run.oid) or "")))
            for run in listed
        ]

    @property
    def _whole(self) -> RunRows:
        if self._read is None:
            self._read = RunRows(self.load(0, len(self)))
        return self._read

    def _find_column(self, name: str) -> Sequence[Fact]:
        chosen = self._chosen
        if name == "name":
            return [name_of(ref) for ref in chosen.refs]
        if name == "started":
            return [decode_time(moment) for moment in chosen.started]
        if name == "note":
            return ["\n".join(notes) or None for notes in chosen.notes]
        here: dict[str, Sequence[Fact]] = {
            "commit": chosen.oids,
            "status": chosen.statuses,
            "tag": chosen.tags,
            "removed": chosen.removed,
        }
        if name in here:
            return here[name]
        if name in FIELDS or name == "ended":
            values = self._ask(lambda connection: _read_field(connection, name, chosen.ids))
        else:
            values = self._ask(lambda connection: _read_facts(connection, name, chosen.ids))
        return self._whole.column(name) if values is None else list(map(values.get, chosen.ids))

    def _ask(self, question: Callable[[Connection], _Found]) -> _Found | None:
        """What the index says, None if it is not the one any more that the selection was made from."""
        from sqlite3 import Error

        if self._read is None:
            with suppress(Error, OSError), reopened(*self._place) as connection:
                return None if connection is None else question(connection)
        return None

    def _varies(self, connection: Connection, key: str, number: int) -> bool:
        """Whether the values of a parameter, which so many of the rows have, are not the same. Most are told apart by the first few rows."""
        ids = self._chosen.ids
        few = _read_kinds(connection, f"params.{key}", ids[:_FEW])
        first = few.get(ids[0])
        if any(few.get(one) != first for one in ids[:_FEW]):
            return True
        if len(ids) <= _FEW:
            return False
        if number < len(ids) and first is not None:
            return True
        found = _read_kinds(connection, f"params.{key}", ids)
        return any(found.get(one) != first for one in ids)


_FEW = 20


def _read_field(connection: Connection, name: str, ids: Sequence[int]) -> dict[int, Fact]:
    rows = fetch_some(connection, f"SELECT id, {name} FROM runs WHERE id {{}}", ids)  # noqa: S608 - of our own words
    if name == "ended":
        return {run: None if moment is None else decode_time(moment) for run, moment in rows}
    return dict(rows)


def _read_facts(connection: Connection, name: str, ids: Sequence[int]) -> dict[int, Fact]:
    """The facts of a name by the numbers of runs. What needs no decoding, nearly all, goes straight into a mapping."""
    key = _find_key(connection, name)
    if key is None:
        return {}
    start = "FROM facts WHERE key = ? AND"
    plain = f"SELECT run, value {start} kind IN {_PLAIN} AND run {{}}"
    other = f"SELECT run, kind, value {start} kind NOT IN {_PLAIN} AND run {{}}"
    found: dict[int, Fact] = dict(fetch_some(connection, plain, ids, (key,)))
    for run, kind, value in fetch_some(connection, other, ids, (key,)):
        found[run] = decode_fact(kind, value)
    return found


def _read_kinds(connection: Connection, name: str, ids: Sequence[int]) -> dict[int, tuple[int, object]]:
    """The facts of a name with their kinds, so that 1, 1.0 and true differ, but for null."""
    statement = f"SELECT run, kind, value FROM facts WHERE key = ? AND kind <> {NULL} AND run {{}}"  # noqa: S608
    rows = fetch_some(connection, statement, ids, (_find_key(connection, name),))
    return {run: (kind, value) for run, kind, value in rows}


def _find_key(connection: Connection, name: str) -> int | None:
    rows = fetch(connection, "SELECT id FROM keys WHERE name = CAST(? AS TEXT)", (encode(name),))
    return rows[0][0] if rows else None


def _count_keys(connection: Connection, area: str, ids: Sequence[int]) -> Mapping[str, int]:
    shapes = dict(fetch_some(connection, "SELECT id, shape FROM runs WHERE id {}", ids))
    counts = Counter(map(shapes.__getitem__, ids))
    column = "metrics" if area == "metrics" else "params"
    statement = f"SELECT id, {column} FROM shapes WHERE id {{}}"  # noqa: S608
    texts = fetch_at(connection, statement, list(counts))
    kept: Counter[tuple[str, ...]] = Counter()
    for shape, text in texts:
        kept[decode_texts(text)] += counts[shape]
    return rank_keys(kept)


def _read_notes(connection: Connection, oids: Sequence[str]) -> dict[str, str | None]:
    return dict(fetch_at(connection, "SELECT oid, text FROM annotated WHERE oid {}", list(dict.fromkeys(oids))))
