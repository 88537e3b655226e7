"""Data into the DVC cache, and whether it is there; the work tree is left as it is."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from exptrack.backends.dvc.config import Cache, find_cache
from exptrack.backends.dvc.folder import Keep, dvcignore, encode_listing, read_listing, walk
from exptrack.backends.dvc.objects import is_there, put_bytes, put_file, reading, sweep
from exptrack.backends.dvc.state import StatCache
from exptrack.errors import DataError
from exptrack.model.data import Pointer


def add_to_cache(root: Path, path: Path, top: Path, known: StatCache | None = None) -> Pointer:
    """Copy a file or folder into the cache of the DVC project at `root`; nothing else in the work tree changes.

    The pointer's path is relative to `top`, the root of the repository (all three absolute); its size is in bytes, and `files` counts
    a folder's files. `.dvcignore` counts, links to files are followed, links to folders inside a folder are left out, as DVC does.
    `known` saves the reading of files that are in the cache already. Raises DataError for what DVC could not hold (outside of `root`,
    a broken link, a socket), for what cannot be read, and for a cache that cannot be written.
    """
    path = Path(os.path.normpath(path.absolute()))
    relative = _relative(path, root, top)
    cache = find_cache(root)
    with reading(path):
        status = path.stat()
    keep = dvcignore(root, path)
    is_folder = stat.S_ISDIR(status.st_mode)
    both = ([path.name], []) if is_folder else ([], [path.name])
    if keep is not None and keep(str(path.parent), *both) != both:
        raise DataError(f"{relative} is ignored by .dvcignore; change the pattern or choose another path")
    sweep(cache)
    if is_folder:
        return _add_folder(cache, path, relative, keep, known)
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{relative} is no regular file, and DVC cannot hold it; choose another path")
    digest, size = put_file(cache, str(path), status, known)
    return Pointer(relative, digest, size=size)


def _add_folder(cache: Cache, path: Path, relative: str, keep: Keep | None, known: StatCache | None) -> Pointer:
    with reading(path):
        found = dict(walk(str(path), keep))
    for name in found:
        if _utf8(name).rpartition("/")[2] == ".dvcignore":
            raise DataError(f"{relative}/{name} may not lie inside of data; move it to the root of the DVC project")
    put = {name: put_file(cache, f"{path}/{name}", status, known) for name, status in found.items()}
    content, digest = encode_listing({name: entry[0] for name, entry in put.items()})
    put_bytes(cache, content, digest, path)
    return Pointer(relative, digest, size=sum(size for _, size in put.values()), files=len(put))


def _relative(path: Path, root: Path, top: Path) -> str:
    if path == root or not path.is_relative_to(root) or not path.is_relative_to(top):
        raise DataError(f"{path} is not inside of the DVC project at {root}; choose a path below it")
    for parent in path.parents:
        if parent == root:
            break
        if parent.is_symlink():
            raise DataError(f"{path} lies behind the link {parent}, which DVC does not follow; give the real path")
    return _utf8(path.relative_to(top).as_posix())


def _utf8(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(f"the name {name!r} is not UTF-8, and DVC cannot hold it; rename it") from None
    return name


def has_in_cache(root: Path, pointers: Sequence[Pointer]) -> dict[Pointer, bool]:
    """Whether the data of each pointer is in the cache of the DVC project at `root`: of a folder, its listing and every file in it."""
    cache = find_cache(root)
    return {pointer: is_cached(cache, pointer) for pointer in pointers}


def is_cached(cache: Cache, pointer: Pointer) -> bool:
    """Whether all of a pointer's data is in the cache."""
    if not pointer.is_folder:
        size = pointer.size if pointer.algorithm == "md5" else None
        return is_there(cache.object(pointer.digest, pointer.algorithm), size)
    listing = read_listing(cache.object(pointer.digest, pointer.algorithm))
    if listing is None:
        return False
    return all(is_there(cache.object(digest, pointer.algorithm), None) for digest in set(listing.values()))
