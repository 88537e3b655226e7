"""What the tests of many processes and of kills look at: runs read with git alone, what is left over, and the user's own things."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parent / "scripts"
PATIENCE = 240  # seconds until a test gives up on what must happen at some time
# In sh; with an end, so that nothing goes on for ever where a test has failed.
AWAIT = """
await() { tries=0; until [ -e "$1" ] || [ $tries -gt 24000 ]; do sleep 0.01; tries=$((tries + 1)); done; }
"""


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def argv(*words: str | Path) -> list[str]:
    """The command line of exptrack, for a process of its own."""
    return [sys.executable, "-m", "exptrack", *map(str, words)]


def put_git_in_front(folder: Path, script: str) -> dict[str, str]:
    """An environment in which `git` is this piece of sh; in it, "$git" is the real one, and `await PATH` waits for a file."""
    folder.mkdir(exist_ok=True)
    front = folder / "git"
    front.write_text(f"#!/bin/sh\ngit={shutil.which('git')}\n{AWAIT}{script}")
    front.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


@dataclass(frozen=True)
class Witness:
    """Looks at a repository from outside, as another tool would."""

    folder: Path

    def git(self, *words: str, stdin: str | None = None) -> str:
        words = ("--no-optional-locks", *words)
        return subprocess.run(
            ["git", *words], cwd=self.folder, input=stdin, capture_output=True, text=True, check=True
        ).stdout

    def refs(self, prefix: str = "refs/exptrack/runs") -> dict[str, str]:
        """The refs below a prefix, by the name of the run."""
        refs = self.git("for-each-ref", "--format=%(refname)", prefix).split()
        return {ref.rpartition("/")[2]: ref for ref in refs}

    def records(self) -> dict[str, dict[str, Any]]:
        """The record of each run, by name."""
        refs = self.refs()
        out = self.git("cat-file", "--batch", stdin="".join(f"{ref}:.exptrack/run.json\n" for ref in refs.values()))
        records = []
        while out:
            header, _, rest = out.partition("\n")
            size = int(header.rsplit(" ", 1)[1])  # fails where git says `missing`
            assert rest[:size].isascii()
            records.append(json.loads(rest[:size]))
            out = rest[size + 1 :]
        return dict(zip(refs, records, strict=True))

    def record(self, name: str) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(self.git("show", f"{self.refs()[name]}:.exptrack/run.json"))
        return record

    def numbers(self, name: str) -> list[int]:
        """The history of the metric `number`; empty if the run has none."""
        ref, path = self.refs()[name], ".exptrack/history/number.tsv"
        if not self.git("ls-tree", "--name-only", ref, path):
            return []
        return [int(line.split("\t")[2]) for line in self.git("show", f"{ref}:{path}").splitlines()[1:]]

    def journal(self, name: str) -> Path:
        return self.folder / ".git" / "exptrack" / "active" / name

    def entries(self, name: str) -> list[dict[str, Any]]:
        """What the journal of a run under way holds so far; nothing if there is none (any more)."""
        try:
            *lines, _ = (self.journal(name) / "stream").read_text().split("\n")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines]

    def has_started(self, name: str) -> bool:
        """Whether the journal says that the command may have run."""
        return any(entry["kind"] == "starting" for entry in self.entries(name))

    def logged(self, name: str) -> list[int]:
        """The metric `number` as the journal holds it so far."""
        return [int(entry["values"]["number"]) for entry in self.entries(name) if entry["kind"] == "metrics"]

    def left_over(self) -> list[str]:
        """What only runs under way have: journals (whole or not) and refs."""
        active = self.folder / ".git" / "exptrack" / "active"
        return [*(path.name for path in active.glob("*")), *self.refs("refs/exptrack/active").values()]

    def users_things(self) -> tuple[object, ...]:
        """HEAD, branches, tags, stash, index and every file of the work tree."""
        files = {
            path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file() and ".git" not in path.parts
        }
        return (
            (self.folder / ".git" / "HEAD").read_text(),
            self.git("for-each-ref", "refs/heads", "refs/tags", "refs/stash"),
            (self.folder / ".git" / "index").read_bytes(),
            self.git("status", "--porcelain"),
            files,
        )

    def check_objects(self) -> None:
        done = subprocess.run(
            ["git", "fsck", "--strict", "--no-dangling", "--no-progress"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
