"""The user's work tree as Git sees it, and files written as Git writes them, all on index files of our own."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from exptrack.backends.git import command
from exptrack.backends.git import index as git_index
from exptrack.backends.git.objects import index_environ, write_tree
from exptrack.backends.git.repository import Repository

File = tuple[str, str]  # git's mode and the oid of the content
SUBMODULE = "160000"


class WorkTree(NamedTuple):
    """`staged` is what the user's index holds, `found` what lies on disk, `refused` what git cannot take for a file, with its reason.

    Untracked files are only in `found` if they were asked for. `outside` is left out by a sparse checkout.
    """

    staged: Mapping[str, File]
    found: Mapping[str, File]
    refused: Mapping[str, str]
    outside: frozenset[str]


def list_files(repository: Repository, commit: str) -> dict[str, File]:
    """All that a commit holds, by path, submodules included."""
    out = command.run(repository.top, "ls-tree", "-r", "-z", "--full-tree", commit)
    lines = (line.partition("\t") for line in command.split(out))
    return {path: (facts[:6], facts.rpartition(" ")[2]) for facts, _, path in lines}


def look(repository: Repository, scratch: Path, paths: Iterable[str]) -> WorkTree:
    """The tracked files, and those of `paths` that are not. `scratch` is a folder of the moment; nothing else is written."""
    (scratch / "objects").mkdir(exist_ok=True)
    seen = repository._replace(scratch=scratch / "objects")
    index = scratch / "index"
    git_index.copy_index(repository.index_file, index)
    staged: dict[str, File] = {}
    outside = set()
    if index.exists():
        entries = _list_entries(seen, index)
        staged = {one.path: (one.mode, one.oid) for one in entries if one.stage == 0}
        hidden = [one.path for one in entries if one.tag == "S" or one.tag.islower()]
        outside = {path for path in hidden if not os.path.lexists(repository.top / path)}
        outside = {one.path for one in entries if one.tag in "Ss" and one.path in outside}
        if flagged := [path for path in hidden if path not in outside]:
            git_index.clear_flags(seen, index, flagged)
    asked = {path for path in paths if path not in staged and _is_file(repository.top / path)}
    asked.update(path for path in git_index.list_changed(seen, index) if staged.get(path, ("",))[0] != SUBMODULE)
    refused = git_index.take_in(seen, index, sorted(asked))
    found = {one.path: (one.mode, one.oid) for one in _list_entries(seen, index)} if index.exists() else {}
    left_out = outside | refused.keys()
    return WorkTree(
        staged, {path: one for path, one in found.items() if path not in left_out}, refused, frozenset(outside)
    )


def _list_entries(repository: Repository, index: Path) -> list[git_index.Entry]:
    out = command.run(repository.top, "ls-files", "-z", "-s", "-v", environ=index_environ(repository, index))
    return [_parse_entry(line) for line in command.split(out)]


def _parse_entry(line: str) -> git_index.Entry:
    facts, _, path = line.partition("\t")
    tag, mode, oid, stage = facts.split(" ")
    return git_index.Entry(path, mode, oid, int(stage), tag)


def _is_file(path: Path) -> bool:
    try:
        return not stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def write_files(repository: Repository, files: Mapping[str, File], folder: Path) -> frozenset[str]:
    """Write files below an empty folder as a checkout would: filters, ends of lines, modes, links. Gives those that were written.

    The attributes are those among `files`; what lies outside of a sparse checkout is not written. Raises RepositoryError.
    """
    index = folder.with_name(f"{folder.name}-index")
    git_index.reset_entries(repository, index, [(mode, oid, path) for path, (mode, oid) in files.items()])
    tree = write_tree(repository, index)
    index.unlink()
    # In a repository of the folder's own nothing of the work tree is read: git looks for attributes in what it checks out.
    environ: dict[str, str | None] = {
        "GIT_DIR": str(repository.git_dir),
        "GIT_COMMON_DIR": None,
        "GIT_WORK_TREE": str(folder),
        "GIT_INDEX_FILE": str(index),
    }
    words = ("-c", "core.untrackedCache=false", "-c", "index.sparse=false")
    command.run(folder, *words, "read-tree", "--reset", "-u", "--no-recurse-submodules", tree, environ=environ)
    return frozenset(path for path in files if os.path.lexists(folder / path))


def write_content(repository: Repository, data: bytes) -> str:
    """Store the content of a file and give its oid."""
    return command.run(repository.top, "hash-object", "-w", "--stdin", stdin=data).decode().strip()


def write_tree_without(repository: Repository, commit: str, scratch: Path, without: Iterable[str]) -> str:
    """The tree of a commit, without some of its files. `scratch` is a folder of the moment."""
    index = scratch / "index"
    command.run(repository.top, "read-tree", commit, environ=index_environ(repository, index))
    git_index.take_out(repository, index, list(without))
    return write_tree(repository, index)
