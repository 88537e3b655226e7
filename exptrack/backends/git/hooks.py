"""Where git looks for hooks."""

from __future__ import annotations

from pathlib import Path

from exptrack.backends.git import command
from exptrack.backends.git.network import talk
from exptrack.backends.git.repository import Repository


def find_hooks(repository: Repository) -> Path:
    """The folder of the user's hooks, which `core.hooksPath` may name and which need not exist; raises RepositoryError.

    The user's own git is asked: ours (see `command`) has no hooks.
    """
    done = talk(repository, "rev-parse", "--path-format=absolute", "--git-path", "hooks")
    return Path(command.output(done, "rev-parse").decode(errors="surrogateescape").removesuffix("\n"))
