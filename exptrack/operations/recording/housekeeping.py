"""What keeps a repository fast with many runs, in the background and never in the way."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress

from exptrack.backends.git import maintenance
from exptrack.backends.git.repository import Repository
from exptrack.store import locks
from exptrack.store.runs import RUNS

_LOCK = "tidy.lock"  # held by those who tidy; its time says when the last ones began
_MANY_REFS = 100
_MANY_OBJECTS = 2048  # below the 6,700 at which git would do it, in the way of a user's own command
_PAUSE = 60.0  # seconds; loose objects that cannot be packed must not be tried with every run


def tidy_in_background(repository: Repository) -> None:
    """Pack refs and objects, once a hundred refs of runs or two thousand objects are loose; nobody waits for it, and one does it at a time."""
    if "GIT_OBJECT_DIRECTORY" in os.environ:  # somebody's objects on approval: not ours to move
        return
    with suppress(OSError):
        if not _is_due(repository) or (_count_refs(repository) < _MANY_REFS and _has_begun_lately(repository)):
            return
        with locks.opened(repository.shared / _LOCK, os.O_RDWR | os.O_CREAT) as lock:
            # Others may have begun and ended since.
            if lock is not None and locks.try_lock(lock, fcntl.LOCK_EX) and _is_due(repository):
                os.utime(lock)
                maintenance.start(repository, lock)


def is_tidying(repository: Repository) -> bool:
    """Whether somebody tidies up just now."""
    with locks.opened(repository.shared / _LOCK) as lock:
        return lock is not None and not locks.try_lock(lock, fcntl.LOCK_SH)


def _is_due(repository: Repository) -> bool:
    return _count_refs(repository) >= _MANY_REFS or maintenance.estimate_loose(repository) >= _MANY_OBJECTS


def _count_refs(repository: Repository) -> int:
    """Loose refs of runs, in the folders of all months: packing leaves none of them in any."""
    try:
        months = [month.path for month in os.scandir(repository.common_dir / RUNS) if month.is_dir()]
    except FileNotFoundError:  # a reftable has no loose refs
        return 0
    return sum(1 for month in months for _ in os.scandir(month))


def _has_begun_lately(repository: Repository) -> bool:
    try:
        age = time.time() - (repository.shared / _LOCK).stat().st_mtime
    except FileNotFoundError:
        return False
    return 0 <= age < _PAUSE
