"""What is known while a command line is followed to its Python."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from exptrack.backends.host.lookup import is_executable, which

# How an interpreter is said to have been found: the values of `Interpreter.found`, and one for a command that runs elsewhere.
COMMAND = "command"
SHEBANG = "shebang"
VIRTUALENV = "virtualenv"
CONDA = "conda"
ON_PATH = "path"
ELSEWHERE = "elsewhere"

# Wrappers call wrappers; a script that calls itself must end somewhere.
_DEPTH = 12


class Scene(NamedTuple):
    """Where a word is looked up, how it was come upon, and how many steps further to go. `cache` is for tools that are asked."""

    directory: Path
    environ: Mapping[str, str]
    cache: Path
    how: str = COMMAND
    depth: int = _DEPTH

    def which(self, word: str) -> Path | None:
        return which(word, self.directory, self.environ)

    def enter(self, prefix: Path, variable: str = "VIRTUAL_ENV") -> Scene:
        """The scene inside an environment: its programs come first, as after activating it."""
        path = f"{prefix / 'bin'}{os.pathsep}{self.environ.get('PATH', os.defpath)}"
        kept = {name: value for name, value in self.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONHOME"}}
        return self._replace(environ={**kept, "PATH": path, variable: str(prefix)})


class Found(NamedTuple):
    """A Python as the command calls it: `path` is absolute with links kept, `flags` those of its options that change `sys.path`."""

    path: Path
    how: str
    scene: Scene
    flags: str = ""


def python_of(prefix: Path, how: str, scene: Scene) -> Found | None:
    """The Python of an environment, None if there is none."""
    candidates = (prefix / "bin" / name for name in ("python", "python3"))
    return next((Found(path, how, scene) for path in candidates if is_executable(path)), None)


def from_surroundings(scene: Scene) -> Found | None:
    """The Python that a command would most likely use if it says nothing itself: the active environment's, else the first on PATH."""
    for variable, how in (("VIRTUAL_ENV", VIRTUALENV), ("CONDA_PREFIX", CONDA)):
        prefix = scene.environ.get(variable)
        if prefix and (found := python_of(scene.directory / prefix, how, scene)):
            return found
    paths = (scene.which(name) for name in ("python3", "python"))
    return next((Found(path, ON_PATH, scene) for path in paths if path), None)
