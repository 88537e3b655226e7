"""Whether objects of the DVC cache are what their names say: DVC trusts those that are read-only, and root may write to any."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from exptrack.backends.dvc.config import find_cache
from exptrack.backends.dvc.folder import read_listing
from exptrack.backends.dvc.state import StatCache, find_digest
from exptrack.model.data import Pointer


def find_spoilt(root: Path, pointers: Sequence[Pointer], known: StatCache) -> Iterator[tuple[Pointer, Path]]:
    """The objects of these pointers that are not what their names say, of each pointer the first. All is read that `known` has not seen."""
    cache = find_cache(root)
    for pointer in pointers:
        digests = [pointer.digest]
        if pointer.is_folder:
            digests = list((read_listing(cache.object(pointer.digest, pointer.algorithm)) or {}).values())
        objects = ((digest, cache.object(digest, pointer.algorithm)) for digest in digests)
        spoilt = next((file for digest, file in objects if _is_other(file, digest, pointer, known)), None)
        if spoilt is not None:
            yield pointer, spoilt


def _is_other(file: Path, digest: str, pointer: Pointer, known: StatCache) -> bool:
    name = str(file)
    try:
        return find_digest(name, os.stat(name), pointer.algorithm, known) != digest  # noqa: PTH116 - there may be 100,000
    except OSError:
        return False
