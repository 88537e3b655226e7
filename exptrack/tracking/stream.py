"""The way of what a script logs into the journal: a line an entry, one write a line, and never an error."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from os import write
from pathlib import Path
from time import time
from typing import Any

from exptrack.backends.descriptors import lift
from exptrack.tracking.values import as_number, attempt, describe, finite_only

_ATTEMPTS = 10
_LOOK = 1.0  # seconds
_LONGEST_NAME = 250  # characters; the file of a history is named after its metric


class _Keys(dict[str, str]):
    """Names of metrics as JSON writes them, each made once: half the time of a call went there. Raises ValueError for what is no name."""

    def __missing__(self, name: object) -> str:
        if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME:
            raise ValueError
        text = self[str.__str__(name)] = f"{json.dumps(name)}:"
        return text


class Stream:
    """The journal's stream, opened to append. Threads and forked processes share it: the kernel keeps lines whole.

    What cannot be written, since the disk is full, say, is counted in `lost`, with the reason in `failure`. `warn` is told what cannot be recorded.
    """

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        self.folder = folder
        self.lost = 0
        self.failure: OSError | None = None
        self._file = -1
        self._identity = (-1, -1)
        self._look_at = 0.0
        self._open()
        self._warn = warn
        self._keys = _Keys()
        self._torn = False

    def _open(self) -> None:
        self._file = lift(os.open(self.folder / "stream", os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))
        found = os.fstat(self._file)
        self._identity = found.st_dev, found.st_ino

    def add_metrics(self, values: Mapping[str, object], step: object, epoch: object) -> None:
        """An entry with all these metrics."""
        keys = self._keys
        parts = []
        try:
            for name, value in values.items():
                # What is neither a float nor finite takes the slow way.
                if type(value) is float and type(name) is str and value - value == 0.0:
                    parts.append(f"{keys[name]}{value!r}")
                elif (text := self._format(name, value)) is not None:
                    parts.append(text)
            place = ""
            if step is not None:
                place = f'"step":{step!r},' if type(step) is int else self._format_place("step", step)
            if epoch is not None:
                place += f'"epoch":{epoch!r},' if type(epoch) is int else self._format_place("epoch", epoch)
        except Exception:  # noqa: BLE001 - a name that is none, or an object of the script that raises what it likes
            parts = self._format_each(values)
            place = self._format_place("step", step) + self._format_place("epoch", epoch)
        if parts:
            now = time()
            if now > self._look_at:
                self._look(now)
            # Four decimals of the time take half as long as all of them; histories have three.
            self._put(f'{{"kind":"metrics","time":{now:.4f},{place}"values":{{{",".join(parts)}}}}}\n'.encode())

    def add(self, kind: str, **entry: object) -> None:
        """An entry of any kind, of JSON values."""
        text = json.dumps({"kind": kind, "time": time(), **entry}, separators=(",", ":"))
        lost = self.lost
        self._put(text.encode() + b"\n")
        if kind == "problem":
            self.lost = lost  # it is told in another way that something is lost

    def close(self) -> None:
        """No more is written."""
        self._look(0)
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _look(self, now: float) -> None:
        """Each second: a script may have closed what it did not open, and have another file under this number; a run may be over."""
        self._look_at = now + _LOOK
        if self._file < 0:
            return
        try:
            found = os.fstat(self._file)
            if (found.st_dev, found.st_ino) != self._identity:
                self._open()
            elif not found.st_nlink:
                os.close(self._file)
                self._lose(OSError(errno.ENOENT, "its journal is gone, with the repository or since the run is over"))
        except OSError:
            self._reopen()

    def _reopen(self) -> None:
        self._file = -1
        try:
            self._open()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        self._file = -1
        if self.failure is None:
            self.failure = error
            self._warn(f"what is logged cannot be written down: {error.strerror}; the script goes on")

    def _put(self, line: bytes) -> None:
        # Half a line that a full disk has left must not take the next one with it.
        data = b"\n" + line if self._torn else line
        try:
            written = write(self._file, data)
        except OSError as error:
            self._put_rest(data, error)
        else:
            if written < len(data):
                self._put_rest(data[written:], _full())
            elif self._torn:
                self._torn = False

    def _put_rest(self, rest: bytes, error: OSError) -> None:
        """Once more, if only room was missing: some is kept for this; or if the script has closed the file."""
        if error.errno == errno.EBADF and self._file >= 0:
            self._reopen()
            with suppress(OSError):
                if write(self._file, rest) == len(rest):
                    return
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            try:
                self._torn = True
                (self.folder / "reserve").unlink(missing_ok=True)
                if write(self._file, rest) == len(rest):
                    self._torn = False
                    return
            except OSError as second:
                error = second
        self.lost += 1
        if self.failure is None and self._file >= 0:
            self.failure = error
            self._warn(f"what is logged cannot be written down: {error.strerror}; the script goes on")

    def _format_each(self, values: Any) -> list[str]:
        """As many of the metrics as can be read."""
        for _ in range(_ATTEMPTS):  # another thread may change it just now
            items: list[Any] = attempt(lambda: list(values.items()), otherwise=[])
            if items:
                break
        else:
            self._warn(f"metrics are {describe(values)}: give a mapping from names to numbers")
        parts = []
        for name, value in items:
            try:
                text = self._format(name, value)
            except Exception:  # noqa: BLE001 - as above
                self._warn(f"a metric cannot be named {_clip(name)}: give a text of 1 to {_LONGEST_NAME} characters")
            else:
                parts += [] if text is None else [text]
        return parts

    def _format(self, name: Any, value: object) -> str | None:
        """A metric that is no plain finite float; None, and a warning, if it is no number at all. Raises ValueError for a name that is none."""
        key, number = self._keys[name], as_number(value)
        if isinstance(number, str):
            self._warn(f"metric {_clip(name)} is {number}: give one number; it is left out")
            return None
        return f"{key}{finite_only(number)}"

    def _format_place(self, axis: str, value: object) -> str:
        if value is None:
            return ""
        number = as_number(value)
        if isinstance(number, str) or number - number != 0:
            said = number if isinstance(number, str) else repr(number)
            self._warn(f"a {axis} is {said}: give a finite number; the values are kept without it")
            return ""
        return f'"{axis}":{number!r},'


def _full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _clip(name: object) -> str:
    text = attempt(repr, name, otherwise=describe(name))
    return text if len(text) <= 100 else f"{text[:99]}…"


def open_stream(folder: Path, warn: Callable[[str], None]) -> Stream | None:
    """The stream of this journal; None if it is not there, or cannot be written to."""
    with suppress(OSError):
        return Stream(folder, warn)
    return None
