"""The stream of a journal: JSON lines, each with its `kind` and `time`, that several processes append to while we read."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from exptrack.model.tree import Value

_CHUNK = 1024 * 1024  # bytes that are parsed at once: a million entries as dictionaries would take 600 MB
_START = b'{"kind":'  # of an entry; within a text its quotes would be escaped


class StreamReader:
    """Reads the stream of a run under way bit by bit: each entry once, in order. Needs no closing.

    `file` is the stream, open: who holds it reads on where the run is recorded meanwhile and its journal gone.
    """

    def __init__(self, folder: Path, file: int | None = None) -> None:
        self._path = folder / "stream"
        self._file = file
        self._offset = 0

    def read(self) -> list[dict[str, Value]]:
        """The entries since the last call. A last line that is not whole yet waits; a stream that is not there has none."""
        return list(self)

    def __iter__(self) -> Iterator[dict[str, Value]]:
        """As `read`, but never holds more than a part of them in memory."""
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC) if self._file is None else os.dup(self._file)
        except FileNotFoundError:
            return
        try:
            size = _CHUNK
            while data := os.pread(file, size, self._offset):
                end = data.rfind(b"\n") + 1
                self._offset += end
                yield from _parse(data[:end])
                if end == 0 and len(data) < size:
                    return
                # A line may be longer than a chunk.
                size = _CHUNK if end else 2 * size
        finally:
            os.close(file)

    def rest(self) -> bytes:
        """What stands after the last whole line."""
        with suppress(FileNotFoundError), self._path.open("rb") as file:
            file.seek(self._offset)
            return file.read()
        return b""


def read_stream(folder: Path) -> Iterator[dict[str, Value]]:
    """The entries so far, in order, each with its `kind` and `time`. A torn line (killed while it was written) is skipped."""
    reader = StreamReader(folder)
    yield from reader
    # The last line of a writer that was killed may lack no more than its end.
    yield from _parse(reader.rest())


def find_command(folder: Path) -> int | None:
    """The process that a run is, or that it has started; None if that is not known."""
    with suppress(OSError), (folder / "stream").open("rb") as lines:
        for line in lines:
            if line.startswith(b'{"kind":"command"'):
                for entry in _parse(line):
                    pid = entry.get("pid")
                    return pid if isinstance(pid, int) else None
    return None


def last_sign(folder: Path, entries: Sequence[Mapping[str, Value]], last: float = 0.0) -> float:
    """When a run ended, or else gave its last sign of life: an entry, or the heartbeat; Unix time in seconds.

    `last` is the time of the last of those entries that are not among these.
    """
    ended = [float(str(entry["time"])) for entry in entries if entry["kind"] == "ended"]
    if ended:
        return ended[-1]
    times = [last, *(float(str(entry["time"])) for entry in entries if entry["kind"] != "concurrent")]
    with suppress(OSError):
        times.append((folder / "lock").stat().st_mtime)
    return max(times, default=0.0)


def _parse(data: bytes) -> Iterator[dict[str, Value]]:
    lines = list(filter(None, data.split(b"\n")))
    try:
        found = json.loads(b"[" + b",".join(lines) + b"]")
    except (ValueError, RecursionError):
        found = None
    if found is None or len(found) != len(lines):  # half lines could come to a whole one together
        found = [entry for line in lines if (entry := _parse_line(line)) is not None]
    for entry in found:
        if _is_entry(entry):
            yield entry


def _parse_line(line: bytes) -> object:
    """The entry of a line; behind one that was torn (or the zeros of a file that a power cut left) the next may stand."""
    for start in (0, line.rfind(_START)):
        with suppress(ValueError, RecursionError):
            return json.loads(line[start:]) if start >= 0 else None
    return None


def _is_entry(entry: object) -> bool:
    if not isinstance(entry, dict):
        return False
    time = entry.get("time")
    return (type(time) is float or type(time) is int) and type(entry.get("kind")) is str and math.isfinite(time)
