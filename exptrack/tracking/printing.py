"""What a script prints, by `print`, `logging` or in a traceback, is kept with its run, as `exptrack run` keeps all output of a command.

The streams stay the objects that they are: who holds one, as handlers of `logging` do, is heard, too. What a program or a library in C writes
past Python is not.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from exptrack.store.outputlog import OutputLog


class Printing:
    """Listens to stdout and stderr of this process, not of those that are forked from it, until it is closed."""

    def __init__(self, folder: Path) -> None:
        self._log: OutputLog | None = OutputLog(folder)
        self._lock = threading.RLock()
        self._process = os.getpid()
        streams = {id(stream): stream for stream in (sys.stdout, sys.stderr) if stream is not None}
        self._undo = [_accompany(stream, self.hear) for stream in streams.values()]

    def hear(self, text: object) -> None:
        """Take in what is printed; never raises."""
        if isinstance(text, str) and os.getpid() == self._process:
            with self._lock:
                if self._log is not None:
                    self._log.add(text.encode(errors="replace"))

    def close(self) -> None:
        """Listen no longer."""
        with self._lock:
            log, self._log = self._log, None
        for undo in self._undo:
            undo()
        if log is not None:
            log.close()


def listen(folder: Path) -> Printing | None:
    """Begin to listen, for the run with this journal; None if the disk has no room even for that."""
    with suppress(OSError):
        return Printing(folder)
    return None


def _accompany(stream: TextIO, hear: Callable[[object], None]) -> Callable[[], None]:
    """Have `hear` called after each write; gives what undoes it, if nobody did the same since."""
    before = stream.write

    def write(text: str) -> int:
        count = before(text)
        hear(text)
        return count

    def undo() -> None:
        if vars(stream).get("write") is write:
            stream.write = before  # type: ignore[method-assign]

    try:
        stream.write = write  # type: ignore[method-assign]
    except AttributeError:  # a stream of a kind that nobody can add to
        return lambda: None
    return undo
