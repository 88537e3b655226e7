"""Git's own diff between two commits."""

from __future__ import annotations

from exptrack.backends.git import command
from exptrack.backends.git.repository import Repository


def read_diff(repository: Repository, old: str, new: str, *, color: bool = False) -> str:
    """The patch from `old` to `new`, coloured on request; empty if their trees are equal. No external diff program is run."""
    out = command.run(
        repository.top,
        "diff",
        "--no-ext-diff",
        "--no-textconv",
        f"--color={'always' if color else 'never'}",
        "--submodule=short",
        old,
        new,
        "--",
    )
    return out.decode(errors="replace")
