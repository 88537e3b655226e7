"""Say in one line why a remote did not do what it was asked for, and what to do next."""

from __future__ import annotations

from exptrack.backends.git import command
from exptrack.backends.git.remotes import GitRemote, mask_url
from exptrack.errors import RepositoryError


def explain(remote: GitRemote, verb: str, done: command.Done) -> RepositoryError:
    """The error for a git that failed at a remote; `verb` as in "cannot push to"."""
    return RepositoryError(f"cannot {verb} {remote}: {mask_url(command.reason(done.err))}")
