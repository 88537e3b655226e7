"""Git's own diff between two commits or trees."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from exptrack.backends.git import command
from exptrack.backends.git.repository import Repository

# Plumbing: none of the user's settings for `git diff` counts (no prefix, no renames, another order, submodules left out).
_PLAIN = (
    "-c", "diff.orderFile=", "-c", "core.abbrev=auto",
    "diff-tree", "-r", "-M", "--no-ext-diff", "--no-textconv", "--submodule=short", "--ignore-submodules=none",
)  # fmt: skip


class Changed(NamedTuple):
    """A file that differs. `status` is git's letter (A, D, M, T, R), oids and modes are zeros where there is none, lines None of a binary file."""

    path: str
    status: str
    old_mode: str
    new_mode: str
    old_oid: str
    new_oid: str
    added: int | None
    removed: int | None
    old_path: str | None = None


def read_diff(repository: Repository, old: str, new: str, *, without: Iterable[str] = ()) -> str:
    """The patch from `old` to `new`; empty if their trees are equal. No external diff program is run.

    `without` are paths of files that are left out.
    """
    excluded = [f":(exclude,top,literal){path}" for path in sorted(set(without))]
    words = (*_PLAIN, "-p", old, new, "--", *([":(top)", *excluded] if excluded else []))
    return command.run(repository.top, *words, environ=repository.environ).decode(errors="replace")


def list_changes(
    repository: Repository, old: str, new: str, *, renames: bool = True, since_fork: bool = False
) -> list[Changed]:
    """The files that differ from `old` to `new`, by path; `renames` are found as git finds them.

    With `since_fork` those that differ from the commit at which the two parted to `new`; RepositoryError if there is none.
    """
    words = ("-z", "--raw", "--numstat", "--no-abbrev", *(() if renames else ("--no-renames",)))
    words += ("--merge-base",) if since_fork else ()
    out = command.run(repository.top, *_PLAIN, *words, old, new, environ=repository.environ)
    return list(_parse(iter(os.fsdecode(out).split("\0")[:-1])))


def list_written(repository: Repository, run: str) -> list[str]:
    """The files of a run commit that its snapshot has not, or has otherwise."""
    out = command.run(repository.top, "diff-tree", "-r", "-z", "--name-only", "--no-renames", f"{run}^", run)
    return command.split(out)


def _parse(words: Iterator[str]) -> Iterator[Changed]:
    """First comes a raw line for each file (`:mode mode oid oid status`, then one path or two), then the count of lines for each."""
    entries: list[Changed] = []
    place = 0
    for word in words:
        if word.startswith(":"):
            old_mode, new_mode, old_oid, new_oid, status = word[1:].split(" ")
            before = next(words)
            path = next(words) if status[0] in "RC" else before
            old_path = before if before != path else None
            entries.append(Changed(path, status[0], old_mode, new_mode, old_oid, new_oid, None, None, old_path))
            continue
        added, removed, path = word.split("\t", 2)
        if not path:  # a renamed file: its two paths follow
            next(words), next(words)
        yield entries[place]._replace(added=_count(added), removed=_count(removed))
        place += 1


def _count(text: str) -> int | None:
    return None if text == "-" else int(text)


def read_stats(
    repository: Repository, commits: Sequence[str], width: int | None = None, *, color: bool = False
) -> dict[str, str]:
    """What `git diff --stat` says between each commit (a full oid) and its parent; one process for all. Missing where nothing differs."""
    if not commits:
        return {}
    words = ("diff-tree", "--stdin", "--root", "-r", "-M", "--no-ext-diff", "--no-textconv", f"--stat={width or 80}")
    settings = ("-c", "core.quotePath=false")
    lines = "".join(f"{oid}\n" for oid in commits).encode()
    out = command.run(repository.top, *settings, *words, f"--color={'always' if color else 'never'}", stdin=lines)
    wanted, stats, current = set(commits), dict[str, list[str]](), list[str]()
    for line in out.decode(errors="replace").split("\n"):
        if line in wanted:
            current = stats.setdefault(line, [])
        elif line:
            current.append(line)
    return {oid: "\n".join(found) for oid, found in stats.items()}
