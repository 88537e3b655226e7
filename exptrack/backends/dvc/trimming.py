"""A folder of data, freed of what does not belong to it."""

# Paths are strings: of 100,000 files a Path for each takes longer than its stat.
# ruff: noqa: PTH106, PTH108

from __future__ import annotations

import os
from pathlib import Path

from exptrack.backends.dvc.config import find_cache
from exptrack.backends.dvc.folder import read_listing
from exptrack.errors import DataError, explain
from exptrack.model.data import Pointer


def trim(root: Path, pointer: Pointer, target: Path) -> bool:
    """Delete what lies in the folder `target` and is not in its listing: files that `.dvcignore` hides from DVC, empty folders.

    False, with nothing done, if the listing is not in the cache of the DVC project at `root`. Raises DataError for what cannot be deleted.
    """
    listing = read_listing(find_cache(root).object(pointer.digest, pointer.algorithm))
    if listing is None:
        return False
    try:
        for folder, _, files in os.walk(target, topdown=False):
            inside = os.path.relpath(folder, target)
            prefix = "" if inside == "." else f"{inside}/"
            for name in files:
                if f"{prefix}{name}" not in listing:
                    os.unlink(f"{folder}/{name}")
            if prefix:
                _remove_if_empty(folder)
    except OSError as error:
        raise DataError(f"{pointer.path} cannot be made what its pointer says: {explain(error)}") from error
    return True


def _remove_if_empty(folder: str) -> None:
    with os.scandir(folder) as entries:
        is_empty = next(entries, None) is None
    if is_empty:
        os.rmdir(folder)
