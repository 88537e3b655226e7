"""Git's own housekeeping, detached."""

from __future__ import annotations

import subprocess

from exptrack.backends.git import command
from exptrack.backends.git.repository import Repository


def start(repository: Repository) -> None:
    """Start `git pack-refs` and `git maintenance run --auto` in the background. Both take git's locks and respect its settings."""
    subprocess.Popen(
        ["sh", "-c", "git pack-refs --all; git maintenance run --auto --quiet"],
        cwd=repository.top,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def pack_refs(repository: Repository) -> None:
    """Put all refs into one file: 10,000 loose ones take 47 MB. What is in the way of that is left to the next time."""
    command.call(repository.top, "pack-refs", "--all")
