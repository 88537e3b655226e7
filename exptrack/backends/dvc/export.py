"""Data out of the DVC cache, as copies."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from exptrack.backends.dvc.cache import is_cached
from exptrack.backends.dvc.config import Cache, find_cache
from exptrack.backends.dvc.folder import read_listing
from exptrack.backends.dvc.objects import clone, copy, unique
from exptrack.backends.dvc.project import one_line
from exptrack.backends.dvc.state import digest_stream
from exptrack.errors import DataError
from exptrack.model.data import Pointer


def bring(root: Path, pointer: Pointer, target: Path, *, is_linked: bool) -> None:
    """As `checkout`, in place of what lies at `target`; if `is_linked`, as the DVC config says (reflink, hardlink, symlink, copy).

    What lies there goes even if the data cannot be had: it is other data.
    """
    _remove(target)
    checkout(root, pointer, target, types=find_cache(root).types if is_linked else ("reflink", "copy"))


def checkout(root: Path, pointer: Pointer, target: Path, *, types: Sequence[str] = ("copy",)) -> None:
    """Take a pointer's data out of the cache of the DVC project at `root` to `target`, which appears as a whole or not at all.

    `types` are ways to do so, of which the first that works is taken; a link shares its content with the cache. Raises DataError if
    `target` exists, if the data is not in the cache, or if what is copied is not what the pointer says.
    """
    if os.path.lexists(target):
        raise DataError(f"{target} exists; remove it, or choose another place")
    cache = find_cache(root)
    if not is_cached(cache, pointer):
        raise DataError(f"the data of {pointer.path} is not in the DVC cache at {cache.folder}; fetch it first")
    new = target.with_name(f".{unique()}")
    try:
        new.parent.mkdir(parents=True, exist_ok=True)
        if pointer.is_folder:
            _take_folder(cache, pointer, new, types)
        else:
            _take_file(cache, pointer, pointer.digest, new, types)
        new.rename(target)
    except OSError as error:
        raise DataError(f"cannot write {target}: {one_line(error)}") from error
    finally:
        _remove(new)


def _take_folder(cache: Cache, pointer: Pointer, new: Path, types: Sequence[str]) -> None:
    new.mkdir()
    for name, digest in (read_listing(cache.object(pointer.digest, pointer.algorithm)) or {}).items():
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        _take_file(cache, pointer, digest, new / name, types)


def _take_file(cache: Cache, pointer: Pointer, digest: str, new: Path, types: Sequence[str]) -> None:
    source = cache.object(digest, pointer.algorithm)
    if any(_link(kind, source, new) for kind in types):
        return
    with source.open("rb") as reader, new.open("xb") as writer:
        found, _ = copy(reader, writer)
        if pointer.algorithm == "md5-dos2unix":
            reader.seek(0)
            found = digest_stream(reader, pointer.algorithm)
    if found != digest:
        raise DataError(f"{source} of {pointer.path} is not what its name says; delete it and fetch it again")


def _link(kind: str, source: Path, new: Path) -> bool:
    """Whether the file could be shared with the cache in this way. A hard link is one only to an object that nobody may write to."""
    try:
        if kind == "reflink":
            return clone(str(source), new)
        if kind == "hardlink" and not source.stat().st_mode & 0o222:
            os.link(source, new)
            return True
        if kind == "symlink":
            new.symlink_to(source)
            return True
    except OSError:
        pass
    return False


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            import shutil

            shutil.rmtree(path)
        else:
            path.unlink()
