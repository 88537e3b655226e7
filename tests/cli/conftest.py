"""Runs made by the command line, looked at with plain git."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PYTHON = sys.executable


@dataclass(frozen=True)
class Look:
    """Reads runs with git alone, as another tool would."""

    folder: Path

    def git(self, *words: str) -> str:
        return subprocess.run(["git", *words], cwd=self.folder, capture_output=True, text=True, check=True).stdout

    def refs(self, prefix: str = "refs/exptrack/runs") -> list[str]:
        return self.git("for-each-ref", "--format=%(refname)", prefix).split()

    def ref(self, name: str) -> str:
        [found] = [ref for ref in self.refs() if ref.endswith(f"/{name}")]
        return found

    def file(self, name: str, path: str) -> str:
        return self.git("show", f"{self.ref(name)}:{path}")

    def record(self, name: str) -> dict[str, Any]:
        return json.loads(self.file(name, ".exptrack/run.json"))

    def changes(self, name: str) -> list[str]:
        """Paths that the run commit adds to its snapshot, those of the record left out."""
        ref = self.ref(name)
        listed = self.git("diff", "--name-only", f"{ref}^", ref).splitlines()
        return [path for path in listed if not path.startswith(".exptrack/")]


@pytest.fixture
def look(repository: Path) -> Look:
    return Look(repository)


@pytest.fixture
def run(exptrack: Callable[..., Any], look: Look) -> Callable[..., dict[str, Any]]:
    """Record a run named `one` (or `name=`) of a piece of Python code, and give its record."""

    def call(code: str, *options: str, name: str = "one", status: int = 0) -> dict[str, Any]:
        done = exptrack("run", "--name", name, *options, "--", PYTHON, "-c", code)
        assert done.returncode == status, done.stderr
        return look.record(name)

    return call
