"""What a repository is called where several are exported into one folder."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

from exptrack.backends.git import command
from exptrack.backends.git.remotes import find_remote
from exptrack.backends.git.repository import Repository
from exptrack.errors import ExptrackError, RepositoryError

_DIGITS = 8
_LONGEST = 100
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/@]*@)?([^/:]*|\[[^]]*\])(?::\d+)?/+(.*)")
_SSH = re.compile(r"(?:[^/@:]+@)?([^/:]+|\[[^]]*\]):/*(.*)")


def check_name(name: str) -> str:
    """A name that was given; raises ExptrackError if no file can be called so."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise ExptrackError(
            f"'{name[:60]}' is no name for files of a repository: use letters, digits, '.', '_' and '-', {_LONGEST} at most"
        )
    return name


def name_repository(repository: Repository) -> str:
    """The last part of its remote's URL and a digest of the URL, so that all its clones have the same name, those of CI that are shallow among them.

    Without a remote it is the name of its folder and a digest of its first commit.
    """
    place = _find_place(repository)
    if place is None:
        common = repository.common_dir
        folder = common.parent.name if common.name == ".git" else repository.top.name
        return _join(folder, _find_root(repository) or str(repository.top.resolve()))
    return _join(place.rpartition("/")[2], place)


def _join(name: str, whole: str) -> str:
    plain = _ODD.sub("-", name).strip(".-")[: _LONGEST - _DIGITS - 1] or "repository"
    return f"{plain}-{sha256(whole.encode(errors='surrogateescape')).hexdigest()[:_DIGITS]}"


def _find_place(repository: Repository) -> str | None:
    """Where `origin` is, or else the remote for runs: the same for all ways to get there (ssh, https, with credentials or without)."""
    for word in ("origin", None):
        try:
            found = find_remote(repository, word)
        except RepositoryError:
            continue
        return normalise(found.url, repository.top)
    return None


def normalise(url: str, top: Path) -> str:
    """A URL as `host/path`, without what differs between two ways to the same repository."""
    match = _URL.fullmatch(url) if "://" in url else _SSH.fullmatch(url)
    is_path = match is None or url.startswith("file:")
    host, path = ("", str((top / url.removeprefix("file://")).resolve())) if is_path else (match[1].lower(), match[2])  # type: ignore[index]
    path = path.rstrip("/").removesuffix("/.git").removesuffix(".git").rstrip("/")
    return f"{host}/{path}" if host else path


def _find_root(repository: Repository) -> str | None:
    """The first commit; None if there is none."""
    done = command.call(repository.top, "rev-list", "--max-parents=0", "HEAD")
    return next(iter(reversed(done.out.decode().split())), None) if done.code == 0 else None
