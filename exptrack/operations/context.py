"""What every operation works in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from exptrack.backends.git.repository import Repository
from exptrack.model.settings import Settings
from exptrack.store.parsed import ParsedYaml


def _silence(_line: str) -> None:
    pass


class Context(NamedTuple):
    """A repository and the project in it, with what was read of it.

    `project` is relative to the root (`.` is the root). `yaml` remembers what was parsed before; `notice` is told what the user should
    hear of meanwhile.
    """

    repository: Repository
    project: str
    settings: Settings
    yaml: ParsedYaml
    notice: Callable[[str], None] = _silence

    @property
    def folder(self) -> Path:
        """The project's folder."""
        return self.repository.top / self.project
