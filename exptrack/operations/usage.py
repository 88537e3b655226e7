"""Which data anything uses: every digest that a pointer file names, anywhere in a repository and at any time.

Files are not parsed for it but searched for what looks like a digest, so that one with a conflict in it, or a slip, says what it means
all the same. What cannot even be searched (it is missing, encrypted, or stands for a file that Git LFS has) is named.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from exptrack.analysis.artifacts import FOLDER as ARTIFACTS
from exptrack.analysis.dvcfiles import parse_pointers
from exptrack.backends.git import objects
from exptrack.backends.git.everywhere import find_folders_with, list_history, list_on_disk, list_places, list_staged
from exptrack.backends.git.repository import Repository, find_repository
from exptrack.errors import DataError, RepositoryError
from exptrack.store.journal import folder_of, list_names
from exptrack.store.runs import RECORD

_LOCKS: Final = ("dvc.lock", "Dvcfile")  # the second is of DVC 1
_PATHS: Final = (":(glob)**/*.dvc", *(f":(glob)**/{name}" for name in _LOCKS), f":(top,literal){RECORD}")
_DIGEST: Final = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])(?:\.dir)?")
_LISTED: Final = re.compile(rb"^\s*(?:- )?files:\s*$", re.MULTILINE)  # the files of a folder in a version-aware remote
_ELSEWHERE: Final = b"version https://git-lfs"
_LARGEST: Final = 64 << 20  # bytes of a file in a journal


class Used(NamedTuple):
    """Digests of all data that something uses: files, and folders (`….dir`) without their members.

    `unreadable` are pointer files whose digests cannot be known, each with the place where it is.
    """

    digests: frozenset[str] = frozenset()
    unreadable: tuple[str, ...] = ()


def is_pointer_file(path: str) -> bool:
    """Whether a file of this path may say what data is used."""
    if path.startswith(ARTIFACTS):
        return False  # anything may lie there by such a name; the record says what is in the DVC cache
    name = path.rpartition("/")[2]
    return name in _LOCKS or (name.endswith(".dvc") and name != ".dvc") or path == RECORD


def find_used(repository: Repository, *, without: Collection[str] = (), also: Collection[str] = ()) -> Used:
    """What the history of all refs and reflogs uses, and every index, work tree and journal of a run under way.

    Refs `without` do not count; the commits `also` do. Raises RepositoryError if the history is not whole.
    """
    found = _Found()
    # Before and after: meanwhile a stash may go or come, and a run end, so that what the one look misses the other finds.
    blobs = _look_around(repository, found)
    blobs |= list_history(repository, _PATHS, is_pointer_file, without=without, also=also)
    blobs |= _look_around(repository, found)
    oids = list(blobs)
    for oid, content in zip(oids, objects.read_many(repository, oids), strict=True):
        found.search(blobs[oid], f"{oid[:10]} ({blobs[oid]})", content)
    return Used(frozenset(found.digests), tuple(sorted(found.unreadable)))


def _look_around(repository: Repository, found: _Found) -> dict[str, str]:
    """Search all but the history: journals and work trees; gives the blobs of their indexes, each with a path."""
    for file in _journals(repository):
        found.read(file, "")
    blobs: dict[str, str] = {}
    for place in list_places(repository):
        staged, _ = list_staged(repository, place, is_pointer_file)
        blobs |= staged
        for file, path in list_on_disk(repository, place, _PATHS, is_pointer_file):
            found.read(file, path)
    return blobs


def find_repositories(repository: Repository, folders: Sequence[Path]) -> tuple[Repository, ...]:
    """The repository, those of other `folders`, and those inside any of them, each once.

    That are submodules that are checked out, and the clones in which DVC executes experiments just now.
    Raises RepositoryError for a folder that lies in none.
    """
    found: dict[Path, Repository] = {}
    waiting = [repository, *map(find_repository, folders)]
    while waiting:
        one = waiting.pop(0)
        if one.common_dir not in found:
            found[one.common_dir] = one
            waiting += [*_find_submodules(one), *_find_experiments(one)]
    return tuple(found.values())


def _find_submodules(repository: Repository) -> Iterator[Repository]:
    for place in list_places(repository):
        if place.top is not None:
            _, paths = list_staged(repository, place, lambda _: False)
            for path in paths:
                if (place.top / path / ".git").exists():
                    yield find_repository(place.top / path)


def _find_experiments(repository: Repository) -> Iterator[Repository]:
    """The clones of `dvc exp run --temp` and of DVC's queue, which use the cache of the project that they are of."""
    for place in list_places(repository):
        for root in find_folders_with(repository, place, ".dvc/config"):
            folder = root / ".dvc" / "tmp" / "exps"
            for link in sorted([*folder.glob("*/.git"), *folder.glob("*/*/.git")]):
                with suppress(RepositoryError):  # half made, or half deleted
                    yield find_repository(link.parent)


def unite(several: Iterable[Used]) -> Used:
    """What any of them uses."""
    listed = list(several)
    digests = frozenset[str]().union(*(one.digests for one in listed))
    return Used(digests, tuple(path for one in listed for path in one.unreadable))


def _journals(repository: Repository) -> Iterator[Path]:
    """The files of the journals of runs under way, but for what the commands printed."""
    for name in list_names(repository.shared):
        with suppress(OSError):
            for file in sorted(folder_of(repository.shared, name).iterdir()):
                if file.is_file() and not file.name.startswith("output") and file.stat().st_size <= _LARGEST:
                    yield file


class _Found:
    """What is found, file by file."""

    def __init__(self) -> None:
        self.digests: set[str] = set()
        self.unreadable: set[str] = set()

    def read(self, file: Path, path: str) -> None:
        """Search a file on the disk; `path` is that of a pointer file. What is not there, or no file, uses nothing."""
        try:
            content = file.read_bytes() if file.is_file() else b""
        except FileNotFoundError:
            return
        except OSError:
            content = None
        if path:
            self.search(path, str(file), content)
        else:
            self.digests |= _search(content or b"")

    def search(self, path: str, named: str, content: bytes | None) -> None:
        """Search the content of a pointer file."""
        if content is None or b"\0" in content or content.startswith(_ELSEWHERE):
            self.unreadable.add(named)
            return
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            self.unreadable.add(named)
            return
        self.digests |= _search(content)
        if _LISTED.search(content):
            # Its own digest is written nowhere.
            with suppress(DataError):
                self.digests |= {pointer.digest for pointer in parse_pointers(path, text)}


def _search(content: bytes) -> set[str]:
    return {digest.decode() for digest in _DIGEST.findall(content.lower())}
