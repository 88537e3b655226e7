"""Index files: copies of the user's, never the user's own.

A copy keeps the modification time of the original, since Git tells a racily clean entry by comparing the file's time with the index's.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from exptrack.backends.git import command
from exptrack.backends.git.objects import index_environ
from exptrack.backends.git.repository import Repository

_UNREADABLE_FOLDER = re.compile(r"^warning: could not open directory '(.*?)': ", re.MULTILINE | re.DOTALL)
_MOST_ARGUMENTS = 200  # of paths up to 4 KiB each: less than the smallest limit in use, the 1 MiB of macOS


_ORDINARY = frozenset({"H 100644", "H 100755", "H 120000"})


class Entry(NamedTuple):
    """An entry of an index. `tag` is git's letter (`S` for skip-worktree; a small one for assume-unchanged); `stage` is above 0 in a conflict."""

    path: str
    mode: str
    oid: str
    stage: int
    tag: str


class Untracked(NamedTuple):
    """What the user's index does not know.

    `paths` are files that Git does not ignore (a nested repository ends in a slash), `ignored` what it does (a folder stands for all
    below it, with a slash at its end), `unreadable` folders that could not be opened.
    """

    paths: tuple[str, ...]
    ignored: tuple[str, ...]
    unreadable: tuple[str, ...]


def copy_index(source: Path, target: Path) -> None:
    """Copy an index file with its times; no source (a repository without a commit) gives no target."""
    target.unlink(missing_ok=True)
    if source.exists():
        shutil.copy2(source, target)


def signature(index: Path) -> str:
    """Changes whenever git writes the index, and is the same for a copy: time, size and checksum of the file."""
    try:
        with index.open("rb") as file:
            status = os.fstat(file.fileno())
            file.seek(max(0, status.st_size - 20))
            return f"{status.st_mtime_ns}-{status.st_size}-{file.read().hex()}"
    except FileNotFoundError:
        return "none"


def list_entries(repository: Repository, index: Path) -> tuple[list[str], list[Entry]]:
    """All paths in an index, and the entries of those that are no ordinary files: with a flag, in a conflict, or a submodule.

    Only those are taken apart, since of 20,000 nearly all are ordinary.
    """
    out = command.run(repository.top, "ls-files", "-z", "-s", "-v", environ=index_environ(repository, index))
    lines = command.split(out)
    odd = [_parse_entry(line) for line in lines if line[:8] not in _ORDINARY or line[line.index("\t") - 1] != "0"]
    return [line.partition("\t")[2] for line in lines], odd


def _parse_entry(line: str) -> Entry:
    facts, _, path = line.partition("\t")
    tag, mode, oid, stage = facts.split(" ")
    return Entry(path, mode, oid, int(stage), tag)


def survey(repository: Repository, index: Path) -> tuple[list[str], Untracked]:
    """Tracked paths that differ on disk from `index` (deleted ones included), and what the *user's* index does not know.

    All three walks run at once: one looks at the entries, two at the folders.
    """
    # The folder walk names what it cannot open on stderr only, hence the fixed language.
    environ = {**index_environ(repository, repository.index_file), "LC_ALL": "C.UTF-8", "LANGUAGE": "C"}
    words = ("ls-files", "-z", "-o", "--exclude-standard")
    walks = [command.start(repository.top, *words, *more, environ=environ) for more in ((), ("-i", "--directory"))]
    try:
        changed = list_changed(repository, index)
    finally:
        others, ignored = map(command.finish, walks)
    untracked = Untracked(
        tuple(command.split(command.output(others, "ls-files"))),
        tuple(command.split(command.output(ignored, "ls-files"))),
        tuple(_UNREADABLE_FOLDER.findall(others.err)),
    )
    return changed, untracked


def list_changed(repository: Repository, index: Path) -> list[str]:
    """Paths in `index` whose file on disk differs from it, or is gone; sorted, each once."""
    if not index.exists():
        return []
    out = command.run(repository.top, "ls-files", "-z", "-m", "-d", environ=index_environ(repository, index))
    return sorted(set(command.split(out)))


def list_untracked(repository: Repository) -> list[str]:
    """Files that the work tree's index does not know and Git does not ignore."""
    words = ("ls-files", "-z", "-o", "--exclude-standard")
    out = command.run(repository.top, *words, environ=index_environ(repository, repository.index_file))
    return command.split(out)


def is_tracked(repository: Repository, path: str) -> bool:
    """Whether the user's index holds this file, or a file below this folder."""
    out = command.run(
        repository.top,
        "--literal-pathspecs",
        "ls-files",
        "-z",
        "--",
        path,
        environ=index_environ(repository, repository.index_file),
    )
    return bool(out)


def find_ignored(repository: Repository, paths: Sequence[str]) -> set[str]:
    """Those of `paths` that Git ignores."""
    done = command.call(
        repository.top, "check-ignore", "-z", "--stdin", stdin=command.join(list(paths)), environ=repository.environ
    )
    return set(command.split(done.out))


def clear_flags(repository: Repository, index: Path, paths: Sequence[str]) -> None:
    """Take assume-unchanged and skip-worktree off entries, so that what is on disk counts."""
    for flag in ("--no-assume-unchanged", "--no-skip-worktree"):
        command.run(
            repository.top,
            "update-index",
            flag,
            "-z",
            "--stdin",
            stdin=command.join(list(paths)),
            environ=index_environ(repository, index),
        )


def take_out(repository: Repository, index: Path, paths: Sequence[str]) -> None:
    """Remove entries, whatever is on disk."""
    command.run(
        repository.top,
        "update-index",
        "--force-remove",
        "-z",
        "--stdin",
        stdin=command.join(list(paths)),
        environ=index_environ(repository, index),
    )


def take_in(repository: Repository, index: Path, paths: Sequence[str]) -> dict[str, str]:
    """Enter files as they are on disk (a vanished one is removed); gives what git refused, with git's reason.

    One bad file makes git give up on the whole list, so a failing list is halved until the bad one stands alone.
    """
    if not paths:
        return {}
    done = command.call(
        repository.top, "update-index", "--add", "--remove", "--replace", "-z", "--stdin",
        stdin=command.join(list(paths)), environ=index_environ(repository, index),
    )  # fmt: skip
    if done.code == 0:
        return {}
    if len(paths) == 1:
        return {paths[0]: command.reason(done.err)}
    middle = len(paths) // 2
    return take_in(repository, index, paths[:middle]) | take_in(repository, index, paths[middle:])


def list_tree(repository: Repository, commit: str, paths: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Mode and oid of those of `paths` that are in the tree of `commit`."""
    found = {}
    for start in range(0, len(paths), _MOST_ARGUMENTS):
        some = paths[start : start + _MOST_ARGUMENTS]
        out = command.run(repository.top, "--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", *some)
        for line in command.split(out):
            facts, _, path = line.partition("\t")
            mode, _, oid = facts.split(" ")
            found[path] = (mode, oid)
    return found


def reset_entries(repository: Repository, index: Path, entries: Sequence[tuple[str, str, str]]) -> None:
    """Put back (mode, oid, path) entries, whatever is on disk."""
    lines = b"".join(f"{mode} {oid}\t".encode() + os.fsencode(path) + b"\0" for mode, oid, path in entries)
    command.run(
        repository.top,
        "update-index",
        "--add",
        "-z",
        "--index-info",
        stdin=lines,
        environ=index_environ(repository, index),
    )


def is_dirty_submodule(repository: Repository, path: str) -> bool:
    """Whether a submodule's work tree holds changes that its commit does not; False if it is not checked out."""
    folder = repository.top / path
    if not (folder / ".git").exists():
        return False
    done = command.call(folder, "status", "--porcelain", "-z", "--ignore-submodules=none", environ=_outside())
    return done.code == 0 and bool(done.out)


def find_head(folder: Path) -> str | None:
    """The commit that a nested repository is at, None if it has none."""
    done = command.call(folder, "rev-parse", "--verify", "--quiet", "HEAD", environ=_outside())
    return done.out.decode().strip() if done.code == 0 else None


def _outside() -> dict[str, None]:
    # In a hook these name the outer repository.
    return dict.fromkeys(("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"))
