"""Marks in a DVC remote by which those who push to it and those who collect garbage in it keep out of each other's way.

`exptrack/pushing-<random>` and `exptrack/collecting-<random>`, beside the objects, hold who it is, in JSON. Both sides write their own
first and look for the other's then, so that of two at the same instant at least one sees the other. A mark is rewritten every minute;
one that was not for ten is of a process that died, by the remote's own clock: that of a mark written just now. Of a process on the same machine it
is known at once. File systems that cannot list (HTTP) have no marks, and nobody collects garbage there. Who may only read a remote leaves
no mark: he brings nothing, and goes on if nobody collects just then.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final, NamedTuple, Self

from exptrack.analysis.secrets import mask
from exptrack.backends.dvc.remote import Remote, said
from exptrack.errors import DataError

_FOLDER: Final = "exptrack"
_PUSHING, _COLLECTING = "pushing", "collecting"
_RENEWED: Final = 60  # seconds from one rewriting of a mark to the next
_DEAD: Final = 600  # seconds without one
_HELD_UP: Final = 300  # seconds after which who collects can no longer be sure that others still see its mark
_TRIES: Final = 5  # of a push that meets somebody who collects, a second apart: who collects may be giving way just now
_LARGEST: Final = 10_000  # bytes of a mark
_TIMES: Final = ("mtime", "created", "LastModified", "last_modified", "updated", "modified", "modifiedTime")


class _Other(NamedTuple):
    """Another's mark: who it is, and whether its process may still live."""

    host: str
    since: str
    is_alive: bool = True


class Claim:
    """The marks of pushes to one remote or several, which stay until this context ends: who pushes runs leaves them until their refs are seen."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._held: list[Mark] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.clear()
        self._stack.close()

    def put(self, remote: Remote) -> DataError | None:
        """Nobody collects garbage in the remote from now on; what is returned says why no mark could be written, if so.

        Raises DataError if somebody collects there.
        """
        if not remote.fs.CAN_TRAVERSE:
            return None
        found = self._stack.enter_context(_pushing(remote))
        if isinstance(found, DataError):
            return found
        self._held.append(found)
        return None

    def check(self) -> None:
        """Raise DataError if one of the marks may be taken for that of a dead process."""
        for mark in self._held:
            mark.check()


@contextmanager
def pushing(remote: Remote) -> Iterator[None]:
    """Nobody collects garbage in the remote meanwhile. Raises DataError if somebody does, or if the remote cannot be written."""
    with Claim() as claim:
        if reason := claim.put(remote):
            raise reason
        yield


@contextmanager
def _pushing(remote: Remote) -> Iterator[Mark | DataError]:
    tries = _TRIES
    while True:
        with _mark(remote, _PUSHING) as mark:
            other = _look(remote) if isinstance(mark, DataError) else mark.find_other(_COLLECTING)
            if other is None:
                yield mark
                return
        tries -= 1
        if not tries:
            raise DataError(
                f"somebody collects garbage in the remote '{remote.name}' ({_name(other)}): try again when that is over"
            )
        time.sleep(1)


def _look(remote: Remote) -> _Other | None:
    """Who collects garbage in a remote that may only be read, as far as one can see."""
    with suppress(DataError):
        return Mark(remote, _PUSHING).find_other(_COLLECTING)
    return None


@contextmanager
def collecting(remote: Remote) -> Iterator[Mark]:
    """Nobody pushes to the remote meanwhile. Call `check` of what it gives before each few deletions.

    Raises DataError if somebody pushes, or also collects garbage, or if the remote cannot be listed or written.
    """
    if not remote.fs.CAN_TRAVERSE:
        raise DataError(f"the remote '{remote.name}' cannot list what it holds, so no garbage can be found there")
    with _mark(remote, _COLLECTING) as mark:
        if isinstance(mark, DataError):
            raise mark
        for kind, verb in ((_PUSHING, "pushes to"), (_COLLECTING, "collects garbage in")):
            if other := mark.find_other(kind):
                raise DataError(
                    f"somebody {verb} the remote '{remote.name}' ({_name(other)}): try again when that is over"
                )
        yield mark


@contextmanager
def _mark(remote: Remote, kind: str) -> Iterator[Mark | DataError]:
    """A mark of ours, or why there is none."""
    own = Mark(remote, kind)
    try:
        own.write()
    except Exception as error:  # noqa: BLE001 - whatever the file system raises
        own.remove()
        yield DataError(
            f"the remote '{remote.name}' cannot be written: {said(error)}; check its url, your credentials and the room there"
        )
        return
    over = Event()
    renewer = Thread(target=own.renew, args=(over,), daemon=True)
    renewer.start()
    try:
        yield own
    finally:
        over.set()
        renewer.join()
        own.remove()


class Mark:
    """Our own mark. `moment` is when it was written, in seconds by the remote's clock, once others were looked for; None if that is not said."""

    moment: float | None = None

    def __init__(self, remote: Remote, kind: str) -> None:
        self._remote = remote
        self._rival = "push to" if kind == _COLLECTING else "collect garbage in"
        self._folder = str(remote.fs.join(remote.path, _FOLDER))
        self._path = str(remote.fs.join(self._folder, f"{kind}-{os.urandom(8).hex()}"))
        import socket  # takes 3 ms, and a push with nothing to do comes by here

        fields = {"host": socket.gethostname(), "since": _now(), "place": _find_place(), "pid": os.getpid()}
        self._content = json.dumps(fields).encode()
        self._written = 0.0

    def write(self) -> None:
        begun = time.time()
        self._remote.fs.makedirs(self._folder, exist_ok=True)
        self._remote.fs.pipe_file(self._path, self._content)
        self._written = begun

    def renew(self, over: Event) -> None:
        """Write it again every minute; what goes wrong is found by `check`."""
        while not over.wait(_RENEWED):
            with suppress(Exception):
                self.write()

    def check(self) -> None:
        """Raise DataError if the mark may be taken for that of a dead process."""
        # By the clock that goes on while the machine sleeps.
        if not 0 <= time.time() - self._written < _HELD_UP:
            raise DataError(
                f"this was held up, and somebody may {self._rival} the remote '{self._remote.name}' by now; do it once more"
            )

    def remove(self) -> None:
        with suppress(Exception):
            self._remote.fs.rm_file(self._path)

    def find_other(self, kind: str) -> _Other | None:
        """The mark of another of this kind that is alive; those of dead processes go on the way. Raises DataError."""
        try:
            marks = dict(self._list())
        except FileNotFoundError:
            marks = {}
        except Exception as error:
            raise DataError(f"the remote '{self._remote.name}' cannot be listed: {said(error)}") from error
        self.moment = now = marks.pop(self._name_of(self._path), None)
        for name, written in marks.items():
            if not name.startswith(f"{kind}-"):
                continue
            if now is None or written is None or now - written < _DEAD:
                other = self._read(name)
                if other.is_alive:
                    return other
            with suppress(Exception):
                self._remote.fs.rm_file(self._remote.fs.join(self._folder, name))
        return None

    def _list(self) -> Iterator[tuple[str, float | None]]:
        inner = self._remote.fs.fs
        if hasattr(inner, "invalidate_cache"):
            inner.invalidate_cache()
        for entry in self._remote.fs.ls(self._folder, detail=True):
            yield self._name_of(str(entry["name"])), written_at(entry)

    def _name_of(self, path: str) -> str:
        return path.rstrip("/").rpartition("/")[2]

    def _read(self, name: str) -> _Other:
        try:
            fields = json.loads(self._remote.fs.cat_file(self._remote.fs.join(self._folder, name))[:_LARGEST])
            is_alive = fields.get("place") != _find_place() or _is_running(fields.get("pid"))
            return _Other(mask(str(fields["host"]))[:100], str(fields["since"])[:40], is_alive)
        except Exception:  # noqa: BLE001 - half written, or gone, or whatever the file system raises: it was there
            return _Other("an unknown host", "")


def _find_place() -> str:
    """What the processes have in common that have pids together: the boot, and the container. Unique, where that is not known."""
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # no Linux
        return os.urandom(8).hex()


def _is_running(pid: object) -> bool:
    if not isinstance(pid, int) or pid <= 0:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _name(mark: _Other) -> str:
    return f"{mark.host}, since {mark.since}" if mark.since else mark.host


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


def written_at(info: Mapping[str, Any]) -> float | None:
    """When a file of a remote was last written, in seconds, from what its file system says of it; None if it does not say."""
    moments = [moment for key in _TIMES if (moment := _moment(info.get(key))) is not None]
    return max(moments, default=None)


def _moment(value: object) -> float | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
