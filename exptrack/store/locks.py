"""Advisory locks on files and folders, which the kernel lets go of whatever kills the process that held them."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TRIES = 100


@contextmanager
def opened(path: Path, mode: int = os.O_RDONLY) -> Iterator[int | None]:
    """A descriptor of a file or folder, to lock it; None if it cannot be opened. Its lock goes when it is closed."""
    try:
        lock = os.open(path, mode | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        yield lock
    finally:
        os.close(lock)


def try_lock(lock: int, kind: int) -> bool:
    """Lock (`LOCK_SH`, `LOCK_EX`), unless another process holds it."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def share(lock: int) -> None:
    """Wait until nobody holds it alone, and hold it together with others; does nothing on a file system that cannot."""
    with suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_SH)


def take(lock: int) -> bool:
    """Hold it alone, unless another process does. Those who hold it for a moment, to ask whether it is free, are waited for."""
    for _ in range(_TRIES):
        if try_lock(lock, fcntl.LOCK_EX):
            return True
        if not try_lock(lock, fcntl.LOCK_SH):
            return False
        fcntl.flock(lock, fcntl.LOCK_UN)
        time.sleep(0.01)
    return False


def lies_at(lock: int, path: Path) -> bool:
    """Whether an open file is still there, not removed (and its lock let go of) since it was opened."""
    try:
        return os.path.samestat(os.fstat(lock), path.stat())
    except OSError:
        return False
