"""A folder as DVC sees it: which files count, and the listing (`.dir`) that stands for them."""

# Paths are strings: of 100,000 files a Path for each takes longer than its stat.
# ruff: noqa: PTH116, PTH118

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import md5
from pathlib import Path

from exptrack.analysis.trust import is_digest, is_inside
from exptrack.errors import DataError

Keep = Callable[[str, list[str], list[str]], tuple[list[str], list[str]]]
"""Of a folder (absolute), its folders and its files: those that count."""

_NOT_DATA = {".git", ".hg", ".dvc"}


def walk(folder: str, keep: Keep | None = None) -> Iterator[tuple[str, os.stat_result]]:
    """The files below `folder`: paths relative to it with forward slashes, and their stat.

    As in DVC a link to a file is that file, links to folders are not followed, and folders without files leave no trace; Git
    repositories' own folders and DVC projects inside are left out. `keep` leaves out more. Raises OSError for what cannot be read or
    is a broken link, and DataError for what is no regular file.
    """
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        here = os.path.join(folder, prefix) if prefix else folder
        folders, files = _scan(here)
        if keep is not None:
            folders, files = keep(here, folders, files)
        for name in files:
            status = os.stat(os.path.join(here, name))
            if not stat.S_ISREG(status.st_mode):
                raise DataError(f"{os.path.join(here, name)} is no regular file, and DVC cannot hold it; remove it")
            yield prefix + name, status
        waiting.extend(f"{prefix}{name}/" for name in folders)


def _scan(folder: str) -> tuple[list[str], list[str]]:
    folders, files = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.is_dir():
                if entry.name != ".git":
                    files.append(entry.name)
            elif not (
                entry.name in _NOT_DATA or entry.is_symlink() or os.path.lexists(os.path.join(entry.path, ".dvc"))
            ):
                folders.append(entry.name)
    return folders, files


def dvcignore(root: Path, folder: Path) -> Keep | None:
    """What the `.dvcignore` files from `root` down to `folder` leave in; None, without importing dvc, if they hold no pattern."""
    above = [parent for parent in folder.parents if parent == root or parent.is_relative_to(root)]
    if not any(_has_pattern(parent / ".dvcignore") for parent in above):
        return None
    from dvc.fs import localfs
    from dvc.ignore import DvcIgnoreFilter

    keep: Keep = DvcIgnoreFilter(localfs, str(root))
    return keep


def _has_pattern(file: Path) -> bool:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return any(line.strip() and not line.strip().startswith("#") for line in lines)


def encode_listing(digests: Mapping[str, str]) -> tuple[bytes, str]:
    """The listing of a folder (path to md5), byte for byte as dvc-data's `Tree.as_bytes` writes it, and its digest with `.dir`."""
    entries = [{"md5": digests[path], "relpath": path} for path in sorted(digests)]
    content = json.dumps(entries, sort_keys=True).encode()
    return content, md5(content, usedforsecurity=False).hexdigest() + ".dir"


def decode_listing(content: bytes) -> dict[str, str]:
    """Path to digest. Raises ValueError if it is no listing, or names a path outside its folder, or one that Git or DVC would obey."""
    entries = json.loads(content)
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise TypeError("not a list")
    listing = {}
    for entry in entries:
        path, digest = entry["relpath"], entry["md5"]
        if not (isinstance(digest, str) and is_digest(digest) and is_inside(path, is_data=True)):
            raise ValueError(path)
        listing[path] = digest
    return listing


def read_listing(file: Path) -> dict[str, str] | None:
    """The listing in a file of the cache; None if it is not there or broken."""
    try:
        return decode_listing(file.read_bytes())
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
