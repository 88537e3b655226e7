"""What an interpreter says of itself: its version, and where it looks for packages."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from exptrack.backends.host.cache import Slot, recall, remember, remember_failure, stamps
from exptrack.backends.host.child import TIMEOUT, output
from exptrack.backends.host.command import is_python
from exptrack.backends.host.scene import Found

UNKNOWN = "unknown"

# ASCII on any locale, and no import that a module of the working directory could stand in for.
_MARK = "exptrack-interpreter:"
_QUESTION = (
    "import sys; site = sys.modules.get('site'); "
    f"sys.stdout.write('{_MARK}' + ascii([sys.version.split()[0], sys.implementation.name, sys.executable or '', sys.prefix, "
    "[p for p in sys.path if p], "
    "list(getattr(site, 'getsitepackages', list)()) + [getattr(site, 'USER_SITE', None) or '']]))"
)

# What decides on `sys.path`, next to the interpreter itself.
_VARIABLES = (
    "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONPLATLIBDIR", "__PYVENV_LAUNCHER__", "HOME",
)  # fmt: skip

# What decides which version a shim (of pyenv, asdf, mise) runs: these variables, and such a file at or above the working directory.
_SHIM_VARIABLES = (
    *_VARIABLES, "PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "XDG_CONFIG_HOME", "PYENV_VERSION", "PYENV_ROOT", "PYENV_DIR",
    "ASDF_PYTHON_VERSION", "ASDF_DATA_DIR", "ASDF_DIR", "MISE_PYTHON_VERSION", "MISE_ENV", "MISE_DATA_DIR", "MISE_CONFIG_DIR",
)  # fmt: skip
_SHIM_FILES = (
    ".python-version", ".tool-versions", "mise.toml", ".mise.toml", "mise.local.toml", ".config/mise/config.toml",
)  # fmt: skip


class Facts(NamedTuple):
    """Of an interpreter: `executable` is its own path, `path` the folders and archives on `sys.path`, the script's own left out."""

    version: str
    implementation: str
    executable: str
    path: tuple[str, ...] = ()


def capture_facts(found: Found, cache: Path, *, timeout: float = TIMEOUT) -> Facts:
    """Ask the interpreter, or the cache; one that does not answer within `timeout` seconds has the version `unknown` and no path."""
    slot = _slot(found, cache)
    known = recall(slot)
    if known is not None:
        return Facts(**{**known, "path": tuple(known["path"])})
    watch = stamps(_before(found))
    began = time.monotonic()
    environ = {name: value for name, value in found.scene.environ.items() if name != "PYTHONINSPECT"}
    directory = found.scene.directory if found.scene.directory.is_dir() else Path("/")
    flags = [f"-{found.flags}"] if found.flags else []
    answer = output([str(found.path), *flags, "-c", _QUESTION], environ=environ, directory=directory, timeout=timeout)
    parsed = _parse(answer or "", found, directory)
    if parsed is None:
        facts = Facts(UNKNOWN, UNKNOWN, str(found.path))
        remember_failure(slot, facts._asdict(), watch=watch, began=began)
        return facts
    facts, prefix, sites = parsed
    watch |= stamps(_after(facts, prefix, sites))
    remember(slot, facts._asdict(), watch=watch)
    return facts


def _slot(found: Found, cache: Path) -> Slot:
    environ, directory = found.scene.environ, found.scene.directory
    if _is_shim(found.path):
        variables = {name: environ[name] for name in _SHIM_VARIABLES if name in environ}
        return Slot(cache, "interpreter", [str(found.path), found.flags, str(directory)], variables)
    variables = {name: environ[name] for name in _VARIABLES if name in environ}
    is_relative = any(not part.startswith("/") for part in environ.get("PYTHONPATH", "/").split(os.pathsep))
    key = [str(found.path), found.flags, variables, str(directory) if is_relative else None]
    return Slot(cache, "interpreter", key)


def _is_shim(path: Path) -> bool:
    """Whether another program stands in for the interpreter: a script, or one program behind many names."""
    try:
        with path.open("rb") as file:
            return file.read(2) == b"#!" or not is_python(Path(os.path.realpath(path)))
    except OSError:
        return False


def _before(found: Found) -> Iterator[Path]:
    """The files that decide what is run."""
    yield found.path
    yield Path(os.path.realpath(found.path))
    yield found.path.parent.parent / "pyvenv.cfg"
    if _is_shim(found.path):
        environ, directory = found.scene.environ, found.scene.directory
        home = Path(environ.get("HOME") or "/")
        for folder in (directory, *directory.parents, home):
            yield from (folder / name for name in _SHIM_FILES)
        yield Path(environ.get("PYENV_ROOT") or home / ".pyenv") / "version"
        yield found.path.parent.parent / "version"


def _after(facts: Facts, prefix: str, sites: tuple[str, ...]) -> Iterator[Path]:
    """The files that decide what it answers; a `.pth` file of a site folder adds to `sys.path`."""
    yield from (Path(facts.executable), Path(os.path.realpath(facts.executable)), Path(prefix, "pyvenv.cfg"))
    for site in sites:
        yield Path(site)
        yield from Path(site).glob("*.pth")


def _parse(answer: str, found: Found, directory: Path) -> tuple[Facts, str, tuple[str, ...]] | None:
    import ast

    _, mark, text = answer.rpartition(_MARK)
    if not mark:
        return None
    try:
        version, implementation, executable, prefix, path, sites = ast.literal_eval(text.partition("\n")[0])
        absolute = dict.fromkeys(str(directory / folder) for folder in path)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    facts = Facts(version, implementation, executable or str(found.path), tuple(absolute))
    return facts, prefix, tuple(dict.fromkeys(site for site in sites if site))
