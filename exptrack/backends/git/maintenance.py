"""What keeps a repository small in files: refs in one of them, objects in a few packs. Nothing is ever pruned here."""

from __future__ import annotations

import os
import subprocess

from exptrack.backends.git import command
from exptrack.backends.git.repository import FOREIGN, Repository

# All loose objects go into one pack, together with those packs that are no longer half as large as the next one: so that there are a dozen of
# them, and each object is written anew a dozen times in all, where `git gc` would write everything. What nothing refers to is kept. With
# objects of another repository, or with some that are only at a remote, only what is loose is packed: older gits do not do the other well there.
_WORK = """\
git pack-refs --all
if [ "$(git config --type=int --get gc.auto)" != 0 ]; then
  if [ -e objects/info/alternates ] || git config --get-regexp '^(remote[.].*[.]promisor|extensions[.]partialclone)$' >/dev/null
  then git repack -d -l -q --no-write-bitmap-index
  else git repack -d -l -q --no-write-bitmap-index --geometric=2
  fi
fi
git maintenance run --auto --quiet
"""
_ONE_OF = "17"  # of the 256 folders of loose objects, the one that git itself looks into
_FOLDERS = 256


def start(repository: Repository, lock: int) -> None:
    """Start to pack refs and objects in the background, with little claim to the processor; the descriptor `lock` stays open meanwhile.

    Where `gc.auto` is 0, objects are left alone. Then git looks whether it wants to do more. All take git's own locks. Raises OSError.
    """
    environ = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    subprocess.run(
        ["nice", "-n", "10", "sh", "-c", f"{{\n{_WORK}}} &"],
        cwd=repository.common_dir,
        env={**environ, "GIT_DIR": str(repository.common_dir)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=(lock,),
        check=False,
    )


def estimate_loose(repository: Repository) -> int:
    """About how many loose objects there are, as `git gc --auto` estimates it. Raises no error where there are none."""
    try:
        return _FOLDERS * sum(1 for _ in os.scandir(repository.common_dir / "objects" / _ONE_OF))
    except FileNotFoundError:
        return 0


def pack_refs(repository: Repository) -> None:
    """Put all refs into one file: 10,000 loose ones take 47 MB. What is in the way of that is left to the next time."""
    command.call(repository.top, "pack-refs", "--all")
