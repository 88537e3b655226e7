"""The private index: what earlier snapshots hashed, and what of the work tree differs from it.

It lies in `<git dir>/exptrack/index`. Every snapshot works on a copy of its own and renames it back, so that many at once never meet.
Beside it `index.json` says which state of the user's index it was derived from; if that has moved on, or anything goes wrong, the
copy is made anew from the user's index.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from exptrack.analysis.secrets import find_secret
from exptrack.backends.git import index as git_index
from exptrack.backends.git.index import Untracked
from exptrack.backends.git.repository import Repository
from exptrack.model.data import Omission
from exptrack.model.settings import Capture

_VERSION = 1
_DVC_NAMES = frozenset({"dvc.yaml", "dvc.lock"})


class Origin(NamedTuple):
    """What a copy of the index was derived from, and what had to be found out for that."""

    key: str = ""
    copy: str = ""
    tree: str = ""
    extras: tuple[str, ...] = ()
    submodules: tuple[str, ...] = ()
    dvc_files: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    staged_secrets: tuple[str, ...] = ()
    exptrack: tuple[str, ...] = ()


class Survey(NamedTuple):
    """The work tree as it was found: `index_file` is this snapshot's own copy of the index, `changed` and `untracked` what differs from it on disk."""

    index_file: Path
    base: str | None
    origin: Origin
    changed: tuple[str, ...]
    untracked: Untracked

    @property
    def dvc_files(self) -> tuple[str, ...]:
        """Paths of every `.dvc` file, `dvc.yaml` and `dvc.lock`, tracked or not."""
        return tuple(sorted({*self.origin.dvc_files, *filter(is_dvc_file, self.untracked.paths)}))

    def is_captured(self, path: str, omissions: Iterable[Omission]) -> bool:
        """Whether a file that is on disk went into the snapshot: neither ignored nor left out, by itself or with its folder."""
        left_out = {*self.untracked.ignored, *(omission.path for omission in omissions)}
        folders = (path[: position + 1] for position, letter in enumerate(path) if letter == "/")
        return path not in left_out and left_out.isdisjoint(folders)


def is_dvc_file(path: str) -> bool:
    """Whether DVC reads this file: a `.dvc` file, `dvc.yaml` or `dvc.lock`."""
    name = path.rpartition("/")[2]
    return name in _DVC_NAMES or (name.endswith(".dvc") and name != ".dvc")


def survey(repository: Repository, base: str | None, capture: Capture, scratch: Path) -> Survey:
    """Look at the work tree. `scratch` is a folder of this run's own; the copy of the index is made there."""
    mine = scratch / "index"
    key = json.dumps([_VERSION, git_index.signature(repository.index_file), base, capture.secrets])
    origin = _reuse(repository, key, mine) or _rebuild(repository, key, mine, base, capture)
    changed, untracked = git_index.survey(repository, mine)
    return Survey(mine, base, origin, tuple(changed), untracked)


def _reuse(repository: Repository, key: str, mine: Path) -> Origin | None:
    try:
        fields = json.loads((repository.private / "index.json").read_bytes())
        if fields["key"] != key:
            return None
        lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        origin = Origin(key=fields["key"], copy=fields["copy"], tree=fields["tree"], **lists)
        git_index.copy_index(repository.private / "index", mine)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    # Another snapshot may have renamed its index in, but not yet its origin.
    return origin if git_index.signature(mine) == origin.copy else None


def _rebuild(repository: Repository, key: str, mine: Path, base: str | None, capture: Capture) -> Origin:
    git_index.copy_index(repository.index_file, mine)
    if not mine.exists():
        return Origin(key=key)
    paths, odd = git_index.list_entries(repository, mine)
    flagged = [
        entry.path
        for entry in odd
        if entry.tag.islower() or (entry.tag == "S" and os.path.lexists(repository.top / entry.path))
    ]
    ours = tuple(path for path in paths if ".exptrack/" in path and is_ours(path))
    secret = tuple(dict.fromkeys(find_secret(paths, capture.secrets)))
    if flagged:
        git_index.clear_flags(repository, mine, flagged)
    if ours:
        git_index.take_out(repository, mine, ours)
    committed = _reset_secrets(repository, mine, base, secret)
    return Origin(
        key=key,
        submodules=tuple(entry.path for entry in odd if entry.mode == "160000"),
        dvc_files=tuple(dict.fromkeys(path for path in paths if "dvc" in path and is_dvc_file(path))),
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


def is_ours(path: str) -> bool:
    """Whether a file lies in a folder of exptrack's own."""
    return ".exptrack" in path.split("/")[:-1]


def forget(repository: Repository) -> None:
    """Throw the private index away; the next snapshot starts from the user's."""
    for name in ("index", "index.json"):
        (repository.private / name).unlink(missing_ok=True)


def keep(repository: Repository, index: Path, origin: Origin) -> None:
    """Put a copy back as the private index. It is a cache: what cannot be written is left."""
    if not index.exists():
        return
    folder = repository.private
    folder.mkdir(parents=True, exist_ok=True)
    token = os.urandom(6).hex()
    mine, text = folder / f"index.{token}", folder / f"index.json.{token}"
    try:
        git_index.copy_index(index, mine)
        text.write_text(json.dumps({**origin._asdict(), "copy": git_index.signature(mine)}))
        mine.replace(folder / "index")
        text.replace(folder / "index.json")
    except OSError:
        mine.unlink(missing_ok=True)
        text.unlink(missing_ok=True)
