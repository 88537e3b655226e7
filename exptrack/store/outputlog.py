"""The output of a run under way, on disk as it comes: all of its beginning, and a window that moves along with its end."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from exptrack.analysis.output import Collapser, shorten
from exptrack.backends.descriptors import lift

HALF = 128 * 1024
_WINDOW = 1024 * 1024
_TAIL = "output-tail-"
_NEXT = ".output-tail"


class OutputLog:
    """Takes chunks of terminal output; `add` gives the lines that were completed by the chunk.

    A full disk costs the log, never the command: it is remembered in `failure`, and what was logged before stays.
    """

    def __init__(self, folder: Path) -> None:
        self.failure: OSError | None = None
        self._folder = folder
        self._collapser = Collapser()
        self._settled = 0  # bytes of completed lines so far
        self._begin = 0  # offset of the first byte of the file that is open
        self._file = self._open("output-head")

    def _open(self, name: str) -> int:
        return lift(os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644))

    def add(self, chunk: bytes) -> bytes:
        """Take in a chunk."""
        completed = self._collapser.feed(chunk)
        try:
            self._put(completed, self._collapser.pending)
        except OSError as error:
            self.failure = self.failure or error
        return completed

    @property
    def pending(self) -> bytes:
        """The line that has no end yet."""
        return self._collapser.pending

    def _put(self, completed: bytes, pending: bytes) -> None:
        room = HALF - self._settled
        if self._begin == 0 and len(completed) > room >= 0:
            self._write(completed[:room], b"")
            completed = completed[room:]
            self._move_to_tail(b"")
        self._write(completed, pending)
        if self._begin and self._settled - self._begin > _WINDOW:
            self._move_to_tail(self._last(HALF))
            self._write(b"", pending)

    def _write(self, completed: bytes, pending: bytes) -> None:
        position = self._settled - self._begin
        end = _write_all(self._file, completed + pending, position)
        if end < os.fstat(self._file).st_size:
            os.ftruncate(self._file, end)
        self._settled += len(completed)

    def _last(self, size: int) -> bytes:
        with (self._folder / f"{_TAIL}{self._begin}").open("rb") as file:
            file.seek(self._settled - self._begin - size)
            return file.read(size)

    def _move_to_tail(self, kept: bytes) -> None:
        """Go on in a new file that begins with the bytes `kept`; its name says at which offset of the whole that is."""
        old, begin = self._begin, self._settled - len(kept)
        file = self._open(_NEXT)
        try:
            _write_all(file, kept, 0)
            # Under its name only when all is in it: who reads now, or after a kill, finds the old one or the new one.
            (self._folder / _NEXT).rename(self._folder / f"{_TAIL}{begin}")
        except OSError:
            os.close(file)
            raise
        os.close(self._file)
        self._file, self._begin = file, begin
        if old:
            (self._folder / f"{_TAIL}{old}").unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file; the log stays."""
        with suppress(OSError):
            os.close(self._file)


def _write_all(file: int, data: bytes, position: int) -> int:
    """Write all of `data`, where a disk that is nearly full takes only a part at a time; gives the position after it."""
    while data:
        written = os.pwrite(file, data, position)
        data, position = data[written:], position + written
    return position


def read_output(folder: Path) -> bytes:
    """The log so far: the beginning, how much was left out, and the end; at most 256 KiB and one line."""
    try:
        head = (folder / "output-head").read_bytes()
    except FileNotFoundError:
        return b""
    tails = sorted(int(path.name.removeprefix(_TAIL)) for path in folder.glob(f"{_TAIL}*"))
    if not tails:
        return head
    tail = (folder / f"{_TAIL}{tails[-1]}").read_bytes()
    left_out = tails[-1] - len(head) + max(0, len(tail) - HALF)
    return shorten(head, tail[-HALF:], left_out)
