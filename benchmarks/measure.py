"""Commands timed side by side: interleaved, so that what else the machine does meets all of them alike."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter


class BenchmarkError(Exception):
    """A command that is to be measured cannot be run here; the message is one line."""


@dataclass(frozen=True, slots=True)
class Case:
    """A command to time in `directory`. `prepare` is called before each run and not timed.

    `most_added` is how many seconds it may take longer than the first command of its group, `most_ratio` how much of the time of the
    last command of its group that may be; None where nothing was promised.
    """

    name: str
    argv: tuple[str, ...]
    directory: Path
    prepare: Callable[[], None] | None = None
    most_added: float | None = None
    most_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Cases that are compared: the first is the bare command that the others are added to."""

    name: str
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """What came out for a case, in seconds; `cpu` counts what the command and its children computed, on all cores.

    `added` is the difference of the medians, `ratio` its share of the last case's median.
    """

    group: str
    case: Case
    seconds: tuple[float, ...]
    cpu: tuple[float, ...]
    added: float | None
    ratio: float | None

    @property
    def median(self) -> float:
        return median(self.seconds)

    @property
    def target(self) -> str:
        if self.case.most_ratio is not None:
            return f"ratio <= {self.case.most_ratio:g}"
        return "" if self.case.most_added is None else f"added <= {self.case.most_added * 1000:.0f} ms"

    @property
    def met(self) -> bool | None:
        """Whether the target was met; None if there is none."""
        if self.case.most_ratio is not None and self.ratio is not None:
            return self.ratio <= self.case.most_ratio
        if self.case.most_added is not None and self.added is not None:
            return self.added <= self.case.most_added
        return None


def measure(group: Group, environ: Mapping[str, str], rounds: int) -> tuple[Row, ...]:
    """Time each case `rounds` times, one after the other in each round. A round before them fills caches and is not counted.

    Raises BenchmarkError if a command fails.
    """
    for case in group.cases:
        _time(case, environ)
    times: list[list[tuple[float, float]]] = [[] for _ in group.cases]
    for _ in range(rounds):
        for case, taken in zip(group.cases, times, strict=True):
            taken.append(_time(case, environ))
    return tuple(_rows(group, times))


def _rows(group: Group, times: Sequence[Sequence[tuple[float, float]]]) -> Iterator[Row]:
    bare, last = (median(seconds for seconds, _ in taken) for taken in (times[0], times[-1]))
    for case, taken in zip(group.cases, times, strict=True):
        seconds, cpu = zip(*taken, strict=True)
        added = None if case is group.cases[0] else median(seconds) - bare
        ratio = None if case.most_ratio is None or added is None else added / last
        yield Row(group.name, case, seconds, cpu, added, ratio)


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
