"""The end of a command's time: SIGTERM to it and all that it started, and SIGKILL to what is left of them some seconds later."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

MERCY = 5.0  # seconds from SIGTERM to SIGKILL
_LOOK = 0.05  # seconds between two looks at who is left
_ROUNDS = 100  # who starts processes faster than we stop them is not waited for


class Member(NamedTuple):
    """A process that the command started, or itself; `started` tells it from a later one of the same number."""

    pid: int
    started: str


class _Row(NamedTuple):
    """A living process, as the system lists it."""

    pid: int
    parent: int
    group: int
    session: int
    started: str


class Limit:
    """Ends the command `pid` after `seconds` (None: never). `leads` says that it leads a process group or session of its own.

    Its family is what it started, also through others; and if it leads, whatever is in its group or session. Where it shares our group
    since we have a terminal, who was left by his parents before the time was over is not found.
    """

    def __init__(self, pid: int, seconds: float | None, *, leads: bool) -> None:
        self.pid = pid
        self.leads = leads
        self.is_over = False
        self._next = None if seconds is None else monotonic() + seconds
        self._kill_at = 0.0
        self._family: frozenset[Member] = frozenset()

    @property
    def next_look(self) -> float | None:
        """When `enforce` wants to be called next; a longer time than an hour is no time to sleep for select."""
        return self._next and min(self._next, monotonic() + 3600)

    @property
    def is_at_work(self) -> bool:
        """Whether the time is over and some of the family may be left."""
        return self.is_over and self._next is not None

    def enforce(self, *, has_ended: bool) -> None:
        """Do what is due now; nothing any more if the command `has_ended` in time."""
        now = monotonic()
        if self._next is None or now < self._next:
            return
        if not self.is_over:
            self._next = None
            if has_ended:
                return
            self.is_over = True
            self._kill_at = now + MERCY
            self._family = self._find()
            self._send(signal.SIGTERM)
            self._send(signal.SIGCONT)  # one that is stopped ends, too
        else:
            self._family = self._find()
            if now >= self._kill_at:
                self._freeze()
                self._send(signal.SIGKILL)
        # One that sleeps in the kernel (a lost network drive) may outlive SIGKILL for as long as it likes.
        self._next = now + _LOOK if self._family and now < self._kill_at + MERCY else None

    def send(self, number: int) -> None:
        """Send a signal to all of the family, as Ctrl-C does: to a group at once, and to nobody before the command itself.

        A shell whose command has ended of it would go on with the next one.
        """
        self._family = self._find()
        with suppress(ProcessLookupError, PermissionError):
            (os.killpg if self.leads else os.kill)(self.pid, number)
        self._family = frozenset(one for one in self._family if not self._has_heard(one.pid))
        self._send(number)

    def _has_heard(self, pid: int) -> bool:
        with suppress(ProcessLookupError, PermissionError):
            return pid == self.pid or (self.leads and os.getpgid(pid) == self.pid)
        return False

    def _find(self) -> frozenset[Member]:
        rows = list(_list_processes())
        family = {
            row.pid
            for row in rows
            if (row.pid == self.pid and not self._family)
            or Member(row.pid, row.started) in self._family
            or (self.leads and self.pid in {row.group, row.session})
        }
        while new := {row.pid for row in rows if row.parent in family} - family:
            family |= new
        return frozenset(Member(row.pid, row.started) for row in rows if row.pid in family)

    def _freeze(self) -> None:
        """Stop all of them first, so that none starts another one while we go through the list."""
        for _ in range(_ROUNDS):
            self._send(signal.SIGSTOP)
            before, self._family = self._family, self._find()
            if self._family <= before:
                break

    def _send(self, number: int) -> None:
        for member in self._family:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(member.pid, number)


class Asking:
    """Asks the process `pid` and all that it started to end: first by SIGINT, the next time by SIGTERM, then by SIGKILL."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._signals = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]

    def __call__(self, _reason: str) -> None:
        with suppress(ProcessLookupError):
            Limit(self._pid, None, leads=os.getpgid(self._pid) == self._pid).send(self._signals[0])
        del self._signals[: len(self._signals) > 1]


def _list_processes() -> Iterator[_Row]:
    return _read_proc() if sys.platform == "linux" else _ask_ps()


def _read_proc() -> Iterator[_Row]:
    # Not by ps, which small containers do not have.
    for name in os.listdir("/proc"):  # noqa: PTH208 - a Path for each takes longer than reading it
        if not name.isdigit():
            continue
        try:
            # The second field is the program's name, which may hold anything.
            fields = Path(f"/proc/{name}/stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            continue
        if fields and fields[0] not in {b"Z", b"X"}:
            yield _Row(int(name), int(fields[1]), int(fields[2]), int(fields[3]), fields[19].decode())


def _ask_ps() -> Iterator[_Row]:
    argv = ["ps", "-A", "-o", "pid=,ppid=,pgid=,state=,lstart="]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    for line in done.stdout.decode(errors="replace").splitlines():
        pid, parent, group, state, started = line.split(None, 4)
        if not state.startswith("Z"):
            with suppress(ProcessLookupError, PermissionError):
                yield _Row(int(pid), int(parent), int(group), os.getsid(int(pid)), started)
