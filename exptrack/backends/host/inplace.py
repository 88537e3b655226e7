"""Code that a Python imports from where it is written: what `sys.path` and the import hooks of editable installs lead to."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from exptrack.backends.host.command import find
from exptrack.backends.host.interpreter import capture_facts
from exptrack.backends.host.scene import Scene

# What setuptools writes for a package whose folder cannot just be put on `sys.path`.
_FINDER = re.compile(r"__editable__.*_finder\.py")
_MAPPING = re.compile(r"^MAPPING(?::[^=\n]*)? = (\{.*\})$", re.MULTILINE)


class Imports(NamedTuple):
    """The folders that the Python of a command imports from, and whether PYTHONPATH would come before them."""

    folders: tuple[str, ...] = ()
    is_heeding: bool = True


def find_imports(command: Sequence[str], *, directory: Path, environ: Mapping[str, str], cache: Path) -> Imports:
    """Where the Python that `command` uses imports from, when it is started in `directory` with `environ`; nowhere if it uses none.

    `cache` is a folder for answers that cost time. What cannot be found out is left out: nothing is raised.
    """
    found = find(command, Scene(directory.absolute(), environ, cache))
    if found is None:
        return Imports()
    path = capture_facts(found, cache).path
    hooked = [source for folder in path for source in _hooked(folder)]
    return Imports(tuple(dict.fromkeys([*path, *hooked])), not set(found.flags) & set("EI"))


def _hooked(folder: str) -> Iterator[str]:
    """The folders above the packages that import hooks in this folder lead to."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if _FINDER.fullmatch(entry.name)]
    except OSError:
        return
    for name in names:
        with suppress(OSError, UnicodeDecodeError, ValueError, SyntaxError):
            match = _MAPPING.search(Path(folder, name).read_text(encoding="utf-8"))
            for module, place in ast.literal_eval(match[1]).items() if match else ():
                yield str(Path(place).parents[module.count(".")])
