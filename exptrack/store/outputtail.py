"""The output of a run under way, read bit by bit while it comes."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_HEAD, _TAIL = "output-head", "output-tail-"
_MOST = 4 * 1024 * 1024  # bytes that are read at once


class _Part(NamedTuple):
    file: int
    begin: int  # offset of its first byte in the whole


class OutputReader:
    """Gives each completed line once. Files that are replaced or removed while we read are held open, and read to their end.

    `newest` is how much of what is there at first is read (None: all that is left of it).
    """

    def __init__(self, folder: Path, newest: int | None = None) -> None:
        self._folder = folder
        self._newest = newest
        self._part: _Part | None = None
        self._at = 0
        self._rest = b""  # of a line whose beginning lies in a file that is finished
        self.pending = b""

    def read(self) -> bytes:
        """The lines that were completed since the last call; what has no end yet is then in `pending`."""
        found = b""
        while (later := self._find_later()) is not None:
            found += self._leave(later)
        if self._part is None:
            return found
        data = self._rest + self._fetch(self._part, None)
        end = data.rfind(b"\n") + 1
        if end:
            self._at += end - len(self._rest)
            self._rest = b""
        self.pending = data[end:]
        return found + data[:end]

    def close(self) -> None:
        """Let go of the file."""
        if self._part is not None:
            os.close(self._part.file)
            self._part = None

    def _find_later(self) -> _Part | None:
        """The next file to read after the one that is open, if there is one."""
        before = -1 if self._part is None else self._part.begin
        for _ in range(3):  # one that was replaced between two looks is looked for again
            begins = sorted(begin for begin in self._list() if begin > before)
            if not begins:
                return None
            # At first from the newest only, if it holds enough; else each after the other.
            begin = begins[-1] if self._part is None and self._newest is not None else begins[0]
            with suppress(OSError):
                name = _HEAD if begin == 0 else f"{_TAIL}{begin}"
                return _Part(os.open(self._folder / name, os.O_RDONLY | os.O_CLOEXEC), begin)
        return None

    def _list(self) -> list[int]:
        names: list[str] = []
        with suppress(OSError):
            names = [path.name for path in self._folder.iterdir()]
        begins = [int(name.removeprefix(_TAIL)) for name in names if name.startswith(_TAIL)]
        return [*([0] if _HEAD in names else []), *begins]

    def _leave(self, later: _Part) -> bytes:
        """Go over to the next file; gives the lines of this one that were not read yet."""
        if self._part is None:
            self._part, self._at = later, later.begin
            size = os.fstat(later.file).st_size
            if self._newest is None or size <= self._newest:
                # Of a window that has moved along, the first line has no beginning.
                return self._skip_line() if later.begin else b""
            self._at = later.begin + size - self._newest
            return self._skip_line()
        data = self._fetch(self._part, later.begin)
        self._at += len(data)
        data = self._rest + data
        os.close(self._part.file)
        self._part = later
        left_out = later.begin - self._at
        if left_out > 0:
            self._at, self._rest = later.begin, b""
            return data + (b"" if data.endswith(b"\n") or not data else b"\n") + _say(left_out) + self._skip_line()
        end = data.rfind(b"\n") + 1
        self._rest = data[end:]
        return data[:end]

    def _skip_line(self) -> bytes:
        """Move on to the beginning of the next line."""
        if self._part is not None:
            end = self._fetch(self._part, None).find(b"\n") + 1
            self._at += end
        return b""

    def _fetch(self, part: _Part, until: int | None) -> bytes:
        size = _MOST if until is None else min(_MOST, max(0, until - self._at))
        with suppress(OSError):
            return os.pread(part.file, size, self._at - part.begin)
        return b""


def _say(left_out: int) -> bytes:
    return f"[… {left_out:,} bytes left out …]\n".encode()
