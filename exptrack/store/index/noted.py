"""Annotations in the index: what the notes of the repository say, each read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exptrack.backends.git.notes import list_notes
from exptrack.backends.git.objects import read_many
from exptrack.backends.git.repository import Repository
from exptrack.model.run import Run
from exptrack.store.annotation import NOTES, standing_in
from exptrack.store.index.values import decode_text, encode_text

if TYPE_CHECKING:
    import sqlite3

_PUT = "INSERT OR REPLACE INTO annotated VALUES (?, ?, CAST(? AS TEXT))"
_LOST = "SELECT oid, blob FROM annotated WHERE text IS NULL"


def update_notes(connection: sqlite3.Connection, repository: Repository, *, is_moved: bool, is_there: bool) -> set[str]:
    """Bring the notes up to date, and give the oids of the commits on which others stand now.

    Those that were not in the repository are looked for again in any case; that is all, unless the ref of the notes `is_moved`.
    """
    wanted = dict(connection.execute(_LOST))
    changed: set[str] = set()
    if is_moved:
        listed = list_notes(repository, NOTES) if is_there else {}
        known = dict(connection.execute("SELECT oid, blob FROM annotated"))
        gone = known.keys() - listed.keys()
        connection.executemany("DELETE FROM annotated WHERE oid = ?", [(oid,) for oid in gone])
        moved = {oid: blob for oid, blob in listed.items() if known.get(oid) != blob}
        changed = {*gone, *moved}
        wanted = {**{oid: blob for oid, blob in wanted.items() if oid in listed}, **moved}
    for (oid, blob), text in zip(wanted.items(), read_many(repository, list(wanted.values())), strict=True):
        if text is not None:
            changed.add(oid)
        if text is not None or oid in changed:
            connection.execute(_PUT, (oid, blob, text and encode_text(text.decode(errors="surrogateescape"))))
    return changed


def list_annotated(connection: sqlite3.Connection) -> set[str]:
    """The oids of the commits on which something was put."""
    return {oid for (oid,) in connection.execute("SELECT oid FROM annotated")}


def annotate(connection: sqlite3.Connection, run: Run) -> Run:
    """The run with what stands on it."""
    found = connection.execute("SELECT CAST(text AS BLOB) FROM annotated WHERE oid = ?", (run.oid,)).fetchone()
    note = decode_text(found[0]) if found and found[0] else ""
    return run._replace(annotations=standing_in(run, note))


def find_lost(connection: sqlite3.Connection) -> frozenset[str]:
    """The oids of runs whose note is not in the repository."""
    if connection.execute(f"{_LOST} LIMIT 1").fetchone() is None:
        return frozenset()
    found = connection.execute("SELECT oid FROM runs WHERE oid IN (SELECT oid FROM annotated WHERE text IS NULL)")
    return frozenset(oid for (oid,) in found)


def is_found(connection: sqlite3.Connection, repository: Repository) -> bool:
    """Whether a note that was not in the repository is there by now."""
    blobs = [blob for _, blob in connection.execute(_LOST)]
    return any(text is not None for text in read_many(repository, blobs))
