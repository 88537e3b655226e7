"""Names of branches, and how commits are made on them."""

from __future__ import annotations

import os

from exptrack.backends.git import command
from exptrack.backends.git.repository import Committing, Repository, ask_committing, parse_committing


def is_branch_name(repository: Repository, name: str) -> bool:
    """Whether Git takes this for the name of a branch, as it stands: `@{-1}` is one only by what it means."""
    if "\0" in name:
        return False
    done = command.call(repository.top, "check-ref-format", "--branch", name)
    return done.code == 0 and os.fsdecode(done.out).rstrip("\n") == name


def find_committing(repository: Repository) -> Committing:
    """Who commits here, and whether signed; raises RepositoryError if Git knows no identity."""
    [answer] = command.together(repository.top, ask_committing())
    return parse_committing(repository, answer)
