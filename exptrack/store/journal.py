"""The live journal of a run under way: `<git common dir>/exptrack/active/<name>/`.

```
lock          held with flock by the recorder as long as it lives; its time is the heartbeat
command       held with flock by the command too, which inherits it: says whether it outlived its recorder
start.json    what is known before the command starts
stream        everything logged since: JSON lines, append-only, one write an entry
output-head, output-tail-<offset>   the output, its beginning and its end
found-*.json  what was looked at while the command ran
reserve       room for the last entries on a full disk
artifacts/    files that the script logged, each whole; `partial/` those that it is writing just now
```
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from exptrack.errors import ExptrackError, NameTakenError
from exptrack.model.tree import Value
from exptrack.store import locks
from exptrack.store.start import Start, encode_start, read_start
from exptrack.store.stream import StreamReader as StreamReader  # noqa: PLC0414
from exptrack.store.stream import last_sign as last_sign  # noqa: PLC0414
from exptrack.store.stream import read_stream as read_stream  # noqa: PLC0414

ARTIFACTS = "artifacts"
_RESERVE = 64 * 1024
_BATCH = 1000
_FOREIGN_SILENCE = 600.0  # seconds without heartbeat after which a run of another host counts as dead


def folder_of(shared: Path, name: str) -> Path:
    """Where the journal of a run lies."""
    return shared / "active" / name


def list_names(shared: Path) -> list[str]:
    """Names of all journals, of live and dead runs."""
    with suppress(OSError):
        return sorted(entry.name for entry in os.scandir(shared / "active") if not entry.name.startswith("."))
    return []


class Journal:
    """An open journal, whose lock this process holds."""

    def __init__(self, folder: Path, lock: int) -> None:
        self.folder = folder
        self.failure: OSError | None = None
        self.has_started = False
        self._lock = lock
        self._command: int | None = None
        self._stream = os.open(folder / "stream", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._torn = False
        self._closed = threading.Event()
        self._syncer: threading.Thread | None = None

    def append(self, kind: str, /, **entry: Value) -> None:
        """Add an entry with one write. A full disk is remembered in `failure`, never raised: training goes on."""
        try:
            self._write(_format_entry(kind, entry))
        except OSError as error:
            self.failure = self.failure or error

    def extend(self, kind: str, entries: Iterable[Mapping[str, Value]]) -> None:
        """Add many entries, each with its own `time`, some at once. Raises OSError."""
        lines = (_format_entry(kind, entry) for entry in entries)
        while some := b"".join(islice(lines, _BATCH)):
            self._write(some)

    def _write(self, line: bytes) -> None:
        # Half an entry that a full disk has left must not take the next one with it.
        data = b"\n" + line if self._torn else line
        self._torn = True
        written = _write_some(self._stream, data)
        if written < len(data):
            (self.folder / "reserve").unlink(missing_ok=True)
            written += os.write(self._stream, data[written:])
        if written < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._torn = False

    def save(self, name: str, data: bytes) -> None:
        """Write a file of the journal whole or not at all."""
        partial = self.folder / f".{name}.partial"
        partial.write_bytes(data)
        partial.replace(self.folder / name)

    def save_start(self, start: Start) -> None:
        """Write what is known before the command starts, and take hold of some room on the disk for its end."""
        self.save("start.json", encode_start(start))
        (self.folder / "reserve").write_bytes(b"\0" * _RESERVE)

    def mark_started(self) -> None:
        """From now on the command may have run: what happens next is kept. Raises OSError if even that cannot be written down."""
        self.append("starting")
        if self.failure is not None:
            raise self.failure
        self.has_started = True

    def lock_command(self) -> int:
        """A locked descriptor for the command to inherit."""
        self._command = os.open(self.folder / "command", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(self._command, fcntl.LOCK_EX)
        return self._command

    def start_syncing(self) -> None:
        """From now on a thread puts the stream on the disk and renews the heartbeat each second."""
        self._syncer = threading.Thread(target=self._sync, name="exptrack-journal", daemon=True)
        self._syncer.start()

    def _sync(self) -> None:
        synced = -1
        while not self._closed.wait(1.0):
            with suppress(OSError):
                size = os.fstat(self._stream).st_size  # the script writes to it, too
                if size != synced:
                    os.fsync(self._stream)
                    synced = size
                os.utime(self._lock)

    def stop_syncing(self) -> None:
        """End the thread."""
        self._closed.set()
        if self._syncer is not None:
            self._syncer.join()

    def close(self) -> None:
        """Let go of the lock. The folder stays."""
        self._closed.set()
        for descriptor in (self._stream, self._lock, self._command):
            if descriptor is not None:
                os.close(descriptor)

    def remove(self) -> None:
        """Delete the folder: the run is recorded, or never began. Renamed first, so that no half of it is ever taken for a run."""
        gone = self.folder.with_name(f".{self.folder.name}.{os.urandom(4).hex()}.gone")
        with suppress(OSError):
            self.folder.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)


def _format_entry(kind: str, entry: Mapping[str, Value]) -> bytes:
    return json.dumps({"kind": kind, "time": time.time(), **entry}, separators=(",", ":")).encode() + b"\n"


def _write_some(file: int, data: bytes) -> int:
    try:
        return os.write(file, data)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        return 0


def claim(shared: Path, name: str) -> Journal:
    """Make the journal of a new run, locked before anyone can see it; raises NameTakenError if a run of that name is under way."""
    active = shared / "active"
    hidden = active / f".{name}.{os.urandom(4).hex()}.new"
    try:
        active.mkdir(parents=True, exist_ok=True)
        with locks.opened(active) as door:
            if door is not None:
                locks.share(door)
            lock = _make(hidden)
            try:
                hidden.rename(active / name)
            except OSError:
                os.close(lock)
                raise
    except OSError as error:
        shutil.rmtree(hidden, ignore_errors=True)
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST} and (active / name).exists():
            raise NameTakenError(
                f"a run named '{name}' is under way or waits for `exptrack recover`: choose another name"
            ) from error
        raise ExptrackError(f"cannot write below {active}: {error.strerror}; nothing was started") from error
    return Journal(active / name, lock)


def _make(folder: Path) -> int:
    """Make a journal's folder with all that an open one needs, so that a full disk is met here; gives its lock, which is held."""
    folder.mkdir()
    (folder / "stream").touch()
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.write(lock, json.dumps({"host": os.uname().nodename, "pid": os.getpid()}).encode())
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError:
        os.close(lock)
        raise
    return lock


def sweep(shared: Path) -> None:
    """Delete what is left of processes that were killed while they made a journal, or removed one."""
    active = shared / "active"
    with locks.opened(active) as door:
        # Whoever makes a journal just now holds the door.
        if door is None or not locks.try_lock(door, fcntl.LOCK_EX):
            return
        for entry in list(os.scandir(active)):
            if entry.name.startswith("."):
                shutil.rmtree(entry.path, ignore_errors=True)


@contextmanager
def seize(shared: Path, name: str, *, force: bool = False) -> Iterator[Journal | None]:
    """Open the journal of a dead run and hold its lock meanwhile; None if the run lives (or another process recovers it)."""
    folder = folder_of(shared, name)
    with locks.opened(folder / "lock", os.O_RDWR) as lock:
        if lock is None or not _is_ours_to_seize(lock, folder, force=force):
            yield None
            return
        journal = Journal(folder, os.dup(lock))
        try:
            yield journal
        finally:
            journal.close()


def _is_ours_to_seize(lock: int, folder: Path, *, force: bool) -> bool:
    return locks.take(lock) and locks.lies_at(lock, folder / "lock") and (force or not _is_foreign(lock))


def is_alive(shared: Path, name: str) -> bool:
    """Whether the recorder of this run lives. Asks the lock, not a pid: those mean nothing in a container or on another host."""
    with locks.opened(folder_of(shared, name) / "lock") as lock:
        return _is_held(lock) if lock is not None else (folder_of(shared, name) / "lock").exists()


def is_dead(shared: Path, name: str) -> bool:
    """Whether there is a journal whose recorder has died. A run that is recorded while we look is neither alive nor dead."""
    path = folder_of(shared, name) / "lock"
    with locks.opened(path) as lock:
        if lock is None:  # of a folder without a lock the owner died; one that we may not open tells us nothing
            return path.parent.exists() and not path.exists()
        return not _is_held(lock) and locks.lies_at(lock, path)


def is_command_running(shared: Path, name: str) -> bool:
    """Whether the command of this run, or a process that it left behind, is still there (or its recorder is)."""
    with locks.opened(folder_of(shared, name) / "command") as lock:
        return lock is not None and not locks.try_lock(lock, fcntl.LOCK_SH)


def is_foreign(shared: Path, name: str) -> bool:
    """Whether the run was started on another host."""
    with locks.opened(folder_of(shared, name) / "lock") as lock:
        return lock is not None and _is_foreign(lock)


def _is_held(lock: int) -> bool:
    if not locks.try_lock(lock, fcntl.LOCK_SH):
        return True
    return _is_foreign(lock) and time.time() - os.fstat(lock).st_mtime < _FOREIGN_SILENCE


def _is_foreign(lock: int) -> bool:
    return _owner(lock).get("host") != os.uname().nodename


def _owner(lock: int) -> dict[str, object]:
    try:
        owner = json.loads(os.pread(lock, 4096, 0))
    except ValueError:
        return {}
    return owner if isinstance(owner, dict) else {}


def append_elsewhere(shared: Path, run: str, kind: str, /, **entry: Value) -> None:
    """Add an entry to the journal of another run, if it is still there."""
    with suppress(OSError):
        stream = os.open(folder_of(shared, run) / "stream", os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            os.write(stream, b"\n" + _format_entry(kind, entry))  # a line of its own, whatever the last one came to
        finally:
            os.close(stream)


def list_ancestors(shared: Path, parent: str | None) -> list[str]:
    """A run's parent, its parent, and so on, as far as they are under way."""
    found: list[str] = []
    while parent is not None and parent not in found:
        found.append(parent)
        start = read_start(folder_of(shared, parent))
        parent = start.record.links.parent if start else None
    return found
