"""Which Git remote is meant."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from exptrack.analysis.secrets import mask
from exptrack.backends.git import command, refs
from exptrack.backends.git.repository import Repository
from exptrack.errors import RepositoryError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?:://|::)")
# As ssh's: `git@host:path`, or, since `12:00` is a time, `host:team/path`.
_HOST = re.compile(r"[\w.-]+@(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):.|[\w.-]+:[\w.~/-]*(?:/|\.git$)")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
_USER = re.compile(r"(?<=://)([^/?#\s]*)@")
_SUFFIXES = ("/.git", "", ".git/.git", ".git")  # the order in which git looks


class GitRemote(NamedTuple):
    """A Git remote: `name` is what git is given (a remote's name, a URL or a path), `url` is for showing, its credentials masked."""

    name: str
    url: str

    def __str__(self) -> str:
        return self.url if self.url == mask_url(self.name) else f"{self.name} ({self.url})"


def mask_url(text: str) -> str:
    """The text with the credentials of its URLs and elsewhere as `***`; the user of an ssh URL stays."""

    def hide(match: re.Match[str]) -> str:
        is_open = ":" not in match[1] and text[: match.start()].endswith("ssh://")
        return match[0] if is_open else "***@"

    return mask(_USER.sub(hide, text))


def find_remote(repository: Repository, word: str | None = None) -> GitRemote:
    """The remote that `word` names, or else the one for runs.

    Without a word: `exptrack.remote`, where the branch is pushed to, the branch's remote, `origin`, or the only one there is. Raises
    RepositoryError if there is none, or if the word names none.
    """
    settings = _read_settings(repository)
    names = _list_names(settings)
    if word is None:
        word = _choose(repository, settings, names)
    if word not in names and not _is_place(repository, word):
        raise RepositoryError(_unknown(word, names, is_set=word == settings.get("exptrack.remote")))
    return GitRemote(word, mask_url(_find_url(repository, word)))


def is_remote(repository: Repository, word: str) -> bool:
    """Whether `word` is the name of a remote, a URL, or the path of a repository."""
    return bool(word) and (word in _list_names(_read_settings(repository)) or _is_place(repository, word))


def _read_settings(repository: Repository) -> dict[str, str]:
    """The settings that say something of remotes; of one that is there twice, the last."""
    keys = r"^(exptrack\.remote|remote\..*|branch\..*\.(remote|pushremote))$"
    done = command.call(repository.top, "config", "--null", "--get-regexp", keys, environ=repository.environ)
    if done.code > 1:
        raise RepositoryError(f"the settings of Git cannot be read: {command.reason(done.err)}")
    pairs = (word.partition("\n") for word in command.split(done.out))
    return {key: value for key, _, value in pairs}


def _list_names(settings: dict[str, str]) -> list[str]:
    # As `git remote`: what has a URL, or something to fetch. `remote.pushDefault` has no name between its dots.
    names = (key.removeprefix("remote.").rpartition(".") for key in settings if key.startswith("remote."))
    return sorted({name for name, dot, _ in names if dot})


def _choose(repository: Repository, settings: dict[str, str], names: list[str]) -> str:
    if chosen := settings.get("exptrack.remote"):
        return chosen
    branch = refs.find_branch(repository)
    keys = (f"branch.{branch}.pushremote", "remote.pushdefault", f"branch.{branch}.remote")
    for found in (settings.get(key) for key in keys):
        if found and found != ".":
            return found
    if "origin" in names or len(names) == 1:
        return "origin" if "origin" in names else names[0]
    if not names:
        raise RepositoryError("the repository has no remote to share runs by: run `git remote add origin URL`")
    raise RepositoryError(
        f"which remote? name one of {', '.join(names)}, or run `git config exptrack.remote NAME` once"
    )


def _unknown(word: str, names: list[str], *, is_set: bool) -> str:
    said = f"no such remote: {mask_url(word)}"
    if is_set:
        return f"{said}, which `exptrack.remote` names; run `git config exptrack.remote NAME` with one that `git remote` lists"
    if names:
        return f"{said}; choose one of {', '.join(names)}, or give a URL"
    return f"{said}; run `git remote add {word if _NAME.fullmatch(word) else 'NAME'} URL`"


def find_similar(repository: Repository, word: str) -> str | None:
    """The name of a remote that is much like the word, which names none."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word[:100], _list_names(_read_settings(repository)), n=1)), None)


def find_default_branch(repository: Repository, remote: str) -> str | None:
    """The branch that a remote had checked out when it was cloned; None if the clone does not know."""
    done = command.call(repository.top, "symbolic-ref", "--quiet", f"refs/remotes/{remote}/HEAD")
    return os.fsdecode(done.out).strip().removeprefix(f"refs/remotes/{remote}/") or None


def _find_url(repository: Repository, word: str) -> str:
    done = command.call(repository.top, "ls-remote", "--get-url", "--end-of-options", word, environ=repository.environ)
    return os.fsdecode(command.output(done, "ls-remote")).strip()


def _is_place(repository: Repository, word: str) -> bool:
    """Whether git would take the word for a URL, or for a path at which there is a repository, as seen from the root of the work tree."""
    if _SCHEME.match(word):
        return True
    path = repository.top / word
    if any(_is_repository(Path(f"{path}{suffix}")) for suffix in _SUFFIXES):
        return True
    return bool(_HOST.match(word))


def _is_repository(path: Path) -> bool:
    """Whether git would fetch from here: a repository, a file that leads to one, or a bundle."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                return file.read(16).startswith((b"gitdir: ", b"# v2 git bundle", b"# v3 git bundle"))
        return (path / "HEAD").exists() and (path / "objects").is_dir()
    except OSError:
        return False
