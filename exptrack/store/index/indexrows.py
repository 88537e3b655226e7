"""The rows of a selection from the index. Columns are fetched when they are asked for, and whole runs come from Git."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from exptrack.analysis.query import Fact
from exptrack.analysis.rows import RunRows, rank_keys
from exptrack.backends.git.repository import Repository
from exptrack.errors import RecordError
from exptrack.model.run import BrokenRun, Run
from exptrack.store import annotation
from exptrack.store.index import place
from exptrack.store.index.file import reopened
from exptrack.store.index.schema import FIELDS
from exptrack.store.index.selecting import Chosen, fetch, fetch_at, fetch_of
from exptrack.store.index.sql import decode_texts, encode
from exptrack.store.index.values import BOOLEAN, FLOAT, NULL, TEXT, WHOLE, decode_fact, decode_time
from exptrack.store.runs import name_of, read_runs

if TYPE_CHECKING:
    from sqlite3 import Connection

_Found = TypeVar("_Found")
_FEW = 20  # rows
_MANY = 100  # columns
_TOGETHER = ("experiment", "author", "reproduces", "parent", "resumes")
# Nearly all values are as they stand there, and no value is bytes: these are what has to be decoded, behind its kind. To ask for the kind
# of each, and look at it, took half as long again.
_FACTS = f"""
    SELECT run, CASE WHEN kind IN ({NULL}, {WHOLE}, {FLOAT}, {TEXT}) THEN value
        ELSE CAST(kind || coalesce(value, '') AS BLOB) END
    FROM facts WHERE key = ? AND run {{}}
"""  # noqa: S608 - of our own words


class Place(NamedTuple):
    """The index that a selection was made from: where it lies, and the seal that it had."""

    path: Path
    seal: int


class Shape(NamedTuple):
    """The keys of metrics and parameters that so many of the rows have."""

    metrics: tuple[str, ...]
    params: tuple[str, ...]
    number: int


class IndexRows:
    """Rows of runs that were found in the index. It may be gone, or another, when more of them is asked for: then Git is read, which has the same."""

    def __init__(self, repository: Repository, place: Place, chosen: Chosen) -> None:
        self._repository, self._place, self._chosen = repository, place, chosen
        self._columns: dict[str, Sequence[Fact]] = {}
        self._shapes: Sequence[Shape] | None = None
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
        if self._shapes is None:
            self._shapes = self._ask(lambda connection: _count_shapes(connection, self._chosen.ids))
        if self._shapes is None:
            return self._whole.keys(area)
        counts: Counter[tuple[str, ...]] = Counter()
        for shape in self._shapes:
            counts[shape.metrics if area == "metrics" else shape.params] += shape.number
        return rank_keys(counts)

    def varying(self) -> Sequence[str]:
        ids, keys = self._chosen.ids, self.keys("params")

        def find(connection: Connection) -> Sequence[str]:
            return [
                key
                for key, number in keys.items()
                if _varies(connection, f"params.{key}", ids, is_in_all=number == len(ids))
            ]

        found = self._ask(find)
        return self._whole.varying() if found is None else found

    def pick(self, places: Sequence[int]) -> IndexRows:
        picked = IndexRows(self._repository, self._place, self._chosen.pick(places))
        picked._columns = {name: [column[place] for place in places] for name, column in self._columns.items()}
        return picked

    def load(self, start: int, stop: int) -> Sequence[Run]:
        oids, refs = self._chosen.oids[start:stop], self._chosen.refs[start:stop]
        read: dict[str, Run] = {}
        for run in read_runs(self._repository, dict(zip(refs, oids, strict=True))):
            if isinstance(run, BrokenRun):  # it could when it was put into the index
                is_kept = self._ask(lambda _: True)  # and still says that it can
                how = "run this again" if not is_kept or place.unseal(self._place.path) else "set EXPTRACK_NO_INDEX=1"
                raise RecordError(f"the run {run.name} cannot be read: {run.reason}; {how}, and the others are listed")
            read[run.ref] = run
        listed = [read[ref] for ref in refs]
        texts = self._ask(lambda connection: _read_notes(connection, oids))
        if texts is None:
            return annotation.annotate(self._repository, listed, set())
        return [run._replace(annotations=annotation.standing_in(run, texts.get(run.oid) or "")) for run in listed]

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
        if name in _TOGETHER:
            fields = self._ask(lambda connection: _read_together(connection, chosen.ids))
            if fields is not None:
                self._columns |= fields
                return fields[name]
        read = _read_field if name in FIELDS or name == "ended" else _read_facts
        # To open the index once more takes as long as to read a run or two whole.
        are_many = len(self._columns) > _MANY + len(self)
        values = None if are_many else self._ask(lambda connection: read(connection, name, chosen.ids))
        return self._whole.column(name) if values is None else list(map(values.get, chosen.ids))

    def _ask(self, question: Callable[[Connection], _Found]) -> _Found | None:
        """What the index says, None if it is not the one any more that the selection was made from."""
        from sqlite3 import Error

        if self._read is None:
            with suppress(Error, OSError), reopened(*self._place) as connection:
                return None if connection is None else question(connection)
        return None


def _read_together(connection: Connection, ids: Sequence[int]) -> dict[str, Sequence[Fact]]:
    """The columns that a table of runs has where any run has them: one scan instead of five."""
    statement = f"SELECT id, {', '.join(_TOGETHER)} FROM runs WHERE id {{}}"  # noqa: S608 - of our own words
    found = fetch_of(connection, statement, ids, gather=lambda rows: {row[0]: row for row in rows})
    nothing = (None,) * (len(_TOGETHER) + 1)
    rows = [found.get(one, nothing) for one in ids]
    return {name: [row[place] for row in rows] for place, name in enumerate(_TOGETHER, 1)}


def _read_field(connection: Connection, name: str, ids: Sequence[int]) -> Mapping[int, Fact]:
    found = fetch_of(connection, f"SELECT id, {name} FROM runs WHERE id {{}}", ids)  # noqa: S608 - of our own words
    if name == "ended":
        return {run: None if moment is None else decode_time(moment) for run, moment in found.items()}
    return found


def _read_facts(connection: Connection, name: str, ids: Sequence[int]) -> Mapping[int, Fact]:
    """The facts of a name by the numbers of runs."""
    key = _find_key(connection, name)
    return {} if key is None else fetch_of(connection, _FACTS, ids, (key,), _decode)


def _decode(rows: Iterable[tuple[int, Any]]) -> dict[int, Fact]:
    found = dict(rows)
    if bytes in {*map(type, found.values())}:
        found = {run: _decode_odd(value) if type(value) is bytes else value for run, value in found.items()}
    return found


def _decode_odd(data: bytes) -> Fact:
    kind, value = data[0] - ord("0"), data[1:].decode()
    return decode_fact(kind, int(value) if kind == BOOLEAN else value)


def _find_key(connection: Connection, name: str) -> int | None:
    rows = fetch(connection, "SELECT id FROM keys WHERE name = CAST(? AS TEXT)", (encode(name),))
    return rows[0][0] if rows else None


def _count_shapes(connection: Connection, ids: Sequence[int]) -> list[Shape]:
    counts = _count(connection, ids)
    texts = fetch_at(connection, "SELECT id, metrics || '\n' || params FROM shapes WHERE id {}", list(counts))
    found = []
    for shape, number in counts.items():
        metrics, params = map(decode_texts, texts[shape].split("\n"))
        found.append(Shape(metrics, params, number))
    return found


def _count(connection: Connection, ids: Sequence[int]) -> Mapping[int, int]:
    """How many of the runs have each shape."""
    if not ids:
        return {}
    first, last = min(ids), max(ids)
    if last - first < 2 * len(ids) == 2 * len(set(ids)):
        statement = "SELECT shape, count(*) FROM runs WHERE id BETWEEN ? AND ? GROUP BY shape"
        counts: dict[int, int] = dict(fetch(connection, statement, (first, last)))
        if sum(counts.values()) == len(ids):
            return counts
    return Counter(map(fetch_of(connection, "SELECT id, shape FROM runs WHERE id {}", ids).__getitem__, ids))


def _varies(connection: Connection, name: str, ids: Sequence[int], *, is_in_all: bool) -> bool:
    """Whether the values of a parameter are not the same. Most are told apart by the first few rows."""
    key = _find_key(connection, name)
    statement = f"SELECT run, kind, value FROM facts WHERE key = ? AND kind <> {NULL} AND run {{}}"  # noqa: S608
    few = fetch_of(connection, statement, ids[:_FEW], (key,), _pair)
    first = few.get(ids[0])
    if any(few.get(run) != first for run in ids[:_FEW]) or (first is not None and not is_in_all):
        return True
    if len(ids) <= _FEW or _is_one_between(connection, (key, ids[0], min(ids), max(ids))):
        return False
    found = fetch_of(connection, statement, ids, (key,), _pair)
    return any(found.get(run) != first for run in ids)


def _pair(rows: Iterable[tuple[int, int, Any]]) -> dict[int, tuple[int, Any]]:
    """With their kinds, so that 1, 1.0 and true differ."""
    return {run: (kind, value) for run, kind, value in rows}


def _is_one_between(connection: Connection, bound: tuple[int | None, ...]) -> bool:
    """Whether, of a key, no run from one number to another has a value that is not that of a run."""
    one = "(SELECT {} FROM facts WHERE key = ?1 AND run = ?2)"
    statement = f"""SELECT NOT EXISTS (SELECT 1 FROM facts WHERE key = ?1 AND run BETWEEN ?3 AND ?4 AND kind <> {NULL}
        AND NOT (kind IS {one.format("kind")} AND value IS {one.format("value")}))"""  # noqa: S608
    return bool(fetch(connection, statement, bound)[0][0])


def _read_notes(connection: Connection, oids: Sequence[str]) -> Mapping[str, str | None]:
    return fetch_at(connection, "SELECT oid, text FROM annotated WHERE oid {}", list(dict.fromkeys(oids)))
