"""What the command writes, on its way to our own stdout and stderr."""

from __future__ import annotations

import os
import select
import selectors
import sys
import termios
from collections.abc import Iterable
from contextlib import suppress

STDOUT, STDERR = 1, 2
_CHUNK = 65536
# At most that much can lie in a pipe (Linux' pipe-max-size).
_MOST_IN_A_PIPE = 1 << 20
_NOTHING = memoryview(b"")

# epoll refuses regular files and /dev/null, which stdout often is; poll takes them. On macOS, poll has had its trouble with terminals.
_Selector = selectors.PollSelector if sys.platform == "linux" else selectors.SelectSelector


class Stream:
    """One pipe or pty between the command and our stdout or stderr.

    `source` is our end, `theirs` the command's. `target` is where the bytes go on to, None if nowhere. `pending` was read and is not
    yet written: until it is, nothing more is read, so that the command feels a slow reader as it would without us. It is complete when
    all that the command itself wrote has been read; what comes then is from children that it left behind.
    """

    def __init__(self, source: int, theirs: int, target: int | None, *, is_terminal: bool) -> None:
        self.source = source
        self.theirs = theirs
        self.target = target
        self.is_terminal = is_terminal
        self.pending = _NOTHING
        self.ended = False
        self.is_complete = False
        self.rest = 0

    def read(self, *, is_rest: bool) -> bytes:
        """What is there now; empty if there is nothing, or at the end. `is_rest`: the command has ended already."""
        try:
            chunk = os.read(self.source, _CHUNK)
        except BlockingIOError:
            return b""
        except OSError:  # EIO: Linux's way to say that nobody holds the other end of a pty any more
            chunk = b""
        if not chunk:
            self.stop()
        elif self.target is not None:
            self.pending = memoryview(chunk)
        if is_rest:
            self.rest += len(chunk)
            self.is_complete |= self.rest >= _MOST_IN_A_PIPE
        return chunk

    def write(self) -> None:
        """Write some of what is pending.

        A target that was found writable takes PIPE_BUF bytes without blocking, also if it is not in non-blocking mode (which it
        shares with other processes, so it is not ours to set). What fails for us fails for the command: its end is closed, so that it
        gets SIGPIPE or EIO as without us.
        """
        if self.target is None:
            return
        try:
            done = os.write(self.target, self.pending[: select.PIPE_BUF])
        except BlockingIOError:
            return
        except OSError:
            self.stop()
            self.abandon()
            return
        self.pending = self.pending[done:]

    def abandon(self) -> None:
        """Write no more."""
        self.target = None
        self.pending = _NOTHING

    def stop(self) -> None:
        """Read no more."""
        if not self.ended:
            self.ended = self.is_complete = True
            os.close(self.source)

    def hand_over(self) -> None:
        """Close the command's end on our side: it has its own copy, or will never have one."""
        if self.theirs >= 0:
            os.close(self.theirs)
            self.theirs = -1

    def close(self) -> None:
        self.hand_over()
        self.stop()

    def resize(self) -> bool:
        """Give the pty the size of the terminal's window; True if it had another."""
        if not self.is_terminal or self.ended or self.target is None:
            return False
        with suppress(OSError, termios.error):  # the terminal has hung up
            size = termios.tcgetwinsize(self.target)
            if size != termios.tcgetwinsize(self.source):
                termios.tcsetwinsize(self.source, size)
                return True
        return False


def open_streams() -> tuple[Stream, ...]:
    """A stream for stdout and one for stderr; a single one for both if both are the same terminal, file or pipe, to keep their order."""
    stdout, stderr = _status(STDOUT), _status(STDERR)
    first = _open_stream(STDOUT if stdout else None)
    if stdout and stderr and os.path.samestat(stdout, stderr):
        return (first,)
    try:
        return (first, _open_stream(STDERR if stderr else None))
    except OSError:
        first.close()
        raise


def wait(readers: Iterable[int], writers: Iterable[int], timeout: float | None) -> set[int]:
    """Those of the descriptors that are ready, as soon as one is; none after `timeout` seconds."""
    with _Selector() as selector:
        for descriptor in readers:
            selector.register(descriptor, selectors.EVENT_READ)
        for descriptor in writers:
            selector.register(descriptor, selectors.EVENT_WRITE)
        return {key.fd for key, _ in selector.select(timeout)}


def _status(descriptor: int) -> os.stat_result | None:
    try:
        # If it was closed (`>&-`), a descriptor of our own may have got its number: Python's own are not inheritable.
        return os.fstat(descriptor) if os.get_inheritable(descriptor) else None
    except OSError:
        return None


def _open_stream(target: int | None) -> Stream:
    is_terminal = target is not None and os.isatty(target)
    source = theirs = -1
    if is_terminal:
        try:
            source, theirs = os.openpty()
        except OSError:  # no pty left, or none in this container
            is_terminal = False
    if not is_terminal:
        source, theirs = os.pipe()
    os.set_blocking(source, False)
    stream = Stream(source, theirs, target, is_terminal=is_terminal)
    if is_terminal:
        _make_transparent(theirs)
        stream.resize()
    return stream


def _make_transparent(pty: int) -> None:
    # The terminal itself turns \n into \r\n and echoes what is typed; twice would be wrong.
    attributes = termios.tcgetattr(pty)
    attributes[1] &= ~termios.OPOST
    attributes[3] &= ~(termios.ECHO | termios.ECHONL)
    termios.tcsetattr(pty, termios.TCSANOW, attributes)
