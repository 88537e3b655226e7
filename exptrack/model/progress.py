"""Told how far something is that takes long."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told how far something is that takes long; `cli` draws bars on a terminal, else nothing listens."""

    def begin(self, task: str, total: int | None = None, *, is_bytes: bool = False) -> None:
        """A task begins, and the one before it is over; `total` in bytes if `is_bytes`, None if it is not known."""

    def advance(self, done: int) -> None:
        """So much more of the task is done; may be called by several threads."""

    def end(self) -> None:
        """The last task is over, or failed, so that other things may be printed now; nothing, where none had begun."""


class Silence:
    """A Progress that nobody sees."""

    def begin(self, task: str, total: int | None = None, *, is_bytes: bool = False) -> None: ...

    def advance(self, done: int) -> None: ...

    def end(self) -> None: ...
