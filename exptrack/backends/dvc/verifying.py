"""Whether the cache holds what its names say, all of it read; and what a killed DVC has left in the way."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from exptrack.backends.dvc.cache import is_cached
from exptrack.backends.dvc.config import Cache
from exptrack.backends.dvc.folder import read_listing
from exptrack.backends.dvc.remote import quiet
from exptrack.backends.dvc.state import digest_stream
from exptrack.backends.dvc.worktrees import find_caches
from exptrack.model.data import Pointer
from exptrack.model.progress import Progress


class Proof(NamedTuple):
    """How many files of the cache were read, and those that are not what their names say, with the pointers that need them."""

    read: int
    spoilt: dict[Path, tuple[Pointer, ...]]


def find_cached(root: Path, pointers: Sequence[Pointer]) -> dict[Pointer, bool]:
    """Whether the data of each pointer is in the cache of the DVC project at `root`, or in one that it has in another work tree."""
    caches = find_caches(root)
    return {pointer: any(is_cached(cache, pointer) for cache in caches) for pointer in pointers}


def prove(root: Path, pointers: Sequence[Pointer], progress: Progress) -> Proof:
    """Read what the caches of the DVC project at `root` have of the pointers' data, each file once, and compare it with its name.

    Nothing that was remembered is believed: a disk that fails changes no time stamp. Raises DataError if DVC's config is broken.
    """
    users: dict[Path, tuple[str, dict[Pointer, None]]] = {}
    caches = find_caches(root)
    for pointer in pointers:
        for file in (file for cache in caches for file in _files(cache, pointer)):
            users.setdefault(file, (pointer.algorithm, {}))[1][pointer] = None
    sizes = {file: size for file in users if (size := _size(file)) is not None}
    progress.begin("reading the DVC cache", sum(sizes.values()), is_bytes=True)
    spoilt: dict[Path, tuple[Pointer, ...]] = {}
    for file, size in sizes.items():
        algorithm, needed = users[file]
        if not _is_whole(file, algorithm):
            spoilt[file] = tuple(needed)
        progress.advance(size)
    return Proof(len(sizes), spoilt)


def _files(cache: Cache, pointer: Pointer) -> Iterator[Path]:
    top = cache.object(pointer.digest, pointer.algorithm)
    yield top
    if pointer.is_folder:
        for digest in (read_listing(top) or {}).values():
            yield cache.object(digest, pointer.algorithm)


def _size(file: Path) -> int | None:
    try:
        return os.stat(file).st_size  # noqa: PTH116 - there may be 100,000
    except OSError:
        return None


def _is_whole(file: Path, algorithm: str) -> bool:
    try:
        with file.open("rb") as reader:
            return digest_stream(reader, algorithm) == f"{file.parent.name}{file.name}".removesuffix(".dir")
    except FileNotFoundError:
        return True  # collected meanwhile
    except OSError:
        return False


def has_remotes(root: Path, names: Iterable[str | None]) -> bool:
    """Whether the DVC project at `root` has a remote for all of these names, of which None is the default one.

    Where its config is broken that is not known; then the answer is yes, and whoever opens the remote is told why he cannot.
    """
    from dvc.exceptions import DvcException

    from exptrack.backends.dvc.remoteconfig import load_config

    with quiet():
        try:
            config, _ = load_config(root)
        except (DvcException, OSError):
            return True
    there = config["remote"]
    return all((name or config["core"].get("remote") or "").lower() in there for name in names)


def find_stale_locks(root: Path, seconds: float) -> list[Path]:
    """Files in the DVC project at `root`, unchanged for so long, on which DVC would wait for a process that is no more.

    That DVC's own lock is a file that stays says nothing: the kernel lets go of it. Only with `core.hardlink_lock` is the file the lock.
    """
    folder = root / ".dvc" / "tmp"
    found = [folder / "rwlock"] if _is_old(folder / "rwlock", seconds) and _is_torn(folder / "rwlock") else []
    return found + [file for file in (folder / "lock", folder / "rwlock.lock") if _is_abandoned(file)]


def _is_old(file: Path, seconds: float) -> bool:
    try:
        return time.time() - file.stat().st_mtime > seconds
    except OSError:
        return False


def _is_torn(file: Path) -> bool:
    try:
        json.loads(file.read_bytes())
    except ValueError:
        return True
    except OSError:
        pass
    return False


def _is_abandoned(file: Path) -> bool:
    """Whether this is a hard-linked lock, which names its claim: `<path>|<host>|<pid>|<random>`, of a dead process of this host."""
    try:
        claim = file.read_text(errors="replace").split("|")
    except OSError:
        return False
    if len(claim) < 4 or claim[-3] != os.uname().nodename or not claim[-2].isdigit():
        return False
    try:
        os.kill(int(claim[-2]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        pass
    return False
