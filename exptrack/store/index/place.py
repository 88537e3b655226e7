"""The file of the index: opened, sealed, and locked for who writes it.

After each change the writer sets the file's time of modification to a second that it has put into the index itself. A file with another
time is damaged, or half written, and is never read. It is opened by SQLite only: to close a descriptor of it would drop SQLite's locks.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from exptrack.store import locks
from exptrack.store.index.schema import VERSION

if TYPE_CHECKING:
    import sqlite3

INDEX = "index.sqlite"
LOCK = "runs.lock"  # not index.lock: git makes that beside an index of its own
_NANOSECONDS = 1_000_000_000
_PATIENCE = 2.0  # seconds
_SEALS = (
    315_532_800,
    1_577_836_800,
)  # seconds: from 1980 to 2020, which every file system can hold, and no clock shows


class Meta(NamedTuple):
    """What an index says of itself: the time that its file must have, and what it stands for."""

    seal: int
    refs: str
    notes: str | None
    replaced: str


class BypassedError(Exception):
    """The index is left alone; says why."""


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open an index to read (`ro`), to write (`rw`), or to make (`rwc`). Raises sqlite3.Error."""
    import sqlite3

    quoted = str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    connection = sqlite3.connect(
        f"file:{quoted}?mode={mode}", timeout=_PATIENCE, isolation_level=None, uri=True, cached_statements=64
    )
    if mode != "ro":
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def begin(path: Path, mode: str = "ro") -> tuple[sqlite3.Connection, Meta] | None:
    """The index in a read transaction, with what it says of itself; None if there is none, or it is damaged, or of another version."""
    import sqlite3

    first, last = _SEALS
    if (stamp := find_stamp(path)) is None or not first <= stamp / _NANOSECONDS <= last:  # noise is not even opened
        return None
    with suppress(sqlite3.Error):
        connection = connect(path, mode)
        with suppress(sqlite3.Error):
            connection.execute("BEGIN")
            if (meta := read_meta(connection, path)) is not None:
                return connection, meta
        connection.close()
    return None


def read_meta(connection: sqlite3.Connection, path: Path) -> Meta | None:
    """What a sealed index says of itself; None if it is not sealed, or of another version. From then on nobody can change it."""
    found = dict(connection.execute("SELECT name, value FROM meta"))
    # Asked for after the transaction has its lock: what was sealed then stays as it is.
    seconds = found.get("seal")
    if found.get("version") != VERSION or type(seconds) is not int or find_stamp(path) != seconds * _NANOSECONDS:
        return None
    return Meta(*map(found.__getitem__, Meta._fields))


def write_meta(connection: sqlite3.Connection, meta: Meta) -> None:
    """Put it into the index."""
    pairs = [("version", VERSION), *zip(Meta._fields, meta, strict=True)]
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", pairs)
    connection.execute("INSERT OR IGNORE INTO seals VALUES (?)", (meta.seal,))


def has_rows_of(connection: sqlite3.Connection, seal: int) -> bool:
    """Whether all rows that were there under a seal still are, under the same numbers; not so after a removal, nor in a backup from before."""
    return connection.execute("SELECT 1 FROM seals WHERE seal = ?", (seal,)).fetchone() is not None


def make_seal() -> int:
    """Seconds since 1970, even (some file systems know no others), by chance."""
    first, last = _SEALS
    return first + int.from_bytes(os.urandom(6), "big") % ((last - first) // 2) * 2


def seal(path: Path, meta: Meta) -> None:
    """Put the seal on a file whose last change is committed."""
    os.utime(path, (meta.seal, meta.seal))


def unseal(path: Path) -> bool:
    """Let the next who opens the index build it anew; False if that is not ours to do."""
    try:
        os.utime(path)
    except OSError:
        return False
    return True


def find_stamp(path: Path) -> int | None:
    """The time of modification, in nanoseconds since 1970; None if there is no file (a pipe would be waited for)."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns if stat.S_ISREG(found.st_mode) else None


def is_ours(path: Path) -> bool:
    """Whether the file can be written in place, and be sealed then, which only its owner may."""
    user = os.geteuid()
    try:
        return user in {0, path.stat().st_uid} and os.access(path, os.W_OK)
    except OSError:
        return False


def check(path: Path) -> None:
    """Raise BypassedError where there is something that no new index could replace."""
    for file in (path, path.with_name(LOCK)):
        if file.is_dir():
            raise BypassedError(f"{file} is a folder: remove it")
    if path.parent.is_file():
        raise BypassedError(f"{path.parent} is no folder: remove it")


@contextmanager
def locked(shared: Path) -> Iterator[None]:
    """Be the only one who writes the index. Raises BypassedError if that cannot be had in two seconds, OSError if not at all."""
    if not shared.exists() and os.geteuid() == 0 and shared.parent.stat().st_uid != 0:
        raise BypassedError(f"root leaves no folder of its own in {shared.parent}")
    shared.mkdir(parents=True, exist_ok=True)
    lock = os.open(shared / LOCK, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)  # another user's may only be read
    try:
        wait_for(lock)
        yield
    finally:
        os.close(lock)


def wait_for(lock: int) -> None:
    """Lock it, within two seconds. Raises BypassedError."""
    end = time.monotonic() + _PATIENCE
    while not locks.try_lock(lock, fcntl.LOCK_EX):
        if time.monotonic() > end:
            raise BypassedError("another process is writing it")
        time.sleep(0.01)
