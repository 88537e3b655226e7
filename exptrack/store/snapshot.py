"""The snapshot: the project as it is on disk, as a commit on the base.

A private index (`<git dir>/exptrack/index`) remembers what earlier snapshots hashed. Every snapshot works on a copy of its own and
renames it back, so that many at once never meet. Beside it `index.json` says which state of the user's index it was derived from; if
that has moved on, or anything goes wrong, the copy is made anew from the user's index.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from exptrack.analysis.secrets import looks_secret
from exptrack.analysis.selection import Candidate, choose
from exptrack.backends.git import index as git_index
from exptrack.backends.git import objects
from exptrack.backends.git.index import Untracked
from exptrack.backends.git.repository import Repository
from exptrack.errors import RepositoryError
from exptrack.model.data import Omission, Reason
from exptrack.model.settings import Capture

_VERSION = 1
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
_DVC_NAMES = frozenset({"dvc.yaml", "dvc.lock"})


@dataclass(frozen=True, slots=True)
class Origin:
    """What a copy of the index was derived from, and what had to be found out for that."""

    key: str = ""
    copy: str = ""
    extras: tuple[str, ...] = ()
    submodules: tuple[str, ...] = ()
    dvc_files: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    staged_secrets: tuple[str, ...] = ()
    exptrack: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """The work tree as it was found: `index` is this snapshot's own copy, `changed` and `untracked` what differs from it on disk."""

    index: Path
    base: str | None
    origin: Origin
    changed: tuple[str, ...]
    untracked: Untracked

    @property
    def dvc_files(self) -> tuple[str, ...]:
        """Paths of every `.dvc` file, `dvc.yaml` and `dvc.lock`, tracked or not."""
        return tuple(sorted({*self.origin.dvc_files, *filter(is_dvc_file, self.untracked.paths)}))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The commit, its index (kept for a second look), and what is not in it."""

    oid: str
    base: str | None
    index: Path
    omissions: tuple[Omission, ...]


def is_dvc_file(path: str) -> bool:
    """Whether DVC reads this file: a `.dvc` file, `dvc.yaml` or `dvc.lock`."""
    name = path.rpartition("/")[2]
    return name in _DVC_NAMES or (name.endswith(".dvc") and name != ".dvc")


def survey(repository: Repository, base: str | None, capture: Capture, scratch: Path) -> Survey:
    """Look at the work tree. `scratch` is a folder of this run's own; the copy of the index is made there."""
    mine = scratch / "index"
    key = json.dumps([_VERSION, git_index.signature(repository.index), base, capture.secrets])
    origin = _reuse(repository, key, mine) or _rebuild(repository, key, mine, base, capture)
    changed, untracked = git_index.survey(repository, mine)
    return Survey(mine, base, origin, tuple(changed), untracked)


def _reuse(repository: Repository, key: str, mine: Path) -> Origin | None:
    try:
        fields = json.loads((repository.private / "index.json").read_bytes())
        if fields["key"] != key:
            return None
        lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        origin = Origin(key=fields["key"], copy=fields["copy"], **lists)
        git_index.copy_index(repository.private / "index", mine)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    # Another snapshot may have renamed its index in, but not yet its origin.
    return origin if git_index.signature(mine) == origin.copy else None


def _rebuild(repository: Repository, key: str, mine: Path, base: str | None, capture: Capture) -> Origin:
    git_index.copy_index(repository.index, mine)
    if not mine.exists():
        return Origin(key=key)
    entries = git_index.list_entries(repository, mine)
    flagged = [
        entry.path
        for entry in entries
        if entry.tag.islower() or (entry.tag == "S" and os.path.lexists(repository.top / entry.path))
    ]
    ours = tuple(entry.path for entry in entries if _is_ours(entry.path))
    secret = tuple(dict.fromkeys(entry.path for entry in entries if looks_secret(entry.path, capture.secrets)))
    if flagged:
        git_index.clear_flags(repository, mine, flagged)
    if ours:
        git_index.take_out(repository, mine, ours)
    committed = _reset_secrets(repository, mine, base, secret)
    return Origin(
        key=key,
        submodules=tuple(entry.path for entry in entries if entry.mode == "160000"),
        dvc_files=tuple(dict.fromkeys(entry.path for entry in entries if is_dvc_file(entry.path))),
        secrets=secret,
        staged_secrets=tuple(path for path in secret if path not in committed),
        exptrack=ours,
    )


def _reset_secrets(repository: Repository, index: Path, base: str | None, paths: Sequence[str]) -> set[str]:
    """What looks secret stays as it was committed (gives those paths): exptrack adds no secret to the repository."""
    if not paths:
        return set()
    committed = git_index.list_tree(repository, base, paths) if base else {}
    git_index.take_out(repository, index, paths)
    git_index.reset_entries(repository, index, [(mode, oid, path) for path, (mode, oid) in committed.items()])
    return set(committed)


def _is_ours(path: str) -> bool:
    return ".exptrack" in path.split("/")[:-1]


def take(repository: Repository, name: str, found: Survey, capture: Capture, excluded: frozenset[str]) -> Snapshot:
    """Make the snapshot commit. Untracked files at or below the `excluded` paths (outs, metric files) stay out of it unlisted."""
    top = repository.top
    folders = _special_folders(top, found.untracked.paths)
    left = [omission for omission in folders.values() if omission is not None]
    candidates = [
        candidate
        for path in found.untracked.paths
        if not _is_below(path, excluded)
        and _folder_of(path, folders) is None
        and (candidate := _candidate(top, path)) is not None
    ]
    taken, omissions = choose(candidates, capture.limits, capture.secrets)
    left += [*omissions, *(Omission(path, Reason.UNREADABLE) for path in found.untracked.unreadable)]
    left += _ignored(found.untracked.ignored, excluded)
    left += _submodules(repository, found.origin.submodules)
    left += [Omission(path, Reason.EXPTRACK) for path in _exptrack_folders(found)]
    changed, hidden = _readable(top, [path for path in found.changed if path not in found.origin.secrets])
    left += [
        Omission(path, Reason.SECRET)
        for path in found.origin.secrets
        if (path in found.changed or path in found.origin.staged_secrets) and os.path.lexists(top / path)
    ]
    left += hidden
    gone = [path for path in found.origin.extras if path not in taken]
    if gone:
        git_index.take_out(repository, found.index, gone)
    known = set(found.origin.extras)
    refused = git_index.take_in(repository, found.index, [*changed, *(path for path in taken if path not in known)])
    if refused:
        refused = git_index.take_in(repository, found.index, list(refused))  # it changed under git's hands: once more
        left += [
            Omission(path, Reason.UNREADABLE if os.path.lexists(top / path) else Reason.VANISHED) for path in refused
        ]
    tree = objects.write_tree(repository, found.index)
    oid = objects.write_commit(repository, tree, [found.base] if found.base else [], f"snapshot of {name}\n")
    keep(repository, found.index, replace(found.origin, extras=tuple(path for path in taken if path not in refused)))
    return Snapshot(
        oid, found.base, found.index, tuple(sorted(set(left), key=lambda omission: (omission.path, omission.reason)))
    )


def keep(repository: Repository, index: Path, origin: Origin) -> None:
    """Put a copy back as the private index. It is a cache: what cannot be written is left."""
    if not index.exists():
        return
    folder = repository.private
    folder.mkdir(parents=True, exist_ok=True)
    mine, text = folder / f"index.{os.getpid()}", folder / f"index.json.{os.getpid()}"
    try:
        git_index.copy_index(index, mine)
        text.write_text(json.dumps({**_fields(origin), "copy": git_index.signature(mine)}))
        mine.replace(folder / "index")
        text.replace(folder / "index.json")
    except OSError:
        mine.unlink(missing_ok=True)
        text.unlink(missing_ok=True)


def _fields(origin: Origin) -> dict[str, object]:
    return {name: getattr(origin, name) for name in Origin.__slots__}


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
        if _is_ours(path):
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
    paths = [*found.origin.exptrack, *filter(_is_ours, found.untracked.paths)]
    return {"/".join(parts[: parts.index(".exptrack") + 1]) + "/" for parts in (path.split("/") for path in paths)}


def second_look(repository: Repository, index: Path) -> tuple[str, ...]:
    """Tracked files that are no longer as the snapshot has them."""
    try:
        return tuple(git_index.list_changed(repository, index))
    except RepositoryError:
        return ()
