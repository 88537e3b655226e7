"""What of its files a run may keep, as its recorder wrote it down at the start."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from exptrack.model.settings import SECRET_PATTERNS
from exptrack.model.settings import Limits as CaptureLimits


class Limits(NamedTuple):
    """Bytes of a file in Git, patterns of names that look secret, and whether there is a DVC cache for what is larger."""

    size: int
    secrets: tuple[str, ...]
    has_cache: bool


@lru_cache(maxsize=4)
def find_limits(folder: Path) -> Limits:
    """Those of the run whose journal this is."""
    from exptrack.backends.dvc.project import find_root
    from exptrack.store.start import read_start

    start = read_start(folder)
    if start is None:
        return Limits(CaptureLimits().file_size, SECRET_PATTERNS, has_cache=True)
    top = Path(start.top)
    root = find_root(top, top) or find_root(top / start.record.project, top)
    return Limits(start.limits.file_size, start.secrets, has_cache=root is not None)
