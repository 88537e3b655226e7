"""Objects of the DVC cache that a command wrote to through a link, where no mode held it off: root may write to anything."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from exptrack.backends.dvc.config import find_cache
from exptrack.backends.dvc.folder import read_listing
from exptrack.backends.dvc.objects import unique
from exptrack.backends.dvc.state import digest_stream
from exptrack.model.data import Pointer

_MODE = 0o444


def mend(root: Path, pointer: Pointer, target: Path) -> tuple[int, int]:
    """Take apart what `target` and the cache of the DVC project at `root` share and is not what the pointer says.

    `target` keeps what the command wrote, as a copy. What was only added to in the cache is taken off again there, and an object that
    cannot be mended so is removed, since DVC would trust it. Gives how many were mended and how many removed; raises OSError.
    """
    cache = find_cache(root)
    names = {"": pointer.digest}
    if pointer.is_folder:
        names = dict(read_listing(cache.object(pointer.digest, pointer.algorithm)) or {})
    objects = {name: cache.object(digest, pointer.algorithm) for name, digest in names.items()}
    spoilt = {
        name: objects[name] for name in _shared(objects, target) if _digest(objects[name], pointer) != names[name]
    }
    whole = _size_of_one(pointer, objects, spoilt)
    mended = 0
    for name, object_ in spoilt.items():
        _part(target / name, object_)
        if whole is not None and _cut(object_, whole, names[name], pointer):
            mended += 1
        else:
            object_.unlink(missing_ok=True)
    return mended, len(spoilt) - mended


def _shared(objects: dict[str, Path], target: Path) -> Iterator[str]:
    for name, object_ in objects.items():
        with suppress(OSError):
            if os.path.samefile(target / name, object_):  # noqa: PTH121 - as Path does it, without a Path
                yield name


def _digest(path: Path, pointer: Pointer) -> str:
    with path.open("rb") as reader:
        return digest_stream(reader, pointer.algorithm)


def _size_of_one(pointer: Pointer, objects: dict[str, Path], spoilt: dict[str, Path]) -> int | None:
    """The size that the only spoilt object had: what the pointer says of all, less what the others have."""
    if pointer.size is None or len(spoilt) != 1:
        return None
    try:
        return pointer.size - sum(path.stat().st_size for name, path in objects.items() if name not in spoilt)
    except OSError:
        return None


def _part(place: Path, object_: Path) -> None:
    """Put a copy where a link to the object was."""
    new = place.with_name(f".{unique()}")
    shutil.copyfile(object_, new)
    new.replace(place)


def _cut(object_: Path, size: int, digest: str, pointer: Pointer) -> bool:
    """Whether the object is what its name says again, once what was added to it is gone."""
    if not 0 <= size < object_.stat().st_size:
        return False
    with object_.open("rb") as reader:
        from hashlib import md5

        if pointer.algorithm != "md5" or md5(reader.read(size), usedforsecurity=False).hexdigest() != digest:
            return False
    with suppress(OSError):
        object_.chmod(_MODE | 0o200)
        os.truncate(object_, size)
        object_.chmod(_MODE)
    return _digest(object_, pointer) == digest
