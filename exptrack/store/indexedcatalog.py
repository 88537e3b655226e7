"""The index, and Git where only Git can tell."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from exptrack.backends.git.repository import Repository
from exptrack.model.progress import Progress, Silence
from exptrack.store.catalog import Asked, Catalog, Listed, Unanswered

_Answer = TypeVar("_Answer")
_SILENCE = Silence()


def _tell_nobody(_line: str) -> None: ...


@contextmanager
def open_catalog(
    repository: Repository, progress: Progress = _SILENCE, tell: Callable[[str], None] = _tell_nobody
) -> Iterator[Catalog]:
    """The runs of a repository for the time of a block. Where many have to be read, `progress` is told; where the index cannot be used, `tell`."""
    # It loads sqlite3, 4 ms that a command which lists nothing does without.
    from exptrack.store.index.file import opened
    from exptrack.store.index.indexcatalog import IndexCatalog

    def read_git() -> Catalog:
        from exptrack.store.gitcatalog import GitCatalog  # and what decodes records, 3 ms

        return GitCatalog(repository, progress)

    with opened(repository, progress, tell) as index:
        yield read_git() if index is None else IndexedCatalog(IndexCatalog(repository, index), read_git, tell)


class IndexedCatalog:
    """A Catalog that asks the `index` first. From the first question on that it cannot answer, that of Git answers all; `tell` hears why."""

    def __init__(self, index: Catalog, read_git: Callable[[], Catalog], tell: Callable[[str], None]) -> None:
        self._now, self._read_git, self._tell = index, read_git, tell

    @property
    def among(self) -> int:
        return self._now.among

    def names(self) -> Collection[str]:
        return self._ask(lambda catalog: catalog.names())

    def sealed(self, keys: Collection[str]) -> Collection[str]:
        return self._ask(lambda catalog: catalog.sealed(keys))

    def select(self, asked: Asked) -> Listed:
        return self._ask(lambda catalog: catalog.select(asked))

    def tagged(self, tag: str) -> Mapping[str, str]:
        return self._ask(lambda catalog: catalog.tagged(tag))

    def _ask(self, question: Callable[[Catalog], _Answer]) -> _Answer:
        try:
            return question(self._now)
        except Unanswered as reason:
            self._tell(f"the index does not answer this: {reason}")
            self._now = self._read_git()
            return question(self._now)
