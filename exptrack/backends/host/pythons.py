"""A Python to build an environment with: of the recorded version if there is one here, else of the same minor version."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from exptrack.backends.host.child import output
from exptrack.backends.host.lookup import is_executable, which
from exptrack.model.environment import Interpreter

# Isolated and without `site`: no variable, `.pth` file or module of a work tree has a say in the answer.
_QUESTION = (
    "import sys; v = sys.version.split()[0]; "
    "sys.stdout.write('\\n'.join([v, sys.implementation.name, getattr(sys, '_base_executable', None) or sys.executable]))"
)
_MINOR = re.compile(r"(\d+\.\d+)(?:\.|$)")


class Python(NamedTuple):
    """An interpreter that answered; `path` is its own, not that of a shim or a virtual environment."""

    path: Path
    version: str
    implementation: str


def minor_of(version: str) -> str | None:
    """`3.11` of `3.11.7`; None of what is no version."""
    match = _MINOR.match(version)
    return match and match[1]


def ask(path: Path, environ: Mapping[str, str]) -> Python | None:
    """What the interpreter at `path` is; None if it does not answer, or is older than Python 3.4."""
    answer = (output([str(path), "-I", "-S", "-c", _QUESTION], environ=environ) or "").split("\n")
    return (
        Python(Path(answer[2]), answer[0], answer[1]) if len(answer) == 3 and is_executable(Path(answer[2])) else None
    )


def find_python(wanted: Interpreter, environ: Mapping[str, str]) -> Python | None:
    """A Python of this machine with the wanted implementation and version, or at least the same minor version; None if there is none.

    Asked are the recorded path, those on PATH, and the one that runs this.
    """
    near: Python | None = None
    for path in dict.fromkeys(_candidates(wanted, environ)):
        python = ask(path, environ)
        if python is None or python.implementation != wanted.implementation:
            continue
        if python.version == wanted.version:
            return python
        if near is None and minor_of(python.version) == minor_of(wanted.version):
            near = python
    return near


def _candidates(wanted: Interpreter, environ: Mapping[str, str]) -> Iterator[Path]:
    """Links are followed: those of a virtual environment lead to the Python that it was made with."""
    if is_executable(Path(wanted.path)):
        yield Path(os.path.realpath(wanted.path))
    name = "python" if wanted.implementation == "cpython" else wanted.implementation
    for word in (f"{name}{minor_of(wanted.version)}", f"{name}3"):
        if found := which(word, Path("/"), environ):
            yield Path(os.path.realpath(found))
    if sys.executable:
        yield Path(os.path.realpath(sys.executable))
