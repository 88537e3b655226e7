"""What differs between two folders of data, from their listings in the DVC cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from exptrack.backends.dvc.config import Cache, find_cache
from exptrack.backends.dvc.folder import read_listing
from exptrack.model.change import Kind
from exptrack.model.data import Pointer
from exptrack.model.difference import DataFile


def compare_folders(root: Path, old: Pointer, new: Pointer) -> tuple[DataFile, ...] | None:
    """The files that differ between two folders, by path; None if a listing is not in the cache of the DVC project at `root`.

    Sizes are those of the files in the cache. Raises DataError if DVC's config is broken.
    """
    cache = find_cache(root)
    before, after = (read_listing(cache.object(one.digest, one.algorithm)) for one in (old, new))
    if before is None or after is None:
        return None
    return tuple(_differing(cache, before, after, old.algorithm, new.algorithm))


def _differing(cache: Cache, before: dict[str, str], after: dict[str, str], old: str, new: str) -> Iterator[DataFile]:
    for path in sorted(before.keys() | after.keys()):
        was, is_ = before.get(path), after.get(path)
        if was == is_ and old == new:
            continue
        kind = Kind.ADDED if was is None else Kind.REMOVED if is_ is None else Kind.CHANGED
        yield DataFile(path, kind, _size(cache, was, old), _size(cache, is_, new))


def _size(cache: Cache, digest: str | None, algorithm: str) -> int | None:
    if digest is None:
        return None
    try:
        return os.stat(cache.object(digest, algorithm)).st_size  # noqa: PTH116 - of 100,000 files a Path each takes longer
    except OSError:
        return None
