"""The Git work trees that packages were installed from: a package in development is only known by its commit.

This asks the git binary itself, because no backend imports another, and needs two questions only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from exptrack.backends.host.child import output

# These would make git look at the repository of a hook that exptrack runs in, not at the package's.
_LOCAL = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE", "GIT_PREFIX", "GIT_CEILING_DIRECTORIES",
)  # fmt: skip

_STATUS = ("status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=no", "-z")


class State(NamedTuple):
    """The commit that a work tree is at, and whether tracked files differ from it; None where there is no answer."""

    commit: str | None = None
    dirty: bool | None = None


class Checkouts:
    """Looks at each work tree once, however many packages were installed from it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._seen: dict[str, State] = {}

    def look(self, path: str) -> State:
        """The state of the work tree that holds `path`; none if Git does not track it there."""
        top = _top(path)
        if top is None:
            return State()
        if top not in self._seen:
            self._seen[top] = _parse(self._git(top, *_STATUS))
        state = self._seen[top]
        if state.commit is None or os.path.realpath(path) == top or self._git(path, "rev-parse", "--verify", "HEAD:./"):
            return state
        return State()

    def _git(self, folder: str, *arguments: str) -> str | None:
        environ = {name: value for name, value in self._environ.items() if name not in _LOCAL}
        environ["GIT_OPTIONAL_LOCKS"] = "0"
        return output(("git", "-c", "core.fsmonitor=false", "-C", folder, *arguments), environ=environ)


def _top(path: str) -> str | None:
    """The nearest folder at or above that is a work tree; found without git, as most packages lie in none."""
    folder = Path(os.path.realpath(path))
    return next((str(top) for top in (folder, *folder.parents) if os.path.lexists(top / ".git")), None)


def _parse(answer: str | None) -> State:
    lines = (answer or "").split("\0")
    commit = next((line.removeprefix("# branch.oid ") for line in lines if line.startswith("# branch.oid ")), None)
    if commit is None:
        return State()
    return State(None if commit == "(initial)" else commit, any(line and not line.startswith("# ") for line in lines))
