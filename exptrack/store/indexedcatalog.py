"""The index, and Git where only Git can tell."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from exptrack.store.catalog import Asked, Catalog, Listed
from exptrack.store.index.sql import Unanswered

_Answer = TypeVar("_Answer")


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
