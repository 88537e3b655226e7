"""Many things at once, in threads; Ctrl-C and the first error end them all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Final, TypeVar

Item = TypeVar("Item")

_GRACE: Final = (
    2.0  # seconds that threads have to tidy up after Ctrl-C; one that waits for a dead network is left behind
)


class StoppedError(Exception):
    """Another thread failed, or somebody pressed Ctrl-C: what was under way is given up. It is never seen outside."""


class Stop:
    """Whether work in threads is to be given up."""

    def __init__(self) -> None:
        self._event = Event()

    def set(self) -> None:
        self._event.set()

    def check(self) -> None:
        """Raise StoppedError if it is."""
        if self._event.is_set():
            raise StoppedError


class Transfer:
    """One transfer, by fsspec or by ourselves: `hook` is for fsspec's Callback; it tells `advance` the bytes as they go, and ends what is to be given up."""

    def __init__(self, advance: Callable[[int], None], stop: Stop) -> None:
        self._advance, self._stop, self._told = advance, stop, 0

    def hook(self, _size: int | None = None, value: int = 0, **_: object) -> None:
        self._stop.check()
        self.reach(value)

    def add(self, size: int) -> None:
        """So many bytes more are through, of what we copy ourselves."""
        self._stop.check()
        self.reach(self._told + size)

    def reach(self, value: int) -> None:
        """So many bytes are through; file systems that tell nothing on the way are told of at the end."""
        if value > self._told:
            self._advance(value - self._told)
            self._told = value


def for_each(act: Callable[[Item], None], items: Iterable[Item], jobs: int, stop: Stop | None = None) -> None:
    """Call `act` for each item, in at most `jobs` threads; raises the first error.

    After an error or Ctrl-C no more items are begun, and what calls `stop.check()` meanwhile ends. The threads are daemons, and not those
    of a ThreadPoolExecutor, which Python waits for at its end, however long an upload takes.
    """
    stop = stop or Stop()
    waiting: SimpleQueue[Item] = SimpleQueue()
    ends: SimpleQueue[BaseException | None] = SimpleQueue()
    for item in items:
        waiting.put(item)
    threads = [
        Thread(target=_work, args=(act, waiting, ends, stop), daemon=True) for _ in range(min(jobs, waiting.qsize()))
    ]
    try:
        for thread in threads:
            thread.start()
        errors = [error for _ in threads if (error := ends.get()) is not None]
    except BaseException:
        stop.set()
        end = time.monotonic() + _GRACE
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, end - time.monotonic()))
        raise
    if errors:
        raise errors[0]


def _work(
    act: Callable[[Item], None], waiting: SimpleQueue[Item], ends: SimpleQueue[BaseException | None], stop: Stop
) -> None:
    try:
        while (item := _next(waiting)) is not None:
            stop.check()
            act(item)
    except StoppedError:
        ends.put(None)
    except BaseException as error:  # noqa: BLE001 - it is raised by the caller's thread
        stop.set()
        ends.put(error)
    else:
        ends.put(None)


def _next(waiting: SimpleQueue[Item]) -> Item | None:
    try:
        return waiting.get_nowait()
    except Empty:
        return None
