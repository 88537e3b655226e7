"""Whether recording stays as fast as it was, and the repository in order: `python benchmarks/housekeeping.py`.

Runs are recorded one after another, by the code of `exptrack run`, in one process and each with other parameters and metrics; meanwhile the
files below `.git` are counted. Then the command itself, and `exptrack.start_run()`, in a repository with a hundred runs and in one with a
hundred thousand, one after the other in each round. `--write` puts the tables into docs/performance.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

# As a script it has its own folder on the path, and not the one that holds the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.measure import BenchmarkError, Case, Group, Row, Target, measure
from benchmarks.populate import make_runs
from benchmarks.report import check_page, describe_machine, write_page
from benchmarks.worlds import call, make_repository, program, seal
from exptrack.operations.record import record
from exptrack.operations.recording.request import Request
from exptrack.project import Project

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
MARKS = ("<!-- housekeeping -->", "<!-- end of housekeeping -->")

_FEW = 100
_MOST = 1.5  # times what the same costs with few runs, or cost in the beginning
_PARTS = 10
_OFTEN = 10  # runs between two looks
_COMMAND = ("sh", "-c", 'echo "{\\"loss\\": $LOSS}" > metrics.json')
_SCRIPT = "import exptrack\nwith exptrack.start_run():\n    pass\n"


class Litter(NamedTuple):
    """What lies in a repository beside packed things."""

    objects: int
    packs: int
    refs: int


class Part(NamedTuple):
    """So many runs, one after another: seconds for each, and the most that lay around meanwhile."""

    runs: int
    seconds: tuple[float, ...]
    most: Litter


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the arguments ask for; 0, 1 if a target is missed, 2 if something fails."""
    options = _parser().parse_args(arguments)
    try:
        if options.write:
            check_page(PAGE, MARKS)
        with tempfile.TemporaryDirectory(prefix="exptrack-benchmark-", ignore_cleanup_errors=True) as temporary:
            return _measure(Path(temporary).resolve(), options)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/housekeeping.py", description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--runs", type=int, default=1000, metavar="N", help="runs to record one after another (1000)")
    add("--many", type=int, default=100_000, metavar="N", help="runs in the large repository (100000); 0 leaves it out")
    add("-n", dest="rounds", type=int, default=15, metavar="N", help="rounds of the comparison (15)")
    add("--write", action="store_true", help="put the tables into docs/performance.md")
    return parser


def _measure(folder: Path, options: argparse.Namespace) -> int:
    environ = seal(folder / "home")
    head = f"{'; '.join(describe_machine(folder / 'cache'))}; load {os.getloadavg()[0]:.1f}."
    print(f"{head}\n", flush=True)
    tables, ratios = [], []
    if options.runs:
        repository = make_repository(folder / "loop", 20, environ)
        parts = record_many(repository, environ, options.runs)
        tables.append(format_parts(parts))
        ratios.append(median(parts[-1].seconds) / median(parts[0].seconds))
        print(f"{tables[-1]}\n", flush=True)
    if options.many:
        small, large = folder / "small", folder / "large"
        make_runs(small, _FEW, environ)
        make_runs(large, options.many, environ)
        rows = compare(small, large, options.many, environ, options.rounds)
        tables.append(format_rows(rows))
        ratios += [one.found for row in rows for one in row.verdicts]
        print(f"{tables[-1]}\n", flush=True)
    if options.write:
        head = f"{head.removesuffix('.')} at the beginning, {os.getloadavg()[0]:.1f} at the end."
        write_page(PAGE, "\n\n".join([head, *tables]), MARKS)
    return 1 if any(ratio > _MOST for ratio in ratios) else 0


def record_many(folder: Path, environ: Mapping[str, str], number: int) -> list[Part]:
    """Record so many runs, in ten parts. Git is as its users have it: it looks after itself."""
    call(folder, environ, "git", "config", "maintenance.auto", "true")
    os.environ.clear()
    os.environ.update(environ)
    parts = []
    for part in range(_PARTS):
        numbers = range(part * number // _PARTS, (part + 1) * number // _PARTS)
        seconds, most = [], Litter(0, 0, 0)
        for one in numbers:
            seconds.append(_record(folder, one))
            if one % _OFTEN == 0:
                most = Litter(*map(max, most, look(folder)))
        parts.append(Part(len(seconds), tuple(seconds), Litter(*map(max, most, look(folder)))))
    return parts


def _record(folder: Path, number: int) -> float:
    """Seconds that a run takes whose parameters and metrics no other has."""
    (folder / "params.yaml").write_text(f"lr: {number / 1e6:.6f}\nepochs: 10\n", encoding="utf-8")
    began = time.perf_counter()
    environ = {**os.environ, "LOSS": f"{1 / (number + 1):.9f}"}
    recorded = record(Project(folder).context, Request(_COMMAND, folder, environ))
    if recorded.finished is None:
        raise BenchmarkError(f"{recorded.name} was not recorded: {recorded.failure}")
    return time.perf_counter() - began


def look(folder: Path) -> Litter:
    """Loose objects, packs, loose refs. What is tidied away meanwhile may count or not."""
    git = folder / ".git"
    objects = sum(_count(git / "objects" / f"{first:02x}", os.DirEntry.is_file) for first in range(256))
    packs = _count(git / "objects" / "pack", lambda entry: entry.name.endswith(".pack"))
    return Litter(objects, packs, sum(len(files) for _, _, files in os.walk(git / "refs")))


def _count(folder: Path, holds: Callable[[os.DirEntry[str]], bool]) -> int:
    try:
        return sum(1 for entry in os.scandir(folder) if holds(entry))
    except FileNotFoundError:
        return 0


def format_parts(parts: Sequence[Part]) -> str:
    """A table, and how the last part compares with the first."""
    lines = [
        "| runs | a run, median (ms) | slowest of 20 (ms) | loose objects, at most | packs, at most | loose refs, at most |",
        "|---|---|---|---|---|---|",
    ]
    done = 0
    for part in parts:
        done += part.runs
        slow = sorted(part.seconds)[int(len(part.seconds) * 0.95)]
        numbers = " | ".join(f"{number:,}" for number in part.most)
        lines.append(f"| {done:,} | {median(part.seconds) * 1e3:.1f} | {slow * 1e3:.1f} | {numbers} |")
    ratio = median(parts[-1].seconds) / median(parts[0].seconds)
    lines += ["", f"The last tenth takes {ratio:.2f} times what the first takes (at most {_MOST:g})."]
    return "\n".join(lines)


def compare(small: Path, large: Path, many: int, environ: Mapping[str, str], rounds: int) -> list[Row]:
    """`exptrack run` and `exptrack.start_run()` in a repository with a hundred runs, and in one with so `many`."""
    commands = {
        "exptrack run -- true": (*program("exptrack"), "run", "--", "true"),
        "exptrack.start_run()": (sys.executable, "-c", _SCRIPT),
    }
    rows: list[Row] = []
    for what, argv in commands.items():
        few = f"{what}, {_FEW} runs"
        cases = (Case(few, argv, small), Case(f"{what}, {many:,} runs", argv, large, targets=(Target(_MOST, of=few),)))
        rows += measure(Group("recording", cases), environ, rounds)
    return rows


def format_rows(rows: Sequence[Row]) -> str:
    """A table of the comparison."""
    lines = ["| what | min (ms) | median (ms) | max (ms) | ratio of medians (at most 1.5) |", "|---|---|---|---|---|"]
    for row in rows:
        times = (min(row.seconds), row.median, max(row.seconds))
        ratio = f"{row.verdicts[0].found:.2f}" if row.verdicts else ""
        lines.append(f"| {row.case.name} | {' | '.join(f'{one * 1e3:.1f}' for one in times)} | {ratio} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
