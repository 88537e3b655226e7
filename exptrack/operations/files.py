"""Where a project's files are read from: the disk, or a commit."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath
from typing import Protocol

from exptrack.backends.git import objects
from exptrack.backends.git.repository import Repository

_MOST_LINKS = 40  # as many as Linux follows
_SETTINGS = frozenset({".yaml", ".yml", ".json", ".toml", ".py", ".dvc", ".lock"})


class Files(Protocol):
    """Files by their path from the root of the repository."""

    def read(self, path: str) -> bytes:
        """The content of a file; raises OSError (FileNotFoundError if it is not there)."""

    def has(self, path: str) -> bool:
        """Whether there is a file (no folder) at this path."""

    def folder(self) -> AbstractContextManager[Path]:
        """A folder that holds the files, as long as it is needed."""


class Disk:
    """The files of the work tree at `top`."""

    def __init__(self, top: Path) -> None:
        self._top = top

    def read(self, path: str) -> bytes:
        return (self._top / path).read_bytes()

    def has(self, path: str) -> bool:
        return (self._top / path).is_file()

    @contextmanager
    def folder(self) -> Iterator[Path]:
        yield self._top


class Committed:
    """The files of a commit."""

    def __init__(self, repository: Repository, commit: str) -> None:
        self._repository = repository
        self._blobs, self._links = objects.list_blobs(repository, commit)

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(self._blobs)

    def read(self, path: str) -> bytes:
        oid = self._blobs.get(self._follow(path))
        content = objects.read(self._repository, oid) if oid else None
        if content is None:
            raise FileNotFoundError(2, "No such file or directory", path)
        return content

    def has(self, path: str) -> bool:
        return self._follow(path) in self._blobs

    def _follow(self, path: str) -> str:
        """Where a symbolic link leads, if it stays inside; a link to a folder is not followed."""
        for _ in range(_MOST_LINKS):
            if path not in self._links:
                break
            target = os.fsdecode(objects.read(self._repository, self._links[path]) or b"")
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        return path

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Only files that settings may be in are there."""
        from tempfile import TemporaryDirectory  # 1.5 ms, which every run would pay

        wanted = [path for path in self._blobs if PurePosixPath(path).suffix in _SETTINGS or path == ".dvc/config"]
        contents = objects.read_many(self._repository, [self._blobs[path] for path in wanted])
        with TemporaryDirectory(prefix="exptrack-") as temporary:
            top = Path(temporary).resolve()
            for path, content in zip(wanted, contents, strict=True):
                file = top / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content or b"")
            yield top
