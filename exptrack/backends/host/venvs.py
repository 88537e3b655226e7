"""Virtual environments with exactly the packages that were recorded, built by uv where it is on PATH, else by venv and pip."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from exptrack.backends.host import pythons
from exptrack.backends.host.installfailures import explain_failure
from exptrack.backends.host.lookup import is_executable, which
from exptrack.backends.host.pythons import Python, find_python, minor_of
from exptrack.errors import ExptrackError, explain
from exptrack.model.environment import Interpreter, Package

ADVICE = "`--environment present` runs in the present environment"
_MARKER = "exptrack.json"
_GRACE = 5.0

# What would make pip and uv look at, or install to, another place than the new environment. Settings of indexes stay as they are.
_FOREIGN = frozenset({
    "PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON",
    "UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_TARGET", "UV_PREFIX", "UV_BREAK_SYSTEM_PACKAGES", "UV_VENV_SEED", "UV_WORKING_DIR",
    "UV_WORKING_DIRECTORY", "UV_PROJECT",
})  # fmt: skip
_OWN = {
    "PYTHONNOUSERSITE": "1", "PYTHONUTF8": "1", "NO_COLOR": "1", "GIT_TERMINAL_PROMPT": "0", "PIP_USER": "0", "PIP_NO_INPUT": "1",
    "PIP_NO_COLOR": "1", "PIP_PROGRESS_BAR": "off", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_NO_PROGRESS": "1",
}  # fmt: skip


class Recipe(NamedTuple):
    """What an environment is made of: `requirements` are pinned lines that pip can read, `projects` folders that are used in place.

    `packages` are all of them, for errors to name.
    """

    interpreter: Interpreter
    requirements: tuple[str, ...]
    projects: tuple[Path, ...]
    packages: tuple[Package, ...]


def find_version(folder: Path) -> str | None:
    """The Python version of a complete environment; None if there is none, or its Python has gone since."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        version = str(json.loads((folder / _MARKER).read_bytes())["python"])
        return version if is_executable(folder / "bin" / "python") else None
    return None


def build(recipe: Recipe, folder: Path, log: Path, *, environ: Mapping[str, str], lock: int) -> str:
    """Build the environment at `folder` and give its Python version. What lies there is replaced; on any error nothing is left of it.

    What uv or pip say goes to `log`. They inherit the descriptor `lock`, so that one which outlives this process still holds it.
    Raises ExptrackError, which names the package, if one cannot be had, or the version, if there is no such Python.
    """
    try:
        with TemporaryDirectory(prefix="exptrack-") as scratch, log.open("wb") as output:
            shutil.rmtree(folder, ignore_errors=True)
            return _build(recipe, folder, _Tools(environ, Path(scratch), output.fileno(), log, lock))
    except OSError as error:
        raise ExptrackError(f"the recorded environment cannot be built: {explain(error)}; {ADVICE}") from error


class _Tools:
    """Runs uv and pip, away from any project, with all output in the log."""

    def __init__(self, environ: Mapping[str, str], scratch: Path, output: int, log: Path, lock: int) -> None:
        kept = {name: value for name, value in environ.items() if name not in _FOREIGN}
        self.environ = {**kept, **_OWN, "TMPDIR": str(scratch)}
        self.uv = which("uv", Path("/"), environ)
        self.log = log
        self._scratch, self._output, self._lock = scratch, output, lock
        # uv looks for settings in the folders above until it finds some. Those of the user count beside these.
        (scratch / "uv.toml").touch()

    def call(self, *argv: str | Path) -> bool:
        """Whether the command succeeded. It has ended when this returns or raises."""
        child = subprocess.Popen(
            list(map(str, argv)),
            cwd=self._scratch,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            start_new_session=True,
            pass_fds=(self._lock,),
        )
        try:
            return child.wait() == 0
        except BaseException:
            _end(child)
            raise

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


def _end(child: subprocess.Popen[bytes]) -> None:
    """Interrupt it, so that it can clean up; it does not get long."""
    for sent in (signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, sent)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE)


def _build(recipe: Recipe, folder: Path, tools: _Tools) -> str:
    try:
        python = _make(recipe.interpreter, folder, tools, is_empty=not recipe.packages)
        requirements = folder / "requirements.txt"
        requirements.write_text("".join(f"{line}\n" for line in recipe.requirements), encoding="utf-8")
        _install(recipe, folder, requirements, tools)
        holds = {"python": python.version, "implementation": python.implementation, "requirements": recipe.requirements}
        partial = folder / f".{_MARKER}"
        partial.write_text(json.dumps(holds, indent=1), encoding="utf-8")
        partial.replace(folder / _MARKER)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return python.version


def _make(wanted: Interpreter, folder: Path, tools: _Tools, *, is_empty: bool) -> Python:
    """An environment without packages, or with what venv brings along to install them, which takes it some seconds."""
    found = find_python(wanted, tools.environ)
    if tools.uv is not None:
        is_made = any(
            tools.call(tools.uv, "venv", "--no-project", "--python", request, folder)
            for request in _requests(wanted, found)
        )
    elif found is None:
        raise _no_python(wanted, tools)
    elif not tools.call(found.path, "-I", "-m", "venv", *(["--without-pip"] if is_empty else []), folder):
        message = f"no virtual environment can be made with {found.path}: install its venv module and ensurepip, or uv; {ADVICE}"
        raise _with_log(message, tools.log)
    else:
        is_made = True
    python = pythons.ask(folder / "bin" / "python", tools.environ) if is_made else None
    if python is None or python.implementation != wanted.implementation:
        raise _no_python(wanted, tools)
    return python


def _requests(wanted: Interpreter, found: Python | None) -> Sequence[str]:
    """What uv is asked for, in turn: it can download a version that is not here."""
    if found is not None and found.version == wanted.version:
        return [str(found.path)]
    requests = [f"{wanted.implementation}@{wanted.version}", f"{wanted.implementation}@{minor_of(wanted.version)}"]
    return [*requests, str(found.path)] if found else requests


def _no_python(wanted: Interpreter, tools: _Tools) -> ExptrackError:
    name = "Python" if wanted.implementation == "cpython" else wanted.implementation
    advice = "install it, or uv, which can get it" if tools.uv is None else "uv could not get it, install it"
    missing = f"there is no {name} {minor_of(wanted.version)} for the recorded environment ({name} {wanted.version})"
    return _with_log(f"{missing}: {advice}; {ADVICE}", tools.log)


def _install(recipe: Recipe, folder: Path, requirements: Path, tools: _Tools) -> None:
    """Exactly these packages: what they depend on was recorded with them."""
    if not recipe.packages:
        return
    python = folder / "bin" / "python"
    if tools.uv is not None:
        pip: tuple[str | Path, ...] = (tools.uv, "pip", "install", "--python", python)
    else:
        pip = (python, "-I", "-m", "pip", "install")
    before = {path for place in recipe.projects for path in _leftovers(place)}
    projects = [word for place in recipe.projects for word in ("-e", str(place))]
    is_done = tools.call(*pip, "--no-deps", "-r", requirements, *projects)
    for path in {path for place in recipe.projects for path in _leftovers(place)} - before:
        shutil.rmtree(path, ignore_errors=True)
    if not is_done:
        raise _with_log(f"{explain_failure(tools.said(), recipe.packages)}; {ADVICE}", tools.log)
    if tools.uv is None:
        _remove_unrecorded(recipe, python, tools)


def _leftovers(place: Path) -> list[Path]:
    """Folders that setuptools makes beside the sources, and an environment can do without: they are no result of the run."""
    return [*place.glob("*.egg-info"), *place.glob("src/*.egg-info"), *place.glob("build")]


def _remove_unrecorded(recipe: Recipe, python: Path, tools: _Tools) -> None:
    """What venv brought along; pip goes last, by itself."""
    names = [name for name in ("setuptools", "pip") if name not in {package.name for package in recipe.packages}]
    if names:
        tools.call(python, "-I", "-m", "pip", "uninstall", "--yes", *names)


def _with_log(message: str, log: Path) -> ExptrackError:
    error = ExptrackError(message)
    error.hints = (f"all that was said meanwhile: {log}",)
    return error
