"""Commands timed side by side: interleaved, so that what else the machine does meets all of them alike."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple


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


class Row(NamedTuple):
    """What came out for a case, in seconds; `cpu` counts what the command and its children computed, on all cores.

    `added` is the difference of the medians of this case and of the first of its group, which itself has none.
    """

    group: str
    case: Case
    seconds: tuple[float, ...]
    cpu: tuple[float, ...]
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
    times: list[list[tuple[float, float]]] = [[] for _ in group.cases]
    for number in range(rounds):
        for case, taken in zip(group.cases, times, strict=True):
            if case.rounds is None or number < case.rounds:
                taken.append(_time(case, environ))
    return tuple(_rows(group, times))


def _rows(group: Group, times: Sequence[Sequence[tuple[float, float]]]) -> Iterator[Row]:
    medians = {
        case.name: median(seconds for seconds, _ in taken) for case, taken in zip(group.cases, times, strict=True)
    }
    bare = group.cases[0]
    for case, taken in zip(group.cases, times, strict=True):
        seconds, cpu = zip(*taken, strict=True)
        added = medians[case.name] - medians[bare.name]
        verdicts = tuple(_judge(target, medians, medians[case.name], added) for target in case.targets)
        yield Row(group.name, case, seconds, cpu, None if case is bare else added, verdicts)


def _judge(target: Target, medians: Mapping[str, float], whole: float, added: float) -> Verdict:
    taken = added if target.is_added else whole
    return Verdict(target, taken if target.of is None else taken / medians[target.of])


def _time(case: Case, environ: Mapping[str, str]) -> tuple[float, float]:
    if case.prepare is not None:
        case.prepare()
    computed, began = _computed(), perf_counter()
    try:
        done = subprocess.run(
            case.argv, cwd=case.directory, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except OSError as error:
        raise BenchmarkError(f"cannot run '{case.argv[0]}': {error.strerror}") from error
    taken = perf_counter() - began, _computed() - computed
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise BenchmarkError(f"'{' '.join(case.argv)}' gave {done.returncode}: {said[-1] if said else 'no reason'}")
    return taken


def _computed() -> float:
    """Seconds of processor time of all processes that have ended below this one."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
