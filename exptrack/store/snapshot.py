"""The snapshot: the project as it is on disk, as a commit on the base."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from exptrack.analysis.selection import Candidate, choose
from exptrack.backends.git import index as git_index
from exptrack.backends.git import objects
from exptrack.backends.git.repository import Repository
from exptrack.errors import RepositoryError
from exptrack.model.data import Omission, Reason
from exptrack.model.settings import Capture
from exptrack.store.private_index import Origin, Survey, forget, is_ours, keep, survey

_MOST_IGNORED = 500
# What every project has and nobody misses: made by tools, from what is recorded.
_REBUILT = frozenset(
    {
        "__pycache__",
        ".git",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".ipynb_checkpoints",
        ".DS_Store",
        ".exptrack",
    }
)


class Snapshot(NamedTuple):
    """The commit, its index (kept for a second look), and what is not in it."""

    oid: str
    base: str | None
    index_file: Path
    omissions: tuple[Omission, ...]


def take(repository: Repository, name: str, found: Survey, capture: Capture, excluded: frozenset[str]) -> Snapshot:
    """Make the snapshot commit. Untracked files at or below the `excluded` paths (outs, metric files) stay out of it unlisted.

    If git refuses (what the private index remembers may have been pruned), all is looked at anew, once.
    """
    try:
        return _take(repository, name, found, capture, excluded)
    except RepositoryError:
        forget(repository)
        again = survey(repository, found.base, capture, found.index_file.parent)
        return _take(repository, name, again, capture, excluded)


def _take(repository: Repository, name: str, found: Survey, capture: Capture, excluded: frozenset[str]) -> Snapshot:
    tree, left, origin = build(repository, found, capture, excluded)
    if origin != found.origin:
        keep(repository, found.index_file, origin)
    oid = objects.write_commit(repository, tree, [found.base] if found.base else [], f"snapshot of {name}\n")
    return Snapshot(oid, found.base, found.index_file, left)


def build(
    repository: Repository, found: Survey, capture: Capture, excluded: frozenset[str]
) -> tuple[str, tuple[Omission, ...], Origin]:
    """The tree of the work tree as it was surveyed, what is not in it, and what the copy of the index now stands for."""
    top = repository.top
    folders = _special_folders(top, found.untracked.paths)
    candidates = [
        candidate
        for path in found.untracked.paths
        if not _is_below(path, excluded)
        and _folder_of(path, folders) is None
        and (candidate := _candidate(top, path)) is not None
    ]
    taken, omissions = choose(candidates, capture.limits, capture.secrets)
    changed, hidden = _readable(top, [path for path in found.changed if path not in found.origin.secrets])
    tree, refused, origin = _write_tree(repository, found, changed, taken)
    left = {
        *(omission for omission in folders.values() if omission is not None),
        *omissions,
        *hidden,
        *_refused(top, refused),
        *_secrets(top, found),
        *_ignored(found.untracked.ignored, excluded),
        *_submodules(repository, found.origin.submodules),
        *(Omission(path, Reason.UNREADABLE) for path in found.untracked.unreadable),
        *(Omission(path, Reason.EXPTRACK) for path in _exptrack_folders(found)),
    }
    return tree, tuple(sorted(left, key=lambda omission: (omission.path, omission.reason))), origin


def _write_tree(
    repository: Repository, found: Survey, changed: Sequence[str], taken: Sequence[str]
) -> tuple[str, list[str], Origin]:
    """Bring the copy of the index up to date; gives its tree, what git refused to take in, and what the copy now stands for."""
    known, wanted = set(found.origin.extras), set(taken)
    gone = [path for path in found.origin.extras if path not in wanted]
    added = [*changed, *(path for path in taken if path not in known)]
    if not gone and not added and found.origin.tree:
        return found.origin.tree, [], found.origin
    if gone:
        git_index.take_out(repository, found.index_file, gone)
    refused = git_index.take_in(repository, found.index_file, added)
    if refused:
        refused = git_index.take_in(
            repository, found.index_file, list(refused)
        )  # it changed under git's hands: once more
    tree = objects.write_tree(repository, found.index_file)
    extras = tuple(path for path in taken if path not in refused)
    return tree, list(refused), found.origin._replace(tree=tree, extras=extras)


def _refused(top: Path, paths: Iterable[str]) -> list[Omission]:
    return [Omission(path, Reason.UNREADABLE if os.path.lexists(top / path) else Reason.VANISHED) for path in paths]


def _secrets(top: Path, found: Survey) -> list[Omission]:
    """Tracked files that look secret and are not as they were committed."""
    differing = {*found.changed, *found.origin.staged_secrets}
    return [
        Omission(path, Reason.SECRET)
        for path in found.origin.secrets
        if path in differing and os.path.lexists(top / path)
    ]


def _special_folders(top: Path, untracked: Iterable[str]) -> dict[str, Omission | None]:
    """Untracked folders that stay out whole: nested repositories, virtual environments, and (without a line) folders of ours."""
    found: dict[str, Omission | None] = {}
    seen: dict[str, list[str]] = {}
    for path in untracked:
        if path.endswith("/"):
            found[path] = Omission(path, Reason.NESTED_REPOSITORY, digest=git_index.find_head(top / path))
            continue
        folder, _, name = path.rpartition("/")
        if name == "pyvenv.cfg" and folder:
            seen[folder + "/"] = []
        if (marker := "/conda-meta/") in f"/{path}":
            seen[f"/{path}".partition(marker)[0].lstrip("/") + "/"] = []
        if is_ours(path):
            parts = path.split("/")
            found["/".join(parts[: parts.index(".exptrack") + 1]) + "/"] = None
    for folder in seen:
        if folder != "/":
            files = sum(1 for path in untracked if path.startswith(folder))
            found[folder] = Omission(folder, Reason.VIRTUAL_ENVIRONMENT, files=files)
    return found


def _folder_of(path: str, folders: dict[str, Omission | None]) -> str | None:
    return next((folder for folder in folders if path.startswith(folder)), None)


def _is_below(path: str, excluded: frozenset[str]) -> bool:
    if not excluded or path in excluded:
        return bool(excluded)
    return any(path[:position] in excluded for position, letter in enumerate(path) if letter == "/")


def _candidate(top: Path, path: str) -> Candidate | None:
    full = top / path
    try:
        status = full.lstat()
    except FileNotFoundError:
        return None
    except OSError:
        return Candidate(path, 0, readable=False)
    link = stat.S_ISLNK(status.st_mode)
    regular = link or stat.S_ISREG(status.st_mode)
    return Candidate(path, status.st_size, readable=link or os.access(full, os.R_OK), regular=regular)


def _readable(top: Path, paths: Sequence[str]) -> tuple[list[str], list[Omission]]:
    hidden = {path for path in paths if (top / path).is_file() and not os.access(top / path, os.R_OK)}
    return [path for path in paths if path not in hidden], [Omission(path, Reason.UNREADABLE) for path in hidden]


def _ignored(paths: Iterable[str], excluded: frozenset[str]) -> list[Omission]:
    """What Git ignores, less what is rebuilt anyway and what DVC answers for (its own folder included)."""
    listed = []
    for path in paths:
        parts = path.rstrip("/").split("/")
        if not _REBUILT.intersection(parts) and ".dvc" not in parts[:-1] and not _is_below(path.rstrip("/"), excluded):
            listed.append(Omission(path, Reason.IGNORED))
    more = len(listed) - _MOST_IGNORED
    return [*listed[:_MOST_IGNORED], *([Omission("./", Reason.IGNORED, files=more)] if more > 0 else [])]


def _submodules(repository: Repository, paths: Sequence[str]) -> list[Omission]:
    return [Omission(path, Reason.DIRTY_SUBMODULE) for path in paths if git_index.is_dirty_submodule(repository, path)]


def _exptrack_folders(found: Survey) -> set[str]:
    paths = [*found.origin.exptrack, *filter(is_ours, found.untracked.paths)]
    return {"/".join(parts[: parts.index(".exptrack") + 1]) + "/" for parts in (path.split("/") for path in paths)}


def second_look(repository: Repository, index: Path) -> tuple[str, ...]:
    """Tracked files that are no longer as the snapshot has them."""
    try:
        return tuple(git_index.list_changed(repository, index))
    except RepositoryError:
        return ()
