"""Where a script was started, though it may have gone to another folder since (Hydra does that)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from exptrack.errors import RepositoryError

if TYPE_CHECKING:
    from exptrack.project import Project


def find_folders() -> list[str]:
    """The working directory, and before it the one that exptrack was imported in, mostly at the top of the script."""
    from exptrack import started_in

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
        if not folders:
            raise RepositoryError("the working directory does not exist any more: start the script in a repository")
        return Project(folders[-1], notice)
    first = _find(folders[:1], notice) if project.directory != Path(folders[0]) else project
    return first if first and first.context.repository.top == project.context.repository.top else project


def _find(folders: list[str], notice: Callable[[str], None] | None) -> Project | None:
    from exptrack.project import Project

    for folder in folders:
        with suppress(RepositoryError):
            return Project(folder, notice)
    return None


def is_elsewhere(journal: str) -> bool:
    """Whether the script works in another repository than the one that this journal is of.

    Nobody's folder, as a scratch folder, is no other repository; nor is one below a work tree of it, as a submodule.
    """
    shared = Path(journal).parents[2]
    found = [git for folder in find_folders() for git in _list_gits(Path(folder))]
    return bool(found) and not any(_is_same(git, shared) for git in found)


def _list_gits(folder: Path) -> list[Path]:
    """The common folders of the repositories at or above a folder."""
    return [_find_common(one / ".git") for one in (folder, *folder.parents) if (one / ".git").exists()]


def _find_common(git: Path) -> Path:
    """Of a worktree, whose `.git` is a file that leads to its folder, that of its repository."""
    with suppress(OSError, ValueError):
        if git.is_file():
            git = git.parent / git.read_text().removeprefix("gitdir:").strip()
        return git / (git / "commondir").read_text().strip()
    return git


def _is_same(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return one.samefile(other)
    return False
