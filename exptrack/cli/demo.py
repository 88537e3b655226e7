"""`exptrack demo`: walk through the main job on real data."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from exptrack.cli.common import say
from exptrack.errors import ExptrackError
from exptrack.operations.example import copy_example, keep_example_data

_TRAIN = "exptrack run {options} -m {note} -- python train.py {arguments}"
_WIDE = "model.hidden=64 train.lr=0.3"
_RUNS = (
    ("-e wider --name shipped", "the parameters as they are", ""),
    ("--name slow", "a smaller learning rate", "train.lr=0.01"),
    ("-e wider --name wide", "more hidden units, faster", _WIDE),
)
_SEED = "exptrack run -e wider --name {name}-{seed} -- python train.py {arguments}"
_SEEDS = range(1, 5)
# What DVC says of itself, and every epoch but the last of those in a row.
_NOISE = re.compile(r"$|> |(Updating|Generating) lock file|'.*' didn't change|epoch .*\nepoch ", re.MULTILINE)
_DIVERGES = ("--name diverges", "far too fast", "train.lr=10")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", metavar="DIR", help="a new folder (else exptrack-demo)")
    parser.add_argument("--copy", action="store_true", help="copy the example project, and leave the rest to you")


def run(arguments: argparse.Namespace) -> int:
    start = Path(arguments.directory)
    folder = start / arguments.folder if arguments.folder else _free(start)
    copy_example(folder)
    if arguments.copy:
        say(f"copied the example project to {folder}")
        return 0
    scene = _Scene(folder)
    scene.tell(f"A project that learns to read 1,797 handwritten digits, copied to {folder}")
    _prepare(scene)
    scene.tell("Each run becomes a commit on a hidden ref: the code, parameters, metrics, pointers to data")
    for options, note, words in _RUNS:
        scene.do(_TRAIN.format(options=options, note=shlex.quote(note), arguments=words).rstrip(), shown=3)
    scene.tell("A run that fails is kept, too")
    options, note, words = _DIVERGES
    scene.do(_TRAIN.format(options=options, note=shlex.quote(note), arguments=words), expected=1, shown=3)
    _repeat(scene)
    _look(scene)
    _compare(scene)
    _claim(scene)
    scene.tell(f"Your turn: cd {shlex.quote(os.path.relpath(folder))} && exptrack run -- python train.py train.lr=0.2")
    return 0


def _prepare(scene: _Scene) -> None:
    scene.do("git init --quiet")
    if subprocess.run(
        ["git", "var", "GIT_COMMITTER_IDENT"], cwd=scene.folder, capture_output=True, check=False
    ).returncode:
        scene.tell("Git does not know your name yet, so the demo gets one of its own")
        scene.do("git config user.name 'exptrack demo'")
        scene.do("git config user.email demo@example.com")
    scene.do("git add .")
    scene.do("git commit --quiet -m 'Read handwritten digits'")
    keep_example_data(scene.folder)


def _look(scene: _Scene) -> None:
    scene.tell("All of them, newest first")
    scene.do("exptrack ls")
    scene.tell("What made the difference? Parameters, metrics and code of two runs")
    scene.do("exptrack diff shipped wide")
    scene.tell("One run in full")
    scene.do("exptrack tag best wide")
    scene.do("exptrack show best")
    ref = subprocess.run(
        ["git", "for-each-ref", "--format=%(refname)", "refs/exptrack/runs/*/wide"],
        cwd=scene.folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    scene.tell("It is all plain Git: the run, its snapshot, your commit")
    scene.do(f"git log --oneline {ref}")
    scene.do(f"git diff --stat {ref}^ {ref}")
    scene.do(f"git show {ref}:metrics.json")
    scene.tell("And your work tree, index and branches are as they were")
    scene.do("git status --short --branch")


def _compare(scene: _Scene) -> None:
    scene.tell(
        "Is `wide` better than `shipped`, or was it luck? `exptrack.yaml` plans five seeds of each: these are the rest"
    )
    for seed in _SEEDS:
        for name, words in (("shipped", ""), ("wide", _WIDE)):
            arguments = f"{words} seed={seed}".lstrip()
            scene.do(_SEED.format(name=name, seed=seed, arguments=arguments), shown=1)
    scene.do("exptrack compare -e wider")


def _claim(scene: _Scene) -> None:
    scene.tell("For a review: a branch with the run's code and results, whose commit claims the run")
    scene.do("exptrack branch wide wider-layer")
    scene.do("git log -1 --format=%B wider-layer")
    scene.tell(
        "What CI would say: is it what ran, and does it still give the same? (`exptrack init --ci github` has CI ask that)"
    )
    scene.do("exptrack check HEAD..wider-layer", is_answer_only=True)


def _repeat(scene: _Scene) -> None:
    scene.tell("Without a command the DVC pipeline runs; with -S it has another parameter, and a work tree of its own")
    scene.do("exptrack run --name narrow -S model.hidden=8", shown=9)
    scene.tell("A stage that has nothing new to do is not run again: its outputs come out of the DVC cache")
    scene.do("exptrack run --name narrow-fast -S model.hidden=8 -S train.lr=0.3", shown=9)
    scene.do("exptrack show narrow-fast")
    scene.tell("Does it reproduce? All its stages are executed again, from what was recorded alone")
    scene.do("exptrack reproduce narrow-fast", is_answer_only=True)


def _free(start: Path) -> Path:
    names = ["exptrack-demo", *(f"exptrack-demo-{number}" for number in range(2, 1000))]
    return next(start / name for name in names if not (start / name).exists())


class _Scene:
    """Prints each command before it runs it, as a person would type it, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # `python` and `exptrack` are those of this installation, also where it is not activated.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        self._environ = {**os.environ, "PATH": path, "GIT_PAGER": "cat"}

    def tell(self, text: str) -> None:
        print(f"\n# {text}", flush=True)

    def do(self, line: str, *, expected: int = 0, shown: int | None = None, is_answer_only: bool = False) -> None:
        """Run a line; `shown` cuts its output to the last lines that tell something, `is_answer_only` leaves out what it says on stderr."""
        print(f"$ {line}", flush=True)
        words = shlex.split(line)
        command = [sys.executable, "-m", "exptrack", *words[1:]] if words[0] == "exptrack" else words
        streams = {} if shown is None else {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        if is_answer_only:
            streams["stderr"] = subprocess.DEVNULL
        done = subprocess.run(command, cwd=self.folder, env=self._environ, check=False, text=True, **streams)  # type: ignore[call-overload]
        if shown is not None:
            lines = done.stdout.splitlines()
            told = [line for line, after in pairwise([*lines, ""]) if not _NOISE.match(f"{line}\n{after}")]
            print("\n".join(told[-shown:]), flush=True)
        if done.returncode != expected:
            say(f"that ended with exit status {done.returncode} instead of {expected}")
            raise ExptrackError(f"the demo stopped at `{line}`; the folder {self.folder} is as it was then")
