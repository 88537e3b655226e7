"""Signals that come to us while the user's command runs: noted, never lost, and passed on where the terminal did not."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

# What a terminal's keys send to its whole foreground group, and what only a `kill` sends.
KEYS = (signal.SIGINT, signal.SIGQUIT)
PASSED_ON = (*KEYS, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
# The window may have another size after either: it can be resized while the job is stopped.
WINDOW = (signal.SIGWINCH, signal.SIGCONT)


class Inbox(NamedTuple):
    """The signals that came. `source` is readable when there are some; it is None in a thread that may not catch any."""

    source: int | None

    def take(self) -> tuple[int, ...]:
        """The numbers of the signals that came since the last call, in the order in which they came."""
        if self.source is None:
            return ()
        with suppress(BlockingIOError):
            return tuple(os.read(self.source, 4096))
        return ()


@contextmanager
def caught() -> Iterator[Inbox]:
    """Catch what is passed on, the window's signals and SIGCHLD; give the old handlers back afterwards.

    What was ignored when we came stays ignored, for us and for the command: nohup means it. Only SIGCHLD does not, since the kernel
    would throw the exit status away. In a thread that is not the main one nothing is caught.
    """
    if threading.current_thread() is not threading.main_thread():
        yield Inbox(None)
        return
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    # The handlers do nothing: Python writes the number of each signal to `writer` already in the C handler, so that neither a select
    # that is about to sleep nor a busy one misses it.
    outer_writer = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    outer = {}
    try:
        for number in (*PASSED_ON, *WINDOW, signal.SIGCHLD):
            if number == signal.SIGCHLD or signal.getsignal(number) != signal.SIG_IGN:
                outer[number] = signal.signal(number, lambda *_: None)
        yield Inbox(reader)
    finally:
        signal.set_wakeup_fd(outer_writer)
        os.close(reader)
        os.close(writer)
        # SIGINT was the first to come and is the last to go: its old handler may raise at once.
        for number, handler in reversed(outer.items()):
            if handler is not None:
                signal.signal(number, handler)


@contextmanager
def patience(tell: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C inside is answered by `tell` alone, the next one raises KeyboardInterrupt: an impatient user loses nothing."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        yield
        return
    outer = signal.getsignal(signal.SIGINT)

    def first(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        tell()

    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, outer)


@contextmanager
def controlling_terminal() -> Iterator[int | None]:
    """Our controlling terminal, open; None if we have none (CI, cron, a session of its own)."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        yield None
        return
    try:
        yield terminal
    finally:
        os.close(terminal)


def send(number: int, pid: int, *, terminal: int | None) -> None:
    """Send a signal to the command: to its process, or without a terminal to its group, which then is its own."""
    # It may have ended (on macOS a group of zombies gives EPERM), or have become another user's.
    with suppress(ProcessLookupError, PermissionError):
        if terminal is None:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)


def delivered_by(terminal: int | None, number: int) -> bool:
    """Whether the command has this signal from the terminal already, being in the foreground group together with us."""
    if terminal is None or number not in KEYS:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # the terminal has hung up
        return False
