"""Where a word of a command line leads: the file that would be executed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def which(word: str, directory: Path, environ: Mapping[str, str]) -> Path | None:
    """The absolute path that executing `word` in `directory` would run, by the PATH of `environ`; None if there is none.

    Symbolic links are kept: a virtual environment's Python is one.
    """
    if "/" in word:
        candidates = [directory / word]
    else:
        candidates = [directory / folder / word for folder in environ.get("PATH", os.defpath).split(os.pathsep)]
    return next((path for path in candidates if is_executable(path)), None) if word else None


def is_executable(path: Path) -> bool:
    """Whether it is a file that this user may execute."""
    try:
        return path.is_file() and os.access(path, os.X_OK)
    except (OSError, ValueError):
        return False
