"""Training scripts of real frameworks, each started as a user would, and the runs that they leave."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pages import read
from witness import Witness, until

PAGE = Path(__file__).parents[2] / "docs" / "integrations.md"


class Gym:
    """A repository with a training script."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.witness = Witness(folder)

    def train(self, script: str, *before: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Start the script, behind the words `before` if there are any."""
        (self.folder / "train.py").write_text(script)
        environ = {**os.environ, "HF_HUB_OFFLINE": "1", "KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1", **variables}
        command = [*before, sys.executable, "train.py"]
        return subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, text=True, check=False)

    def runs(self) -> dict[str, dict[str, Any]]:
        """The records by name, once nothing is under way any more."""
        active = self.folder / ".git" / "exptrack" / "active"
        until(lambda: not any(active.iterdir()))
        refs = self.witness.refs()
        return {name: json.loads(self.witness.git("show", f"{ref}:.exptrack/run.json")) for name, ref in refs.items()}

    def run(self) -> dict[str, Any]:
        """The record of the only one."""
        [record] = self.runs().values()
        return record

    def history(self, name: str, metric: str) -> list[tuple[float | None, ...]]:
        """Of each point its step, its epoch and its value, in whatever order they stand in the file."""
        text = self.witness.git("show", f"{self.witness.refs()[name]}:.exptrack/history/{metric}.tsv")
        head, *lines = (line.split("\t") for line in text.splitlines())
        points = [dict(zip((*head[:-1], "value"), line, strict=True)) for line in lines]
        return [
            tuple(float(point[key]) if point.get(key) else None for key in ("step", "epoch", "value"))
            for point in points
        ]

    def files(self, name: str) -> list[str]:
        """What the run keeps below `artifacts/`."""
        ref = self.witness.refs()[name]
        listed = self.witness.git("ls-tree", "-r", "--name-only", ref, ".exptrack/artifacts/").splitlines()
        return sorted(path.removeprefix(".exptrack/artifacts/") for path in listed)


@pytest.fixture
def gym(repository: Path) -> Gym:
    (repository / "params.yaml").unlink()
    (repository / ".gitignore").write_text("lightning_logs/\noutput/\n")
    return Gym(repository)


@pytest.fixture
def under_run() -> tuple[str, ...]:
    return (sys.executable, "-m", "exptrack", "run", "--")


@pytest.fixture
def example() -> Callable[[str], str]:
    """The script that the page of the integrations gives under this mark."""

    def find(mark: str) -> str:
        [script] = re.findall(rf"^<!-- example {mark} -->\n```python\n(.*?)^```$", read(PAGE), re.MULTILINE | re.DOTALL)
        return str(script)

    return find
