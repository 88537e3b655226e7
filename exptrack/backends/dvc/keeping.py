"""Whether what lies on disk can be had again from the DVC cache."""

# Paths are strings: of 100,000 files a Path for each takes longer than its stat.
# ruff: noqa: PTH112, PTH114, PTH116

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from exptrack.backends.dvc.config import Cache, find_cache
from exptrack.backends.dvc.folder import encode_listing, read_listing
from exptrack.backends.dvc.objects import is_there
from exptrack.backends.dvc.state import StatCache, find_digest
from exptrack.model.data import Pointer


def find_unkept(root: Path, path: Path, known: StatCache) -> str | None:
    """A file, link or folder at or below `path` that is not in the cache of the DVC project at `root`; None if all of it is.

    Of a folder its listing must be there, too. Saving `known` is the caller's. Raises DataError if DVC's config is broken.
    """
    cache = find_cache(root)
    top = str(path)
    if not _is_folder(top):
        return top if _find_digest(cache, top, known) is None else None
    digests = {}
    for name in _files(top):
        digest = _find_digest(cache, name, known)
        if digest is None:
            return name
        digests[os.path.relpath(name, top)] = digest
    _, listing = encode_listing(digests)
    return None if not digests or is_there(cache.object(listing, "md5"), None) else top


def holds_more(root: Path, pointer: Pointer, path: Path) -> bool:
    """Whether a folder that is as its pointer says holds files besides, which `.dvcignore` leaves out of it."""
    if not pointer.is_folder:
        return False
    listing = read_listing(find_cache(root).object(pointer.digest, pointer.algorithm)) or {}
    return any(os.path.relpath(name, path) not in listing for name in _files(str(path)))


def _find_digest(cache: Cache, name: str, known: StatCache) -> str | None:
    """The digest of a file that is in the cache; None of any other, and of a link that leads elsewhere."""
    try:
        status = os.stat(name)
        if os.path.islink(name) and not Path(name).resolve().is_relative_to(cache.folder.resolve()):
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        digest = find_digest(name, status, "md5", known)
    except OSError:
        return None
    return digest if is_there(cache.object(digest, "md5"), status.st_size) else None


def _files(top: str) -> Iterator[str]:
    """All that is no folder; and the folders that cannot be listed, which may hold anything."""
    refused: list[OSError] = []
    for folder, folders, files in os.walk(top, onerror=refused.append):
        yield from (f"{folder}/{name}" for name in files)
        yield from (f"{folder}/{name}" for name in folders if os.path.islink(f"{folder}/{name}"))
    yield from (str(error.filename) for error in refused)


def _is_folder(name: str) -> bool:
    return os.path.isdir(name) and not os.path.islink(name)
