"""An experiment of many small runs: what is measured is told by the seed and the rate."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

SETTINGS = """\
metrics:
  accuracy: {goal: maximize, min_effect: 0.01}
  test: {goal: maximize, holdout: true}
capture:
  patterns: ['accuracy (?P<accuracy>\\S+) test (?P<test>\\S+)']
experiments:
  rate:
    hypothesis: A smaller rate is better.
    metric: accuracy
    variables: {lr: [0.1, 0.2, 0.3]}
    baseline: {lr: 0.3}
"""
# The noise is a fixed one of about 0.004; rates of 0.1 apart are far beyond it.
SCRIPT = """\
for word; do export "$word"; done
[ "$fail" = 1 ] && exit 1
awk -v lr="$lr" -v seed="$seed" 'BEGIN {
    noise = ((seed * 37 + lr * 70) % 11 - 5) / 1000
    printf "accuracy %.5f test %.5f\\n", 1 - lr + noise, 7.9 - lr - noise
}'
"""


def declare(repository: Path, settings: str = SETTINGS) -> None:
    """Have the repository hold the experiment, committed."""
    (repository / "exptrack.yaml").write_text(settings)
    (repository / "measure.sh").write_text(SCRIPT)
    (repository / "params.yaml").unlink(missing_ok=True)
    subprocess.run(["git", "add", "-A"], cwd=repository, check=True)
    subprocess.run(["git", "commit", "-qm", "an experiment"], cwd=repository, check=True)


def measure(exptrack: Callable[..., Any], rates: Iterable[float], seeds: Iterable[int], *more: str) -> None:
    """Record a run of each rate with each seed."""
    listed = list(seeds)
    commands = [
        ["--name", f"r{round(lr * 10)}-{seed}", "--", "sh", "measure.sh", f"lr={lr}", f"seed={seed}", *more]
        for lr in rates
        for seed in listed
    ]
    follow(exptrack, [["run", "-e", "rate", *one] for one in commands], status=int("fail=1" in more))


# Half of what a small run takes is the start of Python and the imports, once for all of them.
_FOLLOW = """\
import json, sys
from exptrack.cli import main
status, commands = json.loads(sys.argv[1])
for words in commands:
    if main(words) != status:
        sys.exit(f"not {status}: {words}")
"""


def follow(exptrack: Callable[..., Any], commands: Sequence[Sequence[str]], status: int = 0) -> None:
    """Run command lines of exptrack one after the other, in one process; each must give that status."""
    done = exptrack.python("-c", _FOLLOW, json.dumps([status, commands]))  # type: ignore[attr-defined]
    assert done.returncode == 0, done.stderr


_MADE: dict[tuple[float, ...], Path] = {}


def once(
    factory: pytest.TempPathFactory, repository: Path, exptrack: Callable[..., Any], rates: Sequence[float]
) -> None:
    """Have the repository hold three seeds of each rate; they are recorded once, and copied for the tests after that."""
    key = tuple(rates)
    if key in _MADE:
        shutil.rmtree(repository)
        shutil.copytree(_MADE[key], repository, symlinks=True)
        return
    declare(repository)
    measure(exptrack, rates, range(3))
    _MADE[key] = factory.mktemp("experiment") / "project"
    shutil.copytree(repository, _MADE[key], symlinks=True)


def annotations(repository: Path, name: str, kind: str) -> list[dict[str, Any]]:
    """The annotations of a kind on a run, as git has them."""
    [oid] = subprocess.run(
        ["git", "for-each-ref", "--format=%(objectname)", f"refs/exptrack/runs/*/{name}"],
        cwd=repository, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    done = subprocess.run(
        ["git", "notes", "--ref=exptrack", "show", oid], cwd=repository, capture_output=True, text=True, check=False
    )
    return [one for line in done.stdout.splitlines() if (one := json.loads(line))["kind"] == kind]
