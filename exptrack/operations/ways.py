"""Where a path of a run leads, once its files are on disk: a symbolic link among them may lead anywhere."""

from __future__ import annotations

import os
from pathlib import Path

from exptrack.analysis.trust import is_inside
from exptrack.errors import DataError


def leads_away(top: Path, path: str) -> bool:
    """Whether what is written at `path` would come to lie outside of the work tree `top`, or in what Git or DVC obeys."""
    parts = path.split("/")[:-1]
    if not any((top / "/".join(parts[: end + 1])).is_symlink() for end in range(len(parts))):
        return False
    root, folder = Path(os.path.realpath(top)), Path(os.path.realpath((top / path).parent))
    if folder == root:
        return False
    return not folder.is_relative_to(root) or not is_inside(folder.relative_to(root).as_posix(), is_data=True)


def check_way(top: Path, path: str) -> None:
    """Raise DataError if a path leads out of the work tree `top` by a symbolic link."""
    if leads_away(top, path):
        raise DataError(f"{path} lies behind a symbolic link that leads elsewhere: nothing is written there")
