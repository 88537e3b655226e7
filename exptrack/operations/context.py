"""What every operation works in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from exptrack.backends.git.repository import Repository
from exptrack.model.settings import Settings


def _silence(_line: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Context:
    """A repository, the project in it (relative to the root; `.` is the root), its settings, and who is told of what matters meanwhile."""

    repository: Repository
    project: str
    settings: Settings
    notice: Callable[[str], None] = field(default=_silence)

    @property
    def folder(self) -> Path:
        """The project's folder."""
        return self.repository.top / self.project
