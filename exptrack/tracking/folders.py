"""The files below a folder that is logged."""

from __future__ import annotations

import os
from pathlib import Path

_NEVER = frozenset({".git", ".dvc", ".exptrack"})


def list_files(folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """The regular files below a folder by their path inside of it, and what is left out, with the reason.

    Links are followed if they stay inside.
    """
    top = folder.resolve()
    found: dict[str, Path] = {}
    left: dict[str, str] = {}
    _look(folder, "", (top,), found, left)
    return found, left


def _look(folder: Path, prefix: str, above: tuple[Path, ...], found: dict[str, Path], left: dict[str, str]) -> None:
    """`above` are the real folders that are being looked at, the outermost first."""
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        left[prefix or "."] = str(error.strerror)
        return
    for entry in entries:
        name, path = prefix + entry.name, folder / entry.name
        try:
            real = path.resolve(strict=True) if entry.is_symlink() else None
        except (OSError, RuntimeError):
            left[name] = "a broken link"
            continue
        if entry.name.lower() in _NEVER:
            left[name] = "of Git, DVC or exptrack"
        elif real is not None and not real.is_relative_to(above[0]):
            left[name] = "a link that leaves the folder"
        elif real in above:
            left[name] = "a link to a folder that it lies in"
        elif entry.is_dir():
            _look(path, f"{name}/", (*above, path.resolve()), found, left)
        elif entry.is_file():
            found[name] = path
        else:
            left[name] = "not a regular file"
