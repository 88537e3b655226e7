"""Commands timed side by side: interleaved, so that what else the machine does meets all of them alike."""

from __future__ import annotations

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
    """What came out for a case, in seconds. `added` is the difference of the medians, `ratio` the share of the last case's median."""

    group: str
    case: Case
    seconds: tuple[float, ...]
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
    seconds: list[list[float]] = [[] for _ in group.cases]
    for _ in range(rounds):
        for case, taken in zip(group.cases, seconds, strict=True):
            taken.append(_time(case, environ))
    return tuple(_rows(group, seconds))


def _rows(group: Group, seconds: Sequence[Sequence[float]]) -> Iterator[Row]:
    bare, last = median(seconds[0]), median(seconds[-1])
    for case, taken in zip(group.cases, seconds, strict=True):
        added = median(taken) - bare
        is_bare = case is group.cases[0]
        ratio = added / last if case.most_ratio is not None else None
        yield Row(group.name, case, tuple(taken), None if is_bare else added, ratio)


def _time(case: Case, environ: Mapping[str, str]) -> float:
    if case.prepare is not None:
        case.prepare()
    began = perf_counter()
    try:
        done = subprocess.run(
            case.argv, cwd=case.directory, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except OSError as error:
        raise BenchmarkError(f"cannot run '{case.argv[0]}': {error.strerror}") from error
    taken = perf_counter() - began
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise BenchmarkError(f"'{' '.join(case.argv)}' gave {done.returncode}: {said[-1] if said else 'no reason'}")
    return taken
