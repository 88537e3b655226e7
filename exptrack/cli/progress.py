"""Bars on the terminal for what takes long. Where nobody looks, or all is done in a moment, nothing is loaded for them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from typing import TYPE_CHECKING

from exptrack.cli.common import say
from exptrack.model.progress import Progress, Silence

if TYPE_CHECKING:
    from rich.progress import Progress as Display
    from rich.progress import TaskID

_PATIENCE = 0.5  # seconds before anything is drawn


@contextmanager
def watched() -> Iterator[Progress]:
    """A Progress for the time of a block: bars on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        yield Silence()
        return
    bars = Bars()
    try:
        yield bars
    finally:
        bars.end()


@contextmanager
def interruptible(command: str) -> Iterator[None]:
    """On Ctrl-C it is said that the same command goes on from there."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"what came through stays: `exptrack {command}` again goes on from there")
        raise


class Bars:
    """Draws one bar a task. Several threads may tell it of their progress."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._since: float | None = None  # when the first task began, if none has ended since
        self._timer: Timer | None = None
        self._task = ""
        self._total: int | None = None
        self._is_bytes, self._done = False, 0
        self._display: Display | None = None
        self._bar: TaskID | None = None

    def begin(self, task: str, total: int | None = None, *, is_bytes: bool = False) -> None:
        """A task begins, and the one before it is over."""
        with self._lock:
            if self._since is None:
                self._since = time.monotonic()
            self._task, self._total, self._is_bytes, self._done = task, total, is_bytes, 0
            if self._display is not None:
                if self._bar is not None:
                    self._display.remove_task(self._bar)
                self._bar = None
            elif self._timer is None:  # a task that waits for a network may never tell of any progress
                self._timer = Timer(_PATIENCE, self._look)
                self._timer.daemon = True
                self._timer.start()
            self._draw()

    def advance(self, done: int) -> None:
        """So much more of it is done."""
        with self._lock:
            self._done += done
            self._draw()

    def end(self) -> None:
        """Take the bars away, until a task begins."""
        with self._lock:
            self._since = None
            if self._timer is not None:
                self._timer.cancel()
            if self._display is not None:
                self._display.stop()
            self._timer = self._display = self._bar = None

    def _look(self) -> None:
        with self._lock:
            self._draw()

    def _draw(self) -> None:
        if self._since is None:
            return
        if self._display is None:
            if time.monotonic() - self._since < _PATIENCE:
                return
            self._display = _make_display()
            self._display.start()
        said = _say(self._done, self._total, is_bytes=self._is_bytes)
        if self._bar is None:
            self._bar = self._display.add_task(self._task, total=self._total, said=said)
        self._display.update(self._bar, completed=self._done, said=said)


def _make_display() -> Display:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Display

    return Display(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[said]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _say(done: int, total: int | None, *, is_bytes: bool) -> str:
    from exptrack.render.text import format_size

    if total is None and not done:
        return ""
    now, whole = (format_size(done), format_size(total)) if is_bytes else (f"{done:,}", f"{total or 0:,}")
    return now if total is None else f"{now} of {whole}"
