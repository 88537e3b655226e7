"""DVC projects: find one, make one."""

from __future__ import annotations

from pathlib import Path

from exptrack.errors import DataError


def find_root(directory: Path, top: Path) -> Path | None:
    """The nearest folder with a DVC project in it, from `directory` up to `top` (both absolute)."""
    for folder in (directory, *directory.parents):
        if (folder / ".dvc" / "config").is_file():
            return folder
        if folder == top:
            break
    return None


def init(root: Path, *, subdirectory: bool) -> None:
    """Make a DVC project of `root`, as `dvc init` does, but leave its files untracked: the user's index stays as it is.

    `subdirectory` says that `root` lies below the root of the Git repository. Raises DataError if `root` is a DVC project already, is
    not in a Git repository, or if Git ignores `.dvc`.
    """
    from dvc.config import Config
    from dvc.exceptions import DvcException
    from dvc.ignore import init as write_dvcignore
    from dvc.repo import Repo
    from dvc.scm import SCM

    folder = root / ".dvc"
    if (folder / "config").exists():
        raise DataError(f"{root} is a DVC project already")
    try:
        # The steps of dvc.repo.init.init, without its last one, which stages the files with autostage=True whatever the config says.
        scm = SCM(str(root), search_parent_directories=subdirectory)
        try:
            ignored = scm.is_ignored(str(folder))
        finally:
            scm.close()
        if ignored:
            raise DataError(f"{folder} is ignored by Git; add `!.dvc` to .gitignore")
        folder.mkdir(parents=True, exist_ok=True)
        Config.init(str(folder))
        write_dvcignore(str(root))
        Repo(str(root)).close()  # opening it writes .dvc/.gitignore
    except (DvcException, OSError) as error:
        raise DataError(f"cannot make a DVC project in {root}: {one_line(error)}") from error


def one_line(error: Exception) -> str:
    """What DVC or the system said, as the tail of a message of ours."""
    said = " ".join(str(getattr(error, "strerror", None) or error).split()).rstrip(".")
    return said or type(error).__name__
