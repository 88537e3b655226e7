"""Where the time of `exptrack ls` goes in a small repository: `python benchmarks/startup.py`; `--write` puts it into docs/performance.md.

In each round the command runs once as it is, and once under `startprobe.py`, which tells what it did when; beside them the bare
interpreter. Of the rounds the middle half counts, by the time of the whole, and of these the mean: medians would not add up.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, median

# As a script it has its own folder on the path, and not the one that holds the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.measure import BenchmarkError
from benchmarks.populate import make_runs
from benchmarks.report import check_page, describe_machine, write_page
from benchmarks.worlds import program, seal

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
MARKS = ("<!-- startup -->", "<!-- end of startup -->")

_PROBE = Path(__file__).resolve().with_name("startprobe.py")
_RUNS = 10
_SHOWN = 0.4  # milliseconds; modules that took less are counted together
_INTERPRETER, _EXIT = "the interpreter, up to its first line", "from the last line to the end of the process"
_SPANS = {
    "command line": "reading the command line",
    "project": "finding the project",
    "index": "the index, without loading sqlite3",
    "reading": "listing: refs, records, order",
    "formatting": "columns and the table",
    "printing": "printing",
}


def main() -> int:
    """Measure, print, and with `--write` write; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40, metavar="N", help="how often (40)")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    options = parser.parse_args()
    try:
        if options.write:
            check_page(PAGE, MARKS)
        with tempfile.TemporaryDirectory(prefix="exptrack-startup-") as name:
            folder = Path(name).resolve()
            environ = seal(folder / "home")
            before = os.getloadavg()[0]
            *_, newest = make_runs(folder / "runs", _RUNS, environ)
            text = _measure(folder / "runs", newest, environ, max(options.rounds, 4))
            head = (
                f"Measured on {datetime.now(UTC):%Y-%m-%d}: {'; '.join(describe_machine(folder))}; "
                f"load {before:.1f} to {os.getloadavg()[0]:.1f}."
            )
    except BenchmarkError as error:
        print(f"startup: {error}", file=sys.stderr)
        return 2
    print(text)
    if options.write:
        write_page(PAGE, f"{head}\n\n{text}", MARKS)
    return 0


def _measure(folder: Path, name: str, environ: Mapping[str, str], rounds: int) -> str:
    python = sys.executable
    bare = {
        "`python -I -S -c pass`: without `site` and the `.pth` files": (python, "-I", "-S", "-c", "pass"),
        "`python -I -c pass`: with them": (python, "-I", "-c", "pass"),
        "`python -c pass`": (python, "-c", "pass"),
        "`exptrack --version`": (*program("exptrack"), "--version"),
        "`exptrack ls --help`": (*program("exptrack"), "ls", "--help"),
        "`exptrack status`": (*program("exptrack"), "status"),
        "`exptrack show REV`": (*program("exptrack"), "show", name),
        "`exptrack ls`": (*program("exptrack"), "ls"),
    }
    whole: dict[str, list[float]] = {name: [] for name in bare}
    probed: list[dict[str, float]] = []
    for number in range(-1, rounds):  # the round before the first fills caches, and builds the index
        taken = {name: _time(argv, folder, environ) for name, argv in bare.items()}
        found = _probe(folder, environ)
        if number >= 0:
            probed.append(found)
            for case, seconds in taken.items():
                whole[case].append(seconds)
    return "\n\n".join([_format_bare(whole), _format_parts(_mean(probed), median(whole["`exptrack ls`"]) * 1000)])


def _time(argv: Sequence[str], folder: Path, environ: Mapping[str, str]) -> float:
    began = time.monotonic()
    done = subprocess.run(argv, cwd=folder, env=environ, capture_output=True, check=False)
    if done.returncode:
        raise BenchmarkError(
            f"'{' '.join(argv)}' gave {done.returncode}: {done.stderr.decode(errors='replace').strip()}"
        )
    return time.monotonic() - began


def _probe(folder: Path, environ: Mapping[str, str]) -> dict[str, float]:
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as told:
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, str(_PROBE), str(writing), "ls"],
            cwd=folder, env=environ, capture_output=True, check=False, pass_fds=(writing,),
        )  # fmt: skip
        ended = time.monotonic()
        os.close(writing)
        lines = [line.rpartition(" ") for line in told.read().splitlines()]
    if done.returncode or not lines:
        raise BenchmarkError(f"the probe failed: {done.stderr.decode(errors='replace').strip()[-200:]}")
    found = {name: float(seconds) for name, _, seconds in lines}
    return found | {"first": found["first"] - began, "gone": ended - found["gone"]}


def _mean(probed: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Milliseconds of each part: the mean of the middle half of the rounds."""
    ordered = sorted(probed, key=lambda one: sum(one.values()))
    quarter = len(ordered) // 4
    middle = ordered[quarter : len(ordered) - quarter]
    return {
        name: fmean(one.get(name, 0.0) for one in middle) * 1000 for name in {name for one in middle for name in one}
    }


def _format_bare(whole: Mapping[str, Sequence[float]]) -> str:
    rows = (f"| {name} | {min(taken) * 1000:.1f} | {median(taken) * 1000:.1f} |" for name, taken in whole.items())
    return "\n".join(["| process | min | median |", "| --- | --: | --: |", *rows])


def _format_parts(parts: Mapping[str, float], whole: float) -> str:
    modules = {name.removeprefix("import "): taken for name, taken in parts.items() if name.startswith("import ")}
    ours = {name: taken for name, taken in modules.items() if name.partition(".")[0] == "exptrack"}
    others = {name: taken for name, taken in modules.items() if name not in ours}
    children = {name: taken for name, taken in parts.items() if name.startswith("child ")}
    rows = [
        (_INTERPRETER, parts["first"]),
        *_group("importing the standard library", others, others),
        *_group("importing exptrack", ours, _by_package(ours)),
        ("children, started and waited for", sum(children.values())),
        *((f"- `{name.removeprefix('child ')}`", taken) for name, taken in _largest(children)),
        *((said, parts.get(name, 0.0)) for name, said in _SPANS.items()),
        (_EXIT, parts["gone"]),
    ]
    total = sum(parts.values())
    lines = [f"| {name} | {taken:.1f} |" for name, taken in rows]
    sums = [f"| **sum** | **{total:.1f}** |", f"| the whole command, unwatched (median) | {whole:.1f} |"]
    return "\n".join(["| part of `exptrack ls` | ms |", "| --- | --: |", *lines, *sums])


def _group(title: str, modules: Mapping[str, float], named: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    yield f"{title}, {len(modules)} modules", sum(modules.values())
    large = [(name, taken) for name, taken in _largest(named) if taken >= _SHOWN]
    yield from ((f"- `{name}`", taken) for name, taken in large)
    if rest := len(named) - len(large):
        yield f"- {rest} more", sum(named.values()) - sum(taken for _, taken in large)


def _by_package(modules: Mapping[str, float]) -> dict[str, float]:
    packages: dict[str, float] = {}
    for name, taken in modules.items():
        package = ".".join(name.split(".")[:2])
        packages[package] = packages.get(package, 0.0) + taken
    return packages


def _largest(parts: Mapping[str, float]) -> Iterable[tuple[str, float]]:
    return sorted(parts.items(), key=lambda item: -item[1])


if __name__ == "__main__":
    sys.exit(main())
