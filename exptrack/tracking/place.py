"""Where a script was started, though it may have gone to another folder since (Hydra does that)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from exptrack import started_in
from exptrack.errors import RepositoryError

if TYPE_CHECKING:
    from exptrack.project import Project


def find_folders() -> list[str]:
    """The working directory, and before it the one that exptrack was imported in, mostly at the top of the script."""
    folders = []
    with suppress(OSError):
        folders.append(str(Path.cwd()))
    if started_in is not None:
        folders.insert(0, started_in)
    return list(dict.fromkeys(folders))


def open_project(folders: list[str], notice: Callable[[str], None] | None = None) -> Project:
    """The project that the script works in: of these folders the first one, unless the last is in another repository.

    Raises RepositoryError if none is in a repository.
    """
    from exptrack.project import Project

    project = _find(folders[-1:], notice) or _find(folders, notice)
    if project is None:
        return Project(folders[-1] if folders else ".", notice)
    first = _find(folders[:1], notice) if project.directory != Path(folders[0]) else project
    return first if first and first.context.repository.top == project.context.repository.top else project


def _find(folders: list[str], notice: Callable[[str], None] | None) -> Project | None:
    from exptrack.project import Project

    for folder in folders:
        with suppress(RepositoryError):
            return Project(folder, notice)
    return None
