"""The environments that `uv run`, `poetry run`, `conda run` and their like enter."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from exptrack.backends.host.cache import Slot, recall, remember, stamps
from exptrack.backends.host.child import output
from exptrack.backends.host.scene import VIRTUALENV, Scene, python_of

# Their environments lie in a folder of their own, under a name that only they know.
_QUESTIONS: Mapping[str, tuple[str, ...]] = {"poetry": ("env", "info", "--path"), "pipenv": ("--venv",)}
_SETTINGS = ("pyproject.toml", "poetry.toml", "Pipfile")
_VARIABLES = (
    "HOME", "PATH", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "WORKON_HOME", "POETRY_CACHE_DIR", "POETRY_CONFIG_DIR",
    "POETRY_VIRTUALENVS_PATH", "POETRY_VIRTUALENVS_IN_PROJECT", "POETRY_VIRTUALENVS_CREATE", "PIPENV_VENV_IN_PROJECT",
    "PIPENV_CUSTOM_VENV_NAME", "PIPENV_PIPFILE",
)  # fmt: skip

CONDA_PROGRAMS = ("conda", "mamba", "micromamba")

# PEP 723: a script that names what it needs gets an environment of its own.
_INLINE_METADATA = re.compile(r"^# /// script\s*$", re.MULTILINE)


def prefix_of_project(program: Path, arguments: Sequence[str], scene: Scene) -> Path | None:
    """The project's environment as `program` (uv, poetry, pdm, rye, pipenv) would choose it, None if none is there."""
    name = program.name
    start = scene.directory / _option(arguments, ("--project", "--directory", "-C"), default=".")
    near = _nearest(start, name, scene.environ)
    active = scene.environ.get("VIRTUAL_ENV")
    is_near_first = name == "uv" and "--active" not in arguments
    choices = [near, scene.directory / active if active else None]
    for prefix in choices if is_near_first else reversed(choices):
        if prefix and python_of(prefix, VIRTUALENV, scene):
            return prefix
    return _ask(program, start, scene) if name in _QUESTIONS else None


def python_of_script(uv: Path, script: str, scene: Scene) -> str | None:
    """The Python of the environment that uv keeps for a script with inline metadata; empty if uv knows none, None for other scripts."""
    path = scene.directory / script
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return None
    if not _INLINE_METADATA.search(text):
        return None
    argv = (str(uv), "python", "find", "--offline", "--no-python-downloads", "--script", str(path))
    return (output(argv, environ=scene.environ, directory=scene.directory) or "").strip()


def prefix_of_conda(name: str, scene: Scene, program: Path | None = None) -> Path | None:
    """The folder of a conda environment, by its name or path; None if there is none. `program` is the conda that was called."""
    if "/" in name:
        choices: Iterator[Path] = iter([scene.directory / name])
    else:
        choices = _conda_choices(name, scene.environ, program or scene.which("conda"))
    return next((path for path in choices if (path / "bin").is_dir()), None)


def _conda_choices(name: str, environ: Mapping[str, str], program: Path | None) -> Iterator[Path]:
    roots = [Path(os.path.realpath(path)).parent.parent for path in (environ.get("CONDA_EXE"), program) if path]
    roots += [Path(environ[variable]) for variable in ("MAMBA_ROOT_PREFIX", "CONDA_ROOT") if environ.get(variable)]
    if name == "base":
        yield from roots
        return
    home = Path(environ.get("HOME") or "/")
    for variable in ("CONDA_ENVS_DIRS", "CONDA_ENVS_PATH"):
        yield from (Path(folder) / name for folder in environ.get(variable, "").split(os.pathsep) if folder)
    yield from (root / "envs" / name for root in roots)
    yield home / ".conda" / "envs" / name
    try:
        known = (home / ".conda" / "environments.txt").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return
    yield from (Path(line) for line in known.splitlines() if Path(line).name == name)


def _nearest(start: Path, name: str, environ: Mapping[str, str]) -> Path | None:
    """The project's own environment: of `start`, or of a folder above."""
    chosen = environ.get("UV_PROJECT_ENVIRONMENT") if name == "uv" else None
    for folder in _upwards(start):
        if chosen and (folder / "pyproject.toml").is_file():
            return folder / chosen
        if (folder / ".venv" / "pyvenv.cfg").is_file():
            return folder / ".venv"
    return None


def _ask(program: Path, start: Path, scene: Scene) -> Path | None:
    """What the tool itself says; that takes half a second, so it is kept until the project, the tool or the environment changes."""
    folders = (folder for folder in _upwards(start) if any((folder / name).is_file() for name in _SETTINGS))
    settings = next(folders, None)
    if settings is None:
        return None
    variables = {name: scene.environ[name] for name in _VARIABLES if name in scene.environ}
    slot = Slot(scene.cache, program.name, [str(program), str(settings)], variables)
    known: str | None = recall(slot)
    if known is not None:
        return Path(known)
    watch = stamps([program, *(settings / name for name in _SETTINGS)])
    lines = (output((str(program), *_QUESTIONS[slot.kind]), environ=scene.environ, directory=start) or "").split("\n")
    prefix = Path(lines[0].strip())
    if not lines[0].startswith("/") or not python_of(prefix, VIRTUALENV, scene):
        return None
    # Poetry notes in `envs.toml` which of a project's environments it uses.
    watch |= stamps((prefix / "pyvenv.cfg", prefix.parent, prefix.parent / "envs.toml"))
    remember(slot, str(prefix), watch=watch)
    return prefix


def _option(arguments: Sequence[str], names: Sequence[str], *, default: str) -> str:
    for index, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else next(iter(arguments[index + 1 :]), default)
    return default


def _upwards(folder: Path) -> Iterator[Path]:
    start = Path(os.path.realpath(folder))
    yield from (start, *start.parents)
