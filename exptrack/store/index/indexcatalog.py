"""The Catalog that the index is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, TypeVar

from exptrack.backends.git.repository import Repository
from exptrack.model.run import BrokenRun
from exptrack.store.catalog import (
    LOST,
    Asked,
    Listed,
    Unanswered,
    asks_keys,
    format_month,
    is_first_few,
    month_of,
    name_broken,
)
from exptrack.store.index.indexrows import IndexRows, Place
from exptrack.store.index.selecting import choose, fetch
from exptrack.store.index.sql import add_functions, encode
from exptrack.store.index.values import decode_time
from exptrack.store.runs import name_of

if TYPE_CHECKING:
    from sqlite3 import Connection

    from exptrack.store.index.file import Opened

_Answer = TypeVar("_Answer")


class IndexCatalog:
    """A Catalog over an index that was just found to stand for the refs of now. Raises Unanswered where only Git can tell."""

    def __init__(self, repository: Repository, opened: Opened) -> None:
        self._repository, self._opened = repository, opened
        self._raised: list[BaseException] | None = None

    @property
    def among(self) -> int:
        return self._opened.among

    def names(self) -> Collection[str]:
        return self._answer(_find_names)

    def sealed(self, keys: Collection[str]) -> Collection[str]:
        return self._answer(lambda connection: [key for key in keys if _is_sealed(connection, key)])

    def select(self, asked: Asked) -> Listed:
        opened = self._opened
        chosen = self._answer(lambda connection: choose(connection, asked))
        if is_first_few(asked) and any(map(_is_filed_early, chosen.refs, chosen.started)):
            raise Unanswered("a run is filed under a month before it started")
        broken = [*opened.broken, *self._find_lost()]
        if asked.since is not None and not asks_keys(asked):
            month = format_month(asked.since)
            broken = [one for one in broken if month_of(one.ref) >= month]
        rows = IndexRows(self._repository, Place(opened.path, opened.seal), chosen)
        return Listed(rows, name_broken(broken, asked, chosen.refs[-1:], len(rows)))

    def tagged(self, tag: str) -> Mapping[str, str]:
        if self._opened.lost:
            raise Unanswered("a note is not in the repository, and may have the tag")
        statement = (
            "SELECT ref, oid FROM runs WHERE id IN (SELECT run FROM tags WHERE tag = CAST(? AS TEXT)) ORDER BY ref"
        )
        return dict(self._answer(lambda connection: fetch(connection, statement, (encode(tag),))))

    def _find_lost(self) -> list[BrokenRun]:
        lost = self._opened.lost
        if not lost:
            return []
        rows = self._answer(lambda connection: fetch(connection, "SELECT ref, oid FROM runs ORDER BY ref"))
        return [BrokenRun(name_of(ref), oid, ref, LOST) for ref, oid in rows if oid in lost]

    def _answer(self, question: Callable[[Connection], _Answer]) -> _Answer:
        from sqlite3 import Error

        connection = self._opened.connection
        try:
            if self._raised is None:
                self._raised = add_functions(connection)
            return question(connection)
        except Error as error:
            if self._raised:
                raise self._raised.pop() from None
            raise Unanswered(f"the index cannot be read: {error}") from error


def _is_filed_early(ref: str, started: int) -> bool:
    """Whether a run lies under a month before it started: nobody who looks for the latest in Git finds it."""
    return month_of(ref) < format_month(decode_time(started))


def _find_names(connection: Connection) -> Collection[str]:
    """A key stays when the last run that had it is gone."""
    statement = "SELECT name FROM keys WHERE EXISTS (SELECT 1 FROM facts WHERE key = keys.id)"
    return {name for (name,) in fetch(connection, statement) if "." in name}


def _is_sealed(connection: Connection, key: str) -> bool:
    statement = """
        SELECT EXISTS (SELECT 1 FROM sealed WHERE key = keys.id) AND NOT EXISTS (
            SELECT 1 FROM facts f WHERE f.key = keys.id AND NOT EXISTS (
                SELECT 1 FROM sealed s WHERE s.key = f.key AND s.run = f.run))
        FROM keys WHERE name = CAST(? AS TEXT)
    """
    rows = fetch(connection, statement, (encode(f"metrics.{key}"),))
    return bool(rows and rows[0][0])
