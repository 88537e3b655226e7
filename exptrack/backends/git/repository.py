"""Find the repository, its settings and the user's identity."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from exptrack.backends.git import command
from exptrack.errors import RepositoryError


@dataclass(frozen=True, slots=True)
class Repository:
    """A Git repository with a work tree: `top` is the work tree's root, `git_dir` its own folder, `common_dir` that of all work trees."""

    top: Path
    git_dir: Path
    common_dir: Path
    index: Path
    object_format: str = "sha1"

    @property
    def private(self) -> Path:
        """Our folder for this work tree."""
        return self.git_dir / "exptrack"

    @property
    def shared(self) -> Path:
        """Our folder for all work trees of the repository."""
        return self.common_dir / "exptrack"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who commits, as `git var` gives it: name, e-mail address."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


def find_repository(directory: Path) -> Repository:
    """The repository that `directory` lies in; raises RepositoryError if there is none, or none with a work tree."""
    done = command.call(
        directory,
        "rev-parse",
        "--path-format=absolute",
        "--is-bare-repository",
        "--git-dir",
        "--git-common-dir",
        "--git-path",
        "index",
        "--show-object-format",
        "--show-toplevel",
    )
    answer = os.fsdecode(done.out).splitlines()
    if not answer:
        _explain(directory, done.err)
    if answer[0] == "true":
        raise RepositoryError(f"a bare repository has no work tree to run in: {answer[1]}; clone it, and run there")
    if done.code:
        raise RepositoryError(f"not inside a work tree: {directory}; go to the folder that holds your project")
    _, git_dir, common_dir, index, object_format, top = answer
    return Repository(Path(top), Path(git_dir), Path(common_dir), Path(index), object_format)


def _explain(directory: Path, message: str) -> None:
    if "dubious ownership" in message:
        raise RepositoryError(
            f"the repository at {directory} belongs to another user: run `git config --global --add safe.directory {directory}`"
        )
    if "not a git repository" in message:
        raise RepositoryError(
            f"not a Git repository: {directory}; run `git init` there first, or name another folder with `-C DIR`"
        )
    raise RepositoryError(f"git cannot use the repository at {directory}: {command.last_line(message)}")


def read_config(repository: Repository) -> dict[str, str]:
    """All Git settings in force here, last value wins; keys as `git config --list` prints them."""
    entries = command.run(repository.top, "config", "--null", "--list").split(b"\0")
    pairs = (os.fsdecode(entry).partition("\n") for entry in entries if entry)
    return {key: value if separator else "true" for key, separator, value in pairs}


def is_true(value: str | None) -> bool:
    """Whether Git reads this setting as true."""
    return (value or "").lower() in {"true", "yes", "on", "1"}


def find_identity(repository: Repository) -> Identity:
    """The identity that a commit here would carry; raises RepositoryError if Git knows none."""
    done = command.call(repository.top, "var", "GIT_COMMITTER_IDENT")
    if done.code:
        raise RepositoryError(
            "Git does not know who you are: run `git config --global user.name 'Your Name'` "
            "and `git config --global user.email you@example.com`, then try again"
        )
    name, _, rest = done.out.decode(errors="replace").partition(" <")
    return Identity(name, rest.partition(">")[0])
