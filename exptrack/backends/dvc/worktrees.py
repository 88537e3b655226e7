"""The other work trees of a Git repository, where a DVC project has its local config and its cache once more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from exptrack.backends.dvc.config import Cache, find_cache
from exptrack.errors import DataError


class WorkTree(NamedTuple):
    """Where a DVC project lies: `top` is the root of its work tree, `common` the Git folder that all work trees share.

    `main` is the same project in the main work tree, if `top` is a linked one and the repository is not a bare one.
    """

    top: Path
    common: Path
    main: Path | None = None
    is_linked: bool = False


def find_work_tree(root: Path) -> WorkTree | None:
    """The work tree that the DVC project at `root` lies in, None without Git."""
    for top in (root, *root.parents):
        git = top / ".git"
        if git.is_dir():
            return WorkTree(top, git)
        if git.is_file():
            return _follow(root, top, git)
    return None


def _follow(root: Path, top: Path, git: Path) -> WorkTree | None:
    try:
        folder = Path(os.path.normpath(top / git.read_text().removeprefix("gitdir:").strip()))
        if not (folder / "commondir").is_file():
            return WorkTree(top, folder)  # a submodule
        common = Path(os.path.normpath(folder / (folder / "commondir").read_text().strip()))
    except (OSError, UnicodeDecodeError):
        return None
    main = common.parent / root.relative_to(top)
    return WorkTree(top, common, main if common.name == ".git" and (main / ".dvc").is_dir() else None, is_linked=True)


def find_caches(root: Path) -> tuple[Cache, ...]:
    """The caches of the DVC project at `root`, its own first, then those that it has in other work trees of the repository.

    A run that was recorded in one work tree has its data in the cache of that. Raises DataError if a config file is broken.
    """
    caches = {(cache := find_cache(root)).folder: cache}
    for other in _others(root):
        with suppress(DataError):
            cache = find_cache(other)
            caches.setdefault(cache.folder, cache)
    return tuple(caches.values())


def _others(root: Path) -> Iterator[Path]:
    tree = find_work_tree(root)
    if tree is None:
        return
    inside = root.relative_to(tree.top)
    if tree.main:
        yield tree.main
    with suppress(OSError):
        for folder in sorted((tree.common / "worktrees").iterdir()):
            with suppress(OSError, UnicodeDecodeError):
                other = (folder / (folder / "gitdir").read_text().strip()).parent / inside
                if (other / ".dvc" / "config").is_file():
                    yield other
