"""Find the repository, its settings and the user's identity."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from exptrack.backends.git import command
from exptrack.errors import RepositoryError

if TYPE_CHECKING:
    from subprocess import Popen

_QUESTIONS = ("--git-dir", "--git-common-dir", "--show-object-format", "--show-toplevel", "--git-path index")
# In a hook, or where a user set them, these name another repository, or another part of it.
FOREIGN = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_IMPLICIT_WORK_TREE",
    "GIT_INTERNAL_SUPER_PREFIX", "GIT_ATTR_SOURCE", "GIT_REFLOG_ACTION",
)  # fmt: skip


class Identity(NamedTuple):
    """Who commits, as `git var` gives it: name, e-mail address."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


NOBODY = Identity("exptrack", "exptrack@localhost")


class Repository(NamedTuple):
    """A Git repository with a work tree: `top` is the work tree's root, `git_dir` its own folder, `common_dir` that of all work trees.

    Where `scratch` is given, new objects go into that folder (which must exist) and not into the repository, which is only read.
    `stand_in` commits here, since Git knows nobody, as in CI.
    """

    top: Path
    git_dir: Path
    common_dir: Path
    index_file: Path
    object_format: str = "sha1"
    scratch: Path | None = None
    stand_in: Identity | None = None

    @property
    def private(self) -> Path:
        """Our folder for this work tree."""
        return self.git_dir / "exptrack"

    @property
    def shared(self) -> Path:
        """Our folder for all work trees of the repository."""
        return self.common_dir / "exptrack"

    @property
    def is_slot(self) -> bool:
        """Whether the work tree is one of ours, for isolated runs."""
        return self.top.parent == self.shared / "worktrees"

    @property
    def environ(self) -> dict[str, str | None]:
        """The variables that make git work here; None unsets one.

        In a slot they are given whatever the environment names (we may be called by a hook) and the command left of the slot's own link.
        With `scratch`, git finds what is there, and writes there.
        """
        if self.is_slot:
            return {**dict.fromkeys(FOREIGN), "GIT_DIR": str(self.git_dir), "GIT_WORK_TREE": str(self.top)}
        if self.scratch is None:
            return {}
        others = [str(self.common_dir / "objects"), *filter(None, [os.environ.get("GIT_ALTERNATE_OBJECT_DIRECTORIES")])]
        escaped = re.sub(r'["\\\n]', _escape, others[0])
        quoted = [f'"{escaped}"', *others[1:]]
        return {"GIT_OBJECT_DIRECTORY": str(self.scratch), "GIT_ALTERNATE_OBJECT_DIRECTORIES": ":".join(quoted)}


def _escape(match: re.Match[str]) -> str:
    return "\\n" if match[0] == "\n" else f"\\{match[0]}"


_asked: dict[Path, Popen[bytes]] = {}


def ask_early(directory: Path) -> None:
    """Let git look for the repository while other things are done: `find_repository` of the same folder takes that answer, once."""
    with suppress(RepositoryError):  # which is raised by that, too, when it asks again
        _asked[directory] = _start(directory, "--is-bare-repository", *_QUESTIONS)


def find_repository(directory: Path) -> Repository:
    """The repository that `directory` lies in; raises RepositoryError if there is none, or none with a work tree."""
    early = _asked.pop(directory, None)
    done = _ask(directory, "--is-bare-repository", *_QUESTIONS) if early is None else command.finish(early)
    answer = os.fsdecode(done.out).split("\n")[:-1]
    if not answer:
        raise RepositoryError(_explain(directory, done.err))
    if answer[0] == "true":
        raise RepositoryError(f"a bare repository has no work tree to run in: {answer[1]}; clone it, and run there")
    if done.code:
        raise RepositoryError(f"not inside a work tree: {directory}; go to the folder that holds your project")
    if len(answer) > len(_QUESTIONS) + 1:  # a folder with a newline in its name
        answer[1:] = [os.fsdecode(_ask(directory, question).out).removesuffix("\n") for question in _QUESTIONS]
    _, git_dir, common_dir, object_format, top, index = answer
    return Repository(Path(top), Path(git_dir), Path(common_dir), Path(index), object_format)


def _ask(directory: Path, *questions: str) -> command.Done:
    return command.finish(_start(directory, *questions))


def _start(directory: Path, *questions: str) -> Popen[bytes]:
    # In a fixed language, since what git says is looked at.
    words = (word for question in questions for word in question.split(" "))
    environ = {"LC_ALL": "C.UTF-8", "LANGUAGE": "C"}
    return command.start(directory, "rev-parse", "--path-format=absolute", *words, environ=environ)


def _explain(directory: Path, message: str) -> str:
    if foreign := re.search(r"dubious ownership in repository at '(.*?)'$", message, re.MULTILINE | re.DOTALL):
        from shlex import quote

        return (
            f"the repository at {foreign[1]} belongs to another user: "
            f"run `git config --global --add safe.directory {quote(foreign[1])}`"
        )
    if "not a git repository" in message:
        return f"not a Git repository: {directory}; run `git init` there first, or start in another folder (`exptrack -C DIR`)"
    return f"git cannot use the repository at {directory}: {command.reason(message)}"


class Committing(NamedTuple):
    """How commits are made here: by whom, and whether they are signed; and `exptrack.autoPush`, the remote that each run is pushed to."""

    author: Identity
    committer: Identity
    is_signing: bool
    auto_push: str | None = None


def ask_committing() -> command.Question:
    """Who commits here, and how."""
    return ("var", "-l"), b""


def parse_committing(repository: Repository, answer: command.Done) -> Committing:
    """The answer to `ask_committing`; raises RepositoryError if Git knows no identity."""
    lines = (line.partition("=") for line in answer.out.decode(errors="replace").splitlines())
    settings = {key: value if is_given else "true" for key, is_given, value in lines}
    people = [settings.get(f"GIT_{role}_IDENT", "") for role in ("AUTHOR", "COMMITTER")]
    if not {"user.name", "user.email"} <= settings.keys():
        # The list holds what Git makes up where it was told nothing; it commits by that only if it is asked for one of them.
        people = [_find_person(repository, role) for role in ("AUTHOR", "COMMITTER")]
    author, committer = map(_parse_person, people)
    is_signing = is_true(settings.get("commit.gpgsign", "no"))
    return Committing(author, committer, is_signing, settings.get("exptrack.autopush") or None)


def is_true(value: str) -> bool:
    """Whether Git reads this setting as true: a word for yes, or a number other than 0."""
    return bool(re.fullmatch(r"true|yes|on|[+-]?0*[1-9][0-9]*", value.lower()))


def has_setting(repository: Repository, key: str) -> bool:
    """Whether a setting of git's is set."""
    return command.call(repository.top, "config", "--get", key).code == 0


def find_identity(repository: Repository) -> Identity:
    """The identity that a commit here would carry; raises RepositoryError if Git knows none."""
    return _parse_person(_find_person(repository, "COMMITTER"))


def _find_person(repository: Repository, role: str) -> str:
    done = command.call(repository.top, "var", f"GIT_{role}_IDENT")
    if done.code and repository.stand_in is not None:
        return str(repository.stand_in)
    if done.code:
        raise RepositoryError(
            "Git does not know who you are: run `git config --global user.name 'Your Name'` "
            "and `git config --global user.email you@example.com`, then try again"
        )
    return done.out.decode(errors="replace")


def _parse_person(line: str) -> Identity:
    name, _, rest = line.partition(" <")
    return Identity(name, rest.partition(">")[0])
