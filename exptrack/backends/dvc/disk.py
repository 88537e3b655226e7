"""Whether the data on disk still is what its pointers say."""

# Paths are strings: of 100,000 files a Path for each takes longer than its stat.
# ruff: noqa: PTH116, PTH118

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from exptrack.backends.dvc.config import Cache
from exptrack.backends.dvc.folder import Keep, dvcignore, encode_listing, read_listing, walk
from exptrack.backends.dvc.project import find_root
from exptrack.backends.dvc.state import StatCache, find_digest
from exptrack.errors import DataError
from exptrack.model.data import Pointer


def look(pointers: Sequence[Pointer], top: Path, cache_dir: Path | None, known: StatCache) -> tuple[Pointer, ...]:
    """The pointers, each with `modified` set: True or False, None if its path is not on disk (below `top`) or cannot be read.

    Content is read only if size and number of files agree with the pointer and `known` has not seen it; saving `known` is the caller's.
    A folder is compared with its listing in `cache_dir` (of the DVC project that the pointers belong to), without one by its digest.
    """
    cache = Cache(cache_dir) if cache_dir is not None else None
    return tuple(pointer._replace(modified=_look_at(pointer, top, cache, known)) for pointer in pointers)


def _look_at(pointer: Pointer, top: Path, cache: Cache | None, known: StatCache) -> bool | None:
    path = os.path.join(top, pointer.path)
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    if not (stat.S_ISDIR if pointer.is_folder else stat.S_ISREG)(status.st_mode):
        return True
    try:
        if not pointer.is_folder:
            return _file_differs(path, status, pointer, cache, known)
        return _folder_differs(path, pointer, cache, known) and not _is_same_without_ignored(
            path, top, pointer, cache, known
        )
    except OSError:
        return None


def _is_same_without_ignored(path: str, top: Path, pointer: Pointer, cache: Cache | None, known: StatCache) -> bool:
    # Asked last, because reading the patterns as DVC does takes 230 ms to import.
    root = find_root(Path(path).parent, top)
    keep = dvcignore(root, Path(path)) if root is not None else None
    return keep is not None and not _folder_differs(path, pointer, cache, known, keep)


def _file_differs(path: str, status: os.stat_result, pointer: Pointer, cache: Cache | None, known: StatCache) -> bool:
    # The size says nothing about hashes of DVC 2, which see line ends of Windows and Unix as the same.
    if pointer.algorithm == "md5" and pointer.size not in {None, status.st_size}:
        return True
    return not _is_content(path, status, pointer.digest, pointer.algorithm, cache, known)


def _is_content(
    path: str, status: os.stat_result, digest: str, algorithm: str, cache: Cache | None, known: StatCache
) -> bool:
    if (found := known.find(path, status, algorithm)) is not None:
        return found == digest
    if cache is not None and _is_link_to(cache.object(digest, algorithm), status):
        return True
    return find_digest(path, status, algorithm, known) == digest


def _is_link_to(file: Path, status: os.stat_result) -> bool:
    # A hard or symbolic link into the cache is the data itself, unless somebody made it writable.
    try:
        return os.path.samestat(status, file.stat()) and not status.st_mode & 0o222
    except OSError:
        return False


def _folder_differs(
    path: str, pointer: Pointer, cache: Cache | None, known: StatCache, keep: Keep | None = None
) -> bool:
    try:
        found = dict(walk(path, keep))
    except (FileNotFoundError, DataError):
        return True  # a broken link, a socket: it cannot be from DVC
    if pointer.files not in {None, len(found)}:
        return True
    if pointer.algorithm == "md5" and pointer.size not in {None, sum(status.st_size for status in found.values())}:
        return True
    listing = read_listing(cache.object(pointer.digest, pointer.algorithm)) if cache is not None else None
    if listing is None:
        digests = {
            name: find_digest(f"{path}/{name}", status, pointer.algorithm, known) for name, status in found.items()
        }
        return encode_listing(digests)[1] != pointer.digest
    if listing.keys() != found.keys():
        return True
    return not all(
        _is_content(f"{path}/{name}", found[name], digest, pointer.algorithm, cache, known)
        for name, digest in listing.items()
    )
