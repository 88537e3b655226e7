"""Data out of the DVC cache, as copies."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from exptrack.backends.dvc.cache import is_cached
from exptrack.backends.dvc.config import Cache, find_cache
from exptrack.backends.dvc.folder import read_listing
from exptrack.backends.dvc.objects import copy, unique
from exptrack.backends.dvc.project import one_line
from exptrack.backends.dvc.state import digest_stream
from exptrack.errors import DataError
from exptrack.model.data import Pointer


def checkout(root: Path, pointer: Pointer, target: Path) -> None:
    """Copy a pointer's data out of the cache of the DVC project at `root` to `target`, which appears as a whole or not at all.

    Raises DataError if `target` exists, if the data is not in the cache, or if what is there is not what the pointer says.
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
            _take_folder(cache, pointer, new)
        else:
            _take_file(cache, pointer, pointer.digest, new)
        new.rename(target)
    except OSError as error:
        raise DataError(f"cannot write {target}: {one_line(error)}") from error
    finally:
        _remove(new)


def _take_folder(cache: Cache, pointer: Pointer, new: Path) -> None:
    new.mkdir()
    for name, digest in (read_listing(cache.object(pointer.digest, pointer.algorithm)) or {}).items():
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        _take_file(cache, pointer, digest, new / name)


def _take_file(cache: Cache, pointer: Pointer, digest: str, new: Path) -> None:
    source = cache.object(digest, pointer.algorithm)
    with source.open("rb") as reader, new.open("xb") as writer:
        found, _ = copy(reader, writer)
        if pointer.algorithm == "md5-dos2unix":
            reader.seek(0)
            found = digest_stream(reader, pointer.algorithm)
    if found != digest:
        raise DataError(f"{source} of {pointer.path} is not what its name says; delete it and fetch it again")


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir():
            import shutil

            shutil.rmtree(path)
        else:
            path.unlink()
