"""The user's command: run in the foreground, listened to, and otherwise as if we were not there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

from exptrack.backends.process import command, signals, streams
from exptrack.backends.process.limit import Limit
from exptrack.model.run import Ending

# After the command's end its children may hold its stdout open: this long we wait for what they still have to say (a `tee` at the
# end of a pipe, say). A server in the background is not waited for.
_GRACE = 0.25
_IDLE = 1.0
# How often to look for the command's end where nothing tells us: in a thread on macOS, or on a kernel without pidfd.
_LOOK = 0.02


def run(  # noqa: PLR0913 - what a process starts with, and whom to tell
    argv: Sequence[str],
    *,
    directory: Path,
    environ: Mapping[str, str],
    output: Callable[[bytes], None],
    started: Callable[[int], None] | None = None,
    inherit: tuple[int, ...] = (),
    idle: Callable[[], None] | None = None,
    timeout: float | None = None,
    is_apart: bool = False,
) -> Ending:
    """Run `argv` in `directory` and give how it ended.

    Its output goes live to our own stdout and stderr, byte for byte, and each chunk of either to `output`. Where ours is a terminal,
    it writes to one. `started` gets its process id, `idle` is called about once a second, and the descriptors in `inherit` stay open
    in it. With a controlling terminal it stays in our process group, so that Ctrl-C and Ctrl-Z reach it as always; else it gets
    a group of its own, and signals are passed on to that. We survive those signals ourselves.

    With `is_apart` it runs in a session of its own, without a controlling terminal and with nothing on stdin, so that whoever asks for
    something fails instead of waiting; signals are passed on to its group. After `timeout` seconds it and all that it started get
    SIGTERM, and five seconds later SIGKILL.

    Raises CommandError (126 or 127) if it cannot be executed or found, and ExptrackError if `directory` is not there. What one of
    the callbacks raises is raised when the command has ended.
    """
    with ExitStack() as stack:
        inbox = stack.enter_context(signals.caught())
        terminal = None if is_apart else stack.enter_context(signals.controlling_terminal())
        opened = streams.open_streams()
        for stream in opened:
            stack.callback(stream.close)
        child = command.spawn(
            argv,
            directory=directory,
            environ=environ,
            outputs=(opened[0].theirs, opened[-1].theirs),
            inherit=inherit,
            own_group=terminal is None,
            is_apart=is_apart,
        )
        limit = Limit(child.pid, timeout, leads=terminal is None)
        early = inbox.take()
        for stream in opened:
            stream.hand_over()
        bell = _open_pidfd(child.pid, stack) if inbox.source is None else None
        attendance = _Attendance(child, opened, inbox, bell, terminal, output, idle, limit)
        attendance.begin(early, started)
        while attendance.goes_on():
            attendance.attend()
    if attendance.error is not None:
        raise attendance.error
    return attendance.ending


class _Attendance:
    """What we do while the command runs, and shortly after. `bell` is readable once it has ended, where no SIGCHLD can tell us."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that has to be attended to
        self,
        child: subprocess.Popen[bytes],
        opened: tuple[streams.Stream, ...],
        inbox: signals.Inbox,
        bell: int | None,
        terminal: int | None,
        output: Callable[[bytes], None],
        idle: Callable[[], None] | None,
        limit: Limit,
    ) -> None:
        self.child = child
        self.streams = opened
        self.inbox = inbox
        self.bell = bell
        self.terminal = terminal
        self.output = output
        self.idle = idle
        self.limit = limit
        self.error: Exception | None = None
        self.interrupted = False
        self.next_idle = 0.0
        self.deadline: float | None = None  # until when its children may speak; None while it runs

    @property
    def ending(self) -> Ending:
        code = self.child.returncode
        interrupted = self.interrupted or code == -signal.SIGINT
        exit_code, number = (code, None) if code >= 0 else (None, -code)
        return Ending(exit_code, number, interrupted, self.limit.is_over)

    def begin(self, early: tuple[int, ...], started: Callable[[int], None] | None) -> None:
        for number in early:
            self._receive(number, is_early=True)
        if started is not None:
            self._call(started, self.child.pid)
        # Its SIGCHLD may be among the early ones, and then nothing would wake us.
        if self.child.poll() is not None:
            self.deadline = monotonic() + _GRACE
        self.next_idle = monotonic() + _IDLE

    def goes_on(self) -> bool:
        if self.deadline is None or self.limit.is_at_work or any(stream.pending for stream in self.streams):
            return True
        if all(stream.ended for stream in self.streams):
            return False
        return not self._is_late() or not all(stream.is_complete for stream in self.streams)

    def attend(self) -> None:
        """Wait until something happens, and see to it."""
        has_ended, is_late = self.deadline is not None, self._is_late()
        writing = [stream for stream in self.streams if stream.pending]
        reading = [
            stream
            for stream in self.streams
            if not stream.ended and not stream.pending and not (is_late and stream.is_complete)
        ]
        bells = (self.inbox.source, None if has_ended else self.bell)
        ready = streams.wait(
            [*(stream.source for stream in reading), *(bell for bell in bells if bell is not None)],
            [stream.target for stream in writing if stream.target is not None],
            self._timeout(has_unread=any(not stream.is_complete for stream in reading)),
        )
        for number in self.inbox.take():
            self._receive(number)
        for stream in writing:
            if stream.target in ready:
                stream.write()
        for stream in reading:
            if stream.source in ready:
                chunk = stream.read(is_rest=has_ended)
                if chunk:
                    self._call(self.output, chunk)
            elif has_ended:
                stream.is_complete = True
        has_ended = self.child.poll() is not None
        self.limit.enforce(has_ended=has_ended)
        if has_ended and (self.deadline is None or self.limit.is_at_work):
            self.deadline = monotonic() + _GRACE
        if self.idle is not None and monotonic() >= self.next_idle:
            self._call(self.idle)
            self.next_idle = monotonic() + _IDLE

    def _receive(self, number: int, *, is_early: bool = False) -> None:
        if number in signals.WINDOW:
            resized = [stream.resize() for stream in self.streams]
            if any(resized):
                signals.send(signal.SIGWINCH, self.child.pid, terminal=self.terminal)
        elif number not in signals.PASSED_ON:
            return
        elif self.deadline is None:
            self.interrupted |= number == signal.SIGINT
            # What came before the command was there, the terminal cannot have given to it.
            if is_early or not signals.delivered_by(self.terminal, number):
                signals.send(number, self.child.pid, terminal=self.terminal)
        elif self._is_late():
            # Only a reader of ours that does not read holds us up: whoever sends a signal now is tired of waiting for it.
            for stream in self.streams:
                stream.abandon()

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        try:
            function(*arguments)
        except Exception as error:  # noqa: BLE001 - the user's run goes on, whatever happens to our record of it
            self.error = self.error or error

    def _is_late(self) -> bool:
        return self.deadline is not None and monotonic() >= self.deadline

    def _timeout(self, *, has_unread: bool) -> float | None:
        now = monotonic()
        moments = [] if self.idle is None else [self.next_idle]
        if self.limit.next_look is not None:
            moments.append(self.limit.next_look)
        if self.deadline is None:
            if self.inbox.source is None and self.bell is None:
                moments.append(now + _LOOK)
        elif now < self.deadline or has_unread or not any(stream.pending for stream in self.streams):
            # If it has passed since `goes_on` looked, nothing else might ever wake us.
            moments.append(self.deadline)
        return max(0.0, min(moments) - now) if moments else None


def _open_pidfd(pid: int, stack: ExitStack) -> int | None:
    if sys.platform != "linux":
        return None
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        return None
    stack.callback(os.close, pidfd)
    return pidfd
