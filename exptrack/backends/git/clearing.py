"""Empty a work tree of all that a commit does not hold.

`git clean` leaves a repository that was made inside a tracked folder, gives up on folders without rights, and takes files below a link
to a folder for those of the folder.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple


class Listing(NamedTuple):
    """What a commit holds: its files, the folders they lie in, the commit of each submodule, and what decides on the bytes of a checkout."""

    files: frozenset[str]
    folders: frozenset[str]
    submodules: Mapping[str, str]
    key: str

    def holds(self, path: str) -> bool:
        """Whether there is anything of that name."""
        return path in self.files or path in self.folders or path in self.submodules


def clear(top: Path, listing: Listing, keep: frozenset[str], aside: Callable[[str], Path]) -> None:
    """Delete all below `top` that is not in the listing, nor at or below a path in `keep`. Raises OSError.

    A checkout of a submodule goes to the place that `aside` has for it. Links are deleted, never followed.
    """
    kept = {path for path in (path.rstrip("/") for path in keep) if os.path.lexists(top / path)} | {".git"}
    above = {path[:end] for path in kept for end, letter in enumerate(path) if letter == "/"}
    device = top.stat().st_dev
    todo = [("", False)]
    while todo:
        folder, is_kept = todo.pop()
        place = f"{top}/{folder}" if folder else str(top)
        open_folder(place, device)
        with os.scandir(place) as entries:
            found = [(f"{folder}{entry.name}", entry.is_dir(follow_symlinks=False)) for entry in entries]
        for path, is_folder in found:
            if (path in listing.folders) if is_folder else (path in listing.files):
                if is_folder:
                    todo.append((f"{path}/", is_kept or path in kept))
            elif is_folder and path in listing.submodules:
                _put_aside(top / path, aside(path))
            elif (is_kept or path in kept) and not listing.holds(path):
                continue
            elif is_folder and path in above and not listing.holds(path):
                todo.append((f"{path}/", False))
            else:
                remove(top / path)


def _put_aside(folder: Path, place: Path) -> None:
    if not (folder / ".git").exists():
        remove(folder)
        return
    try:
        place.parent.mkdir(exist_ok=True)
        remove(place)
        open_folder(str(folder), folder.parent.stat().st_dev)
        folder.rename(place)
    except OSError:
        remove(folder)


def remove(path: Path) -> None:
    """Delete a file, a link (never what it leads to), or a folder with all in it, whatever the modes of folders say. Raises OSError."""
    try:
        path.unlink()
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):  # the latter on macOS, for a folder
        if path.is_symlink() or not path.is_dir():
            raise
        _remove_folder(path)


def _remove_folder(path: Path) -> None:
    from shutil import rmtree

    open_folders(path)
    rmtree(path)


def open_folders(path: Path) -> None:
    """Give the owner all rights in a folder and those below it; raises OSError, also where another file system is mounted below."""
    device = path.parent.stat().st_dev
    todo = [str(path)]
    while todo:
        folder = todo.pop()
        open_folder(folder, device)
        with os.scandir(folder) as entries:
            todo += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]


def open_folder(folder: str, device: int) -> None:
    """The same for one folder, which must be on this device."""
    status = os.lstat(folder)
    if status.st_dev != device:
        raise OSError(16, "another file system is mounted there: unmount it first", folder)
    if status.st_mode & 0o700 != 0o700:
        os.chmod(folder, status.st_mode | 0o700)  # noqa: PTH101 - of thousands, a Path each costs
