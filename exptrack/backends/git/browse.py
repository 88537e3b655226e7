"""What a commit holds: entries of its trees by path."""

from __future__ import annotations

import os
from typing import NamedTuple

from exptrack.backends.git import command
from exptrack.backends.git.repository import Repository

_LIST = ("--literal-pathspecs", "ls-tree", "-z", "--full-tree")


class Entry(NamedTuple):
    """A file (`blob`), a folder (`tree`) or a submodule (`commit`)."""

    path: str
    kind: str
    oid: str


def find_entry(repository: Repository, commit: str, path: str) -> Entry | None:
    """The entry of this path, seen from the root (which is the empty path); None if there is none."""
    if not path:
        return Entry("", "tree", f"{commit}^{{tree}}")
    return next((entry for entry in _entries(repository, commit, "--", path) if entry.path == path), None)


def list_entries(repository: Repository, tree: str) -> list[Entry]:
    """What lies in a tree, each by its name."""
    return _entries(repository, tree)


def list_paths(repository: Repository, commit: str, below: str = "") -> list[str]:
    """The paths of all files, or of those below a folder."""
    words = ("--", below) if below else ()
    return command.split(command.run(repository.top, *_LIST, "-r", "--name-only", commit, *words))


def _entries(repository: Repository, *words: str) -> list[Entry]:
    found = []
    for line in command.run(repository.top, *_LIST, *words).split(b"\0")[:-1]:
        facts, _, path = line.partition(b"\t")
        _, kind, oid = facts.decode().split(" ")
        found.append(Entry(os.fsdecode(path), kind, oid))
    return found
