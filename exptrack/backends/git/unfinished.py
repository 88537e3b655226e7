"""What Git itself remembers beside refs and reflogs: merges, rebases, cherry-picks and bisections under way, what was fetched last."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from exptrack.backends.git import command
from exptrack.backends.git.repository import FOREIGN, Repository

_FILES: Final = ("*_HEAD", "AUTO_MERGE", "MERGE_AUTOSTASH", "BISECT_*")
_FOLDERS: Final = ("rebase-merge", "rebase-apply", "sequencer")
_NAMES: Final = ("ORIG_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "BISECT_HEAD", "AUTO_MERGE", "MERGE_AUTOSTASH")  # fmt: skip
_OWN_REFS: Final = ("refs/bisect/", "refs/worktree/", "refs/rewritten/")
_OID: Final = re.compile(rb"(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-f])")
_LARGEST: Final = 16 << 20  # bytes of a file; a rebase of 100,000 commits takes 10 MB


def find_unfinished(repository: Repository, git_dirs: Sequence[Path]) -> set[str]:
    """Names of what the work trees with these folders hold so: oids, of which some may be gone, and refs."""
    found = set[str]()
    for git_dir in git_dirs:
        found |= {oid for file in _list_files(git_dir) for oid in _read(file)}
        # Where refs are in files they were read by now; elsewhere (reftable) only Git knows them.
        is_main = git_dir == repository.common_dir
        found |= {f"{'main-worktree' if is_main else f'worktrees/{git_dir.name}'}/{name}" for name in _NAMES}
        found |= _list_refs(repository, git_dir)
    return found


def _list_files(git_dir: Path) -> Iterator[Path]:
    for pattern in _FILES:
        yield from git_dir.glob(pattern)
    for folder in _FOLDERS:
        yield from (git_dir / folder).glob("*")


def _read(file: Path) -> Iterator[str]:
    with suppress(OSError):
        if file.is_file() and file.stat().st_size <= _LARGEST:
            yield from (found.decode() for found in _OID.findall(file.read_bytes()))


def _list_refs(repository: Repository, git_dir: Path) -> set[str]:
    """What the refs are at that each work tree has for itself."""
    environ = {**dict.fromkeys(FOREIGN), "GIT_DIR": str(git_dir)}
    words = ("for-each-ref", "--format=%(objectname)", *_OWN_REFS)
    return set(os.fsdecode(command.run(repository.top, *words, environ=environ)).split())
