"""The recorded packages of a run as a virtual environment, built once and kept for the next time."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from exptrack.analysis.requirements import format_requirements, normalise
from exptrack.analysis.wording import counted
from exptrack.backends.git.objects import find_commit
from exptrack.backends.host import venvs
from exptrack.backends.host.interpreter import UNKNOWN
from exptrack.backends.host.pythons import minor_of
from exptrack.backends.host.system import capture_platform
from exptrack.backends.host.venvs import ADVICE, Recipe
from exptrack.errors import ExptrackError, explain
from exptrack.model.environment import Environment, Interpreter, Package
from exptrack.operations.context import Context
from exptrack.store import locks

# Debian's venv once wrote this one; no index ever had it.
_PHANTOM = ("pkg-resources", "0.0.0")
_MASKED = "***"
_BUILD_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_PYTHON = re.compile(r"(?:.*/)?bin/(?:python|pypy)[\d.]*")


class Rebuilt(NamedTuple):
    """An environment with the recorded packages: the folder of the venv, its Python, and lines on what is other than recorded."""

    folder: Path
    interpreter: Path
    notes: tuple[str, ...] = ()


class _Plan(NamedTuple):
    """What is to be installed how: lines for pip, and packages of the project by the folder that holds them."""

    lines: Mapping[Package, str]
    projects: Mapping[Package, Path]
    notes: tuple[str, ...]


def rebuild(context: Context, environment: Environment, top: Path) -> Rebuilt:
    """The recorded environment, as a venv in the private folder: built, or the one that was built before.

    `top` is the work tree of the run's snapshot: packages that were used in place from the repository are used in place from there.
    Raises ExptrackError, with nothing left behind but the log, if the Python or a package cannot be had.
    """
    wanted = _find_wanted(environment)
    plan = _plan(context, environment, top)
    packages = (*plan.lines, *plan.projects)
    recipe = Recipe(wanted, tuple(plan.lines.values()), tuple(plan.projects.values()), packages)
    folder = context.repository.shared / "environments" / _digest(recipe, plan)
    version = venvs.find_version(folder) or _build(context, recipe, folder)
    notes = [*plan.notes]
    if version != wanted.version:
        notes.insert(0, f"Python {version} instead of {wanted.version}, which is not on this machine")
    return Rebuilt(folder, folder / "bin" / "python", tuple(notes))


def activate(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The variables with which a command runs in the environment at `folder`, `uv run` among them."""
    kept = {name: value for name, value in environ.items() if name not in {"PYTHONHOME", "__PYVENV_LAUNCHER__"}}
    path = f"{folder / 'bin'}{os.pathsep}{environ.get('PATH') or os.defpath}"
    return {**kept, "PATH": path, "VIRTUAL_ENV": str(folder), "UV_PROJECT_ENVIRONMENT": str(folder), "UV_NO_SYNC": "1"}


def translate(command: Sequence[str], environment: Environment, rebuilt: Rebuilt) -> tuple[str, ...]:
    """The command with the rebuilt environment's program for a first word that names, by its path, one of the recorded environment.

    That is any `…/bin/python*`, a link to the recorded Python, and a program that lies beside it and has been installed again.
    Names that PATH decides on stay: `activate` is for them.
    """
    word, *others = command or ("",)
    if "/" not in word or environment.interpreter is None:
        return tuple(command)
    recorded = environment.interpreter.path
    if _PYTHON.fullmatch(word) or _is_same(word, recorded):
        return (str(rebuilt.interpreter), *others)
    folder = os.path.normpath(os.path.dirname(word))  # noqa: PTH120 - as text: the word may be relative to another folder
    program = rebuilt.folder / "bin" / Path(word).name
    # `bin/train` alone may as well be a script of the project.
    if folder != "bin" and f"/{os.path.dirname(recorded)}".endswith(f"/{folder}") and program.is_file():  # noqa: PTH120
        return (str(program), *others)
    return tuple(command)


def _is_same(word: str, recorded: str) -> bool:
    return word == recorded or (word.startswith("/") and os.path.realpath(word) == os.path.realpath(recorded))


def _find_wanted(environment: Environment) -> Interpreter:
    wanted = environment.interpreter
    if wanted is None or wanted.version == UNKNOWN or minor_of(wanted.version) is None:
        raise ExptrackError(f"the run has no record of its Python, so its environment cannot be rebuilt: {ADVICE}")
    return wanted


def _plan(context: Context, environment: Environment, top: Path) -> _Plan:
    lines: dict[Package, str] = {}
    projects: dict[Package, Path] = {}
    notes = list(_note_surroundings(environment))
    for package in environment.packages:
        place = _find_place(package, context, top)
        if place is not None:
            projects[package] = place
            if not package.editable:
                notes.append(f"{package.name} is used in place from the snapshot: it was installed from {package.url}")
        elif (package.name, package.version) != _PHANTOM:
            line, note = _requirement(package)
            lines |= {package: line} if line else {}
            notes += [note] if note else []
    return _Plan(lines, projects, tuple(notes))


def _note_surroundings(environment: Environment) -> Iterator[str]:
    here, then = capture_platform(), environment.platform
    if (here.system, here.machine) != (then.system, then.machine):
        yield f"recorded on {then.system} {then.machine}, this is {here.system} {here.machine}"
    wanted = environment.interpreter
    if wanted is not None and (wanted.found == "conda" or "CONDA_DEFAULT_ENV" in environment.variables):
        yield "recorded in a conda environment: Python packages come from the index instead, others are missing"


def _requirement(package: Package) -> tuple[str | None, str | None]:
    """The line for pip, if there can be one, and what is to be said of it."""
    url = package.url or ""
    line = format_requirements((package,), None).splitlines()[-1]
    if line.startswith("# "):
        return None, f"left out: {line[2:]}"
    if _MASKED in url.replace(f"://{_MASKED}@", "://"):
        by_name = package._replace(url=None, commit=None)
        return _requirement(by_name)[
            0
        ], f"{package.name} is installed by name: its address was recorded without its key"
    if _MASKED in url:
        return line, f"{package.name} is installed without the credentials of its address, which are not recorded"
    return line, None


def _find_place(package: Package, context: Context, top: Path) -> Path | None:
    """The folder of the snapshot that holds a package which was installed from the repository, or from a clone of it."""
    if package.url is None or not package.url.startswith("/"):
        return None
    path = Path(package.url)
    if path.is_relative_to(context.repository.top):
        relatives = [path.relative_to(context.repository.top)]
    elif package.commit and find_commit(context.repository, package.commit):
        relatives = [Path(*path.parts[start:]) for start in range(1, len(path.parts) + 1)]
    else:
        return None
    return next((top / relative for relative in relatives if _holds(top / relative, package.name)), None)


def _holds(place: Path, name: str) -> bool:
    """Whether the sources of that package lie there, as far as can be told without building it."""
    import tomllib

    if ".." in place.parts:
        return False
    try:
        project = tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return (place / "setup.py").is_file()
    except (OSError, ValueError):
        return False
    tables = [project.get("project"), (project.get("tool") or {}).get("poetry")]
    said = [table["name"] for table in tables if isinstance(table, dict) and isinstance(table.get("name"), str)]
    return not said or name in map(normalise, said)


def _digest(recipe: Recipe, plan: _Plan) -> str:
    """What the environment depends on. One that uses the project in place belongs to one work tree, and to how that is built."""
    import hashlib
    import json

    here = capture_platform()
    python = [recipe.interpreter.implementation, recipe.interpreter.version]
    machine = [here.system, here.machine, here.libc]
    projects = [[str(place), *map(_read, (place / name for name in _BUILD_FILES))] for place in plan.projects.values()]
    key = json.dumps([1, python, machine, sorted(recipe.requirements), projects])
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("latin-1")
    except OSError:
        return None


def _build(context: Context, recipe: Recipe, folder: Path) -> str:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder.with_suffix(".lock"), context) as lock:
            version = venvs.find_version(folder)
            if version is None:
                count = len(recipe.packages)
                context.notice(f"building an environment with {counted(count, 'package')} (once)")
                version = venvs.build(recipe, folder, folder.with_suffix(".log"), environ=os.environ, lock=lock)
            return version
    except OSError as error:
        raise ExptrackError(f"the recorded environment cannot be built: {explain(error)}; {ADVICE}") from error


@contextmanager
def _alone(path: Path, context: Context) -> Iterator[int]:
    """Hold the lock at `path`, and remove it in the end; who waited for it looks again whether it is still that one."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if not locks.try_lock(lock, fcntl.LOCK_EX):
                context.notice("waiting for another exptrack that builds the same environment")
                with suppress(OSError):  # a file system that knows no locks
                    fcntl.flock(lock, fcntl.LOCK_EX)
            if locks.lies_at(lock, path):
                try:
                    yield lock
                finally:
                    path.unlink(missing_ok=True)
                return
        finally:
            os.close(lock)
