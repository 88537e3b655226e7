"""A training script, and what became of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from witness import Witness, until


class Stage:
    """A repository in which scripts that track themselves are started, as `python train.py` or with other words."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.witness = Witness(folder)
        self.scripts: list[subprocess.Popen[str]] = []
        self.said = ""

    def write(self, text: str, name: str = "train.py") -> None:
        (self.folder / name).write_text(dedent(text))

    def start(self, text: str, *words: str, before: tuple[str, ...] = (), **options: object) -> subprocess.Popen[str]:
        self.write(text)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        options.setdefault("cwd", self.folder)
        process = subprocess.Popen([*before, sys.executable, "train.py", *words], text=True, **options)  # type: ignore[call-overload]
        self.scripts.append(process)
        return process  # type: ignore[no-any-return]

    def play(self, text: str, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
        process = self.start(text, *words, **options)
        out, err = process.communicate()
        self.said += err or ""
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def under_run(self, *words: str) -> tuple[str, ...]:
        return (sys.executable, "-m", "exptrack", "run", *words, "--")

    def await_runs(self, count: int) -> dict[str, dict[str, object]]:
        """The records, once there are so many and no journal is left; of a script that was killed, its recorder still works."""
        active = self.folder / ".git" / "exptrack" / "active"
        # With no script and no journal left nothing more will come, and nobody needs to wait for it.
        until(lambda: all(one.poll() is not None for one in self.scripts) and not any(active.glob("*")))
        refs = self.witness.refs()
        records = {
            name: json.loads(self.witness.git("show", f"{ref}:.exptrack/run.json")) for name, ref in refs.items()
        }
        assert len(records) == count, self.said
        return records

    def history(self, name: str, metric: str) -> list[tuple[str, str]]:
        """Step and value of each point."""
        text = self.witness.git("show", f"{self.witness.refs()[name]}:.exptrack/history/{metric}.tsv")
        fields = [line.split("\t") for line in text.splitlines()[1:]]
        return [(step, value) for _, step, *_, value in fields]


@pytest.fixture
def stage(repository: Path) -> Stage:
    (repository / ".gitignore").write_text("metrics.json\n")
    return Stage(repository)


@pytest.fixture
def only(stage: Stage) -> Callable[[], dict[str, object]]:
    """The record of the one run that there is."""

    def find() -> dict[str, object]:
        [record] = stage.await_runs(1).values()
        return record

    return find
