"""What every operation works in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from exptrack.backends.git.repository import Repository
from exptrack.errors import SettingsError
from exptrack.model.progress import Progress, Silence
from exptrack.model.settings import Settings
from exptrack.model.tree import Value
from exptrack.store.parsed import ParsedYaml

SETTINGS = "exptrack.yaml"


def silence(_line: str) -> None:
    """What is told where nobody listens."""


class Context(NamedTuple):
    """A repository and the project in it, with what was read of it.

    `project` is relative to the root (`.` is the root). `yaml` remembers what was parsed before; `notice` is told what the user should
    hear of meanwhile, `verbose` what is done beyond the answer and changes nothing of it; `progress` how far that is, if it takes long.
    Whoever begins a task there ends it, too.
    """

    repository: Repository
    project: str
    settings: Settings
    yaml: ParsedYaml
    notice: Callable[[str], None] = silence
    verbose: Callable[[str], None] = silence
    progress: Progress = Silence()

    @property
    def folder(self) -> Path:
        """The project's folder."""
        return self.repository.top / self.project


def read_settings(path: Path, load: Callable[[str], Value]) -> Settings:
    """What the `exptrack.yaml` at `path` says, the defaults if there is none; raises SettingsError. `load` parses YAML."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    from exptrack.analysis.settings import parse_settings

    return parse_settings(text, path.name, load)
