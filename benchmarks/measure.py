"""Commands timed side by side: interleaved, so that what else the machine does meets all of them alike."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

_LAUNCH = (sys.executable, "-I", "-S", str(Path(__file__).resolve().with_name("launch.py")))


class BenchmarkError(Exception):
    """A command that is to be measured cannot be run here; the message is one line."""


class Target(NamedTuple):
    """What was promised of a command: that it takes at most `most` seconds, or at most that share of the time of another case.

    `of` is the name of that case, in the same group. With `is_added`, only what the command takes longer than the first case of its
    group counts. Without `most` nothing was promised, and the share is shown.
    """

    most: float | None = None
    of: str | None = None
    is_added: bool = False


class Case(NamedTuple):
    """A command to time in `directory`. `prepare` is called before each run and not timed.

    What takes very long takes part in the first `rounds` rounds only, and if that is one, it is not run before them either.
    """

    name: str
    argv: tuple[str, ...]
    directory: Path
    prepare: Callable[[], None] | None = None
    targets: tuple[Target, ...] = ()
    rounds: int | None = None


class Group(NamedTuple):
    """Cases that are compared: the first is the bare command, or the floor, that the others are added to."""

    name: str
    cases: tuple[Case, ...]


class Verdict(NamedTuple):
    """What was found beside a target: seconds, or a share."""

    target: Target
    found: float

    @property
    def met(self) -> bool | None:
        """Whether the target was met; None if nothing was promised."""
        return None if self.target.most is None else self.found <= self.target.most


class _Taken(NamedTuple):
    seconds: float
    cpu: float
    peak: float


class Row(NamedTuple):
    """What came out for a case, in seconds; `cpu` counts what the command and its children computed, on all cores.

    `peaks` are the largest resident sets in bytes, of the command or the largest of its children; what is below that of a bare Python is not
    told apart from it. `added` is the difference of the medians of this case and of the first of its group, which itself has none.
    """

    group: str
    case: Case
    seconds: tuple[float, ...]
    cpu: tuple[float, ...]
    peaks: tuple[float, ...]
    added: float | None
    verdicts: tuple[Verdict, ...]

    @property
    def median(self) -> float:
        return median(self.seconds)


def measure(group: Group, environ: Mapping[str, str], rounds: int) -> tuple[Row, ...]:
    """Time each case `rounds` times, one after the other in each round. A round before them fills caches and is not counted.

    Raises BenchmarkError if a command fails.
    """
    for case in group.cases:
        if case.rounds != 1:
            _time(case, environ)
    times: list[list[_Taken]] = [[] for _ in group.cases]
    for number in range(rounds):
        for case, taken in zip(group.cases, times, strict=True):
            if case.rounds is None or number < case.rounds:
                taken.append(_time(case, environ))
    return tuple(_rows(group, times))


def _rows(group: Group, times: Sequence[Sequence[_Taken]]) -> Iterator[Row]:
    medians = {case.name: median(one.seconds for one in taken) for case, taken in zip(group.cases, times, strict=True)}
    bare = group.cases[0]
    for case, taken in zip(group.cases, times, strict=True):
        seconds, cpu, peaks = zip(*taken, strict=True)
        added = medians[case.name] - medians[bare.name]
        verdicts = tuple(_judge(target, medians, medians[case.name], added) for target in case.targets)
        yield Row(group.name, case, seconds, cpu, peaks, None if case is bare else added, verdicts)


def _judge(target: Target, medians: Mapping[str, float], whole: float, added: float) -> Verdict:
    taken = added if target.is_added else whole
    return Verdict(target, taken if target.of is None else taken / medians[target.of])


def _time(case: Case, environ: Mapping[str, str]) -> _Taken:
    """By a small process that starts the command: a child's peak is never below what its parent held when it was started."""
    if case.prepare is not None:
        case.prepare()
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as told:
        try:
            code, said = _finish((*_LAUNCH, str(writing), *case.argv), case.directory, environ, writing)
        finally:
            os.close(writing)
        kind, *answer = told.read().decode().split(" ", 3)
    if kind == "error":
        raise BenchmarkError(f"cannot run '{case.argv[0]}': {' '.join(answer)}")
    if code:
        raise BenchmarkError(f"'{' '.join(case.argv)}' gave {code}: {said[-1] if said else 'no reason'}")
    return _Taken(*map(float, answer))


def _finish(argv: tuple[str, ...], directory: Path, environ: Mapping[str, str], told: int) -> tuple[int, list[str]]:
    """The exit status and the lines of stderr, of a process in a group of its own, which goes with us if we have to go."""
    with subprocess.Popen(
        argv, cwd=directory, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        pass_fds=(told,), process_group=0,
    ) as process:  # fmt: skip
        try:
            _, said = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, said.decode(errors="replace").strip().splitlines()
