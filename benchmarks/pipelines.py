"""Projects with a DVC pipeline to measure in: three stages that take no time, and the example that travels with exptrack."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import BenchmarkError
from benchmarks.worlds import ask, call, make_dvc_repository, program
from exptrack.operations.example import copy_example

_SMALL = 20
_COPIES = ("cp params.yaml prepared", "cp prepared model", "cp model metrics.yaml")
_STAGES = f"""\
stages:
  prepare:
    cmd: {_COPIES[0]}
    params: [lr]
    outs: [prepared]
  train:
    cmd: {_COPIES[1]}
    deps: [prepared]
    outs: [model]
  evaluate:
    cmd: {_COPIES[2]}
    deps: [model]
    metrics: [{{metrics.yaml: {{cache: false}}}}]
"""
_IGNORED = "/prepared\n/model\n/metrics.yaml\n"
_DATA = "data/digits.csv.gz"
_FIRST_VALUE = 10**8  # above any number of a process, which other values are made of
_LONGEST_STOP = 60  # seconds


class Project(NamedTuple):
    """What makes a project: `key` is a parameter that all stages depend on, `own` what the stages run, for a shell, `data` what DVC holds."""

    name: str
    make: Callable[[Path, Mapping[str, str]], Path]
    key: str
    own: str
    data: str | None = None


def make_trivial(folder: Path, environ: Mapping[str, str]) -> Path:
    """A repository with three stages that copy a file, with parameters, dependencies, outs and metrics, nothing of it run yet."""
    make_dvc_repository(folder, _SMALL, _STAGES, environ)
    (folder / ".gitignore").write_text(_IGNORED, encoding="utf-8")
    call(folder, environ, "git", "commit", "--quiet", "--all", "-m", "what the stages write")
    return folder


def make_example(folder: Path, environ: Mapping[str, str]) -> Path:
    """A repository with the example project, its data in the DVC cache, nothing of it run yet."""
    copy_example(folder)
    call(folder, environ, "git", "init", "--quiet")
    call(folder, environ, "git", "add", ".")
    call(folder, environ, "git", "commit", "--quiet", "-m", "a pipeline")
    call(folder, environ, *program("dvc"), "commit", "--quiet", "--force", f"{_DATA}.dvc")
    return folder


TRIVIAL = Project("three empty stages", make_trivial, "lr", " && ".join(_COPIES))
EXAMPLE = Project(
    "the example",
    make_example,
    "seed",
    " && ".join(f"python -m digits.{stage}" for stage in ("prepare", "train", "evaluate")),
    _DATA,
)


def renew(folder: Path, key: str) -> Callable[[], None]:
    """What gives the parameter a value that it never had, in the work tree."""
    file, values = folder / "params.yaml", count(_FIRST_VALUE)

    def write() -> None:
        text = file.read_text(encoding="utf-8")
        file.write_text(re.sub(rf"^{key}: \S+", f"{key}: {next(values)}", text, flags=re.MULTILINE), encoding="utf-8")

    return write


def shell(line: str) -> tuple[str, ...]:
    """The words that run a line; `$$` in it is another number each time."""
    return ("sh", "-c", line)


def forget_slots(folder: Path) -> Callable[[], None]:
    """What removes the slots of a repository, so that the next isolated run makes one anew."""

    def remove() -> None:
        shutil.rmtree(folder / ".git" / "exptrack" / "worktrees", ignore_errors=True)
        for path in (folder / ".git" / "worktrees").glob("exptrack-w*"):
            shutil.rmtree(path, ignore_errors=True)

    return remove


def clean(folder: Path, environ: Mapping[str, str]) -> Callable[[], None]:
    """What makes the work tree that of HEAD alone, and leaves the DVC cache."""

    def restore() -> None:
        call(folder, environ, "git", "reset", "--quiet", "--hard")
        call(folder, environ, "git", "clean", "-fdxq", "-e", ".dvc")

    return restore


def stop_queue(folder: Path, environ: Mapping[str, str]) -> Callable[[], None]:
    """What ends the workers that a queue of DVC has left behind; they would wait for work for ten seconds, beside what comes next."""
    dvc = program("dvc")

    def stop() -> None:
        if not (folder / ".dvc" / "tmp" / "exps" / "celery").exists():
            return
        call(folder, environ, *dvc, "queue", "stop")
        end = time.monotonic() + _LONGEST_STOP
        while "0 active, 0 idle" not in ask(folder, environ, *dvc, "queue", "status"):
            if time.monotonic() > end:
                raise BenchmarkError(f"the queue of dvc in {folder} does not end")
            time.sleep(0.1)

    return stop
