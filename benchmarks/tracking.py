"""What tracking costs a training script, beside other trackers: `python benchmarks/tracking.py`.

Each call that logs is timed in a process of its own, tool after tool in each round, and so is `kill -9` in the midst of logging: who loses
nothing whose call had returned? Then a run with a million points, and what a recorder takes of the machine. Install the other trackers
by `pip install -e '.[peers]'`, best into an environment of its own. `--write` puts the tables into docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import NamedTuple

# As a script it has its own folder on the path, and not the one that holds the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.measure import BenchmarkError
from benchmarks.report import check_page, describe_machine, write_page
from benchmarks.trackers import TOOLS
from benchmarks.trackertable import Figures, Killed, format_micro, format_tools, make_table
from benchmarks.worlds import make_repository, program, seal

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
MARKS = ("<!-- tracking -->", "<!-- end of tracking -->")

_COSTS = ("import", "tracking", "start", "end", "cpu", "recorder")
_HERE = Path(__file__).resolve().parent
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "HF_HUB_OFFLINE": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
}
_LONGEST = 600.0  # seconds for a child


class Sizes(NamedTuple):
    """How much is measured: rounds, seconds of logging in each, kills of each tool, points of the large run, seconds of a long one."""

    rounds: int = 5
    seconds: float = 0.5
    kills: int = 3
    points: int = 1_000_000
    long: float = 10.0


class World(NamedTuple):
    """Where it is measured."""

    folder: Path
    environ: Mapping[str, str]

    def make(self, name: str) -> Path:
        """A new repository of 20 files."""
        return make_repository(self.folder / name, 20, self.environ)


def main() -> int:
    """Measure, print the tables, and give the exit status."""
    options = _parser().parse_args()
    begun = os.getloadavg()[0]
    try:
        if options.write:
            check_page(PAGE, MARKS)
        with tempfile.TemporaryDirectory(prefix="exptrack-benchmark-", ignore_cleanup_errors=True) as temporary:
            folder = Path(temporary).resolve()
            world = World(folder, seal(folder / "home") | _QUIET)
            machine = describe_machine(folder / "cache")
            parts = []
            for part in measure(world, options.sizes):
                print(f"{part}\n", flush=True)
                parts.append(part)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    load = f"load {begun:.1f} to {os.getloadavg()[0]:.1f}"
    head = f"Measured on {time.strftime('%Y-%m-%d', time.gmtime())}: {'; '.join(machine)}; {load}."
    print(head)
    if options.write:
        write_page(PAGE, "\n\n".join([head, *parts]), MARKS)
    return 0


def measure(world: World, sizes: Sizes) -> Iterator[str]:
    """Each part, as Markdown."""
    yield format_tools(measure_tools(world, sizes, tuple(TOOLS)))
    yield format_large(world, sizes)
    yield format_costs(world, sizes)
    yield format_recorder(world, sizes)
    yield format_many(world, sizes)


def measure_tools(world: World, sizes: Sizes, tools: Sequence[str]) -> list[Figures]:
    """Time each tool in each round, and kill it."""
    there = [tool for tool in tools if find_spec(TOOLS[tool].module) is not None]
    times: dict[str, list[Mapping[str, float]]] = {tool: [] for tool in there}
    kills: dict[str, list[Killed]] = {tool: [] for tool in there}
    for number in range(max(sizes.rounds, sizes.kills)):
        for place, tool in enumerate(there):
            if number < sizes.rounds:
                folder = world.make(f"time{place}-{number}")
                times[tool].append(_ask(world, _words(tool, "time", folder, str(sizes.seconds))))
            if number < sizes.kills:
                kills[tool].append(kill(world, tool, world.make(f"kill{place}-{number}"), sizes.seconds))
    return [
        Figures(tool, metadata.version(TOOLS[tool].module), tuple(times[tool]), tuple(kills[tool]))
        if tool in there
        else Figures(tool, None)
        for tool in tools
    ]


def kill(world: World, tool: str, folder: Path, seconds: float) -> Killed:
    """Kill a tool that logs at a random instant, and count what is there."""
    notes = folder.with_suffix(".notes")
    child = subprocess.Popen(
        _words(tool, "kill", folder, str(notes)), cwd=folder, env=world.environ,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        begun = time.monotonic()
        while not (notes.exists() and notes.stat().st_size):
            if child.poll() is not None or time.monotonic() - begun > _LONGEST:
                raise BenchmarkError(f"{tool} logs nothing")
            time.sleep(0.01)
        time.sleep(random.uniform(0, 2 * seconds))
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    found = _ask(world, _words(tool, "read", folder))
    return Killed(notes.stat().st_size, int(found["steps"]), bool(found["whole"]))


def format_large(world: World, sizes: Sizes) -> str:
    """A run with many points: what comes after its loop, and how long it takes to show it."""
    rows = []
    for metrics in (1, 3):
        folder, calls = world.make(f"large{metrics}"), -(-sizes.points // metrics)
        found = _train(world, folder, "many", str(calls), str(metrics))
        shown = [_time(world, folder, *program("exptrack"), "show", "many") for _ in range(3)]
        rows.append(
            (
                f"{calls:,} calls, {metrics} metric{'s' if metrics > 1 else ''} each",
                *_both(found, "loop", "loop cpu"),
                f"{found['recorder during']:.2f}",
                *_both(found, "end", "end cpu"),
                f"{found['end memory'] / 1e6:.0f}",
                *(f"{median(times):.2f}" for times in zip(*shown, strict=True)),
            )
        )
    head = ("run", "loop, s", "cpu", "recorder meanwhile, cpu", "to record, s", "cpu", "memory, MB", "show, s", "cpu")
    return "\n".join(
        ["### a million points", "", *make_table(head, rows), "", "Promised: at most 10 s to record, 1 s to show."]
    )


def format_costs(world: World, sizes: Sizes) -> str:
    """What the first and the last line take."""
    found: dict[str, list[Mapping[str, float]]] = {"alone": [], "under `exptrack run`": []}
    places = {where: world.make(f"cost{number}") for number, where in enumerate(found)}
    before = {"alone": (), "under `exptrack run`": (*program("exptrack"), "run", "--")}
    for _ in range(sizes.rounds + 1):  # the first fills caches
        for where, all_of_it in found.items():
            all_of_it.append(_train(world, places[where], "cost", before=before[where]))
    rows = [
        (where, *(_milli(median(one[name] for one in all_of_it[1:])) for name in _COSTS))
        for where, all_of_it in found.items()
    ]
    head = (
        "",
        "`import exptrack`",
        "`exptrack.start_run`",
        "`start_run()`",
        "`run.end()`",
        "both, cpu",
        "recorder, cpu",
    )
    return "\n".join(["### a run that logs nothing, in milliseconds", "", *make_table(head, rows)])


def format_recorder(world: World, sizes: Sizes) -> str:
    """What the recorder takes while the script runs."""
    idle = _train(world, world.make("idle"), "idle", str(sizes.long))
    rows = [("waits", "0", f"{idle['cpu']:.1%}", f"{idle['memory'] / 1e6:.0f}")]
    for rate in (1_000.0, 100_000.0):
        found = _train(world, world.make(f"steady{rate:.0f}"), "steady", str(sizes.long / 2), str(rate))
        rows.append(("logs", f"{found['rate']:,.0f}", f"{found['cpu']:.1%}", f"{found['memory'] / 1e6:.0f}"))
    head = ("the script", "calls/s", "recorder: of one core", "memory, MB")
    return "\n".join(["### the recorder, beside a script", "", *make_table(head, rows)])


def format_many(world: World, sizes: Sizes) -> str:
    """Several that log to one run at once."""
    rows = []
    for part, name in (("threads", "4 threads"), ("processes", "4 forked processes")):
        found = _train(world, world.make(part), part, str(max(1, sizes.points // 20)))
        rows += [
            (one, f"{found[key]:,.0f}", format_micro(found[f"{key} cpu"]))
            for one, key in (("1, before them", "alone"), (name, "together"))
        ]
    return "\n".join(["### several at once", "", *make_table(("who logs", "calls/s", "cpu a call"), rows)])


def _words(tool: str, action: str, folder: Path, *more: str) -> tuple[str, ...]:
    return (sys.executable, "-P", str(_HERE / "trackers.py"), tool, action, str(folder), *more)


def _ask(world: World, words: Sequence[str]) -> dict[str, float]:
    """The last line that a child prints."""
    said = _call(world, world.folder, words)
    answer: dict[str, float] = json.loads(said.splitlines()[-1])
    return answer


def _train(world: World, folder: Path, *words: str, before: Sequence[str] = ()) -> dict[str, float]:
    """What `training.py` finds."""
    file = folder.with_suffix(".json")
    script = (*before, sys.executable, "-P", str(_HERE / "training.py"), *words)
    _call(World(world.folder, {**world.environ, "BENCHMARK_ANSWER": str(file)}), folder, script)
    answer: dict[str, float] = json.loads(file.read_text(encoding="utf-8"))
    return answer


def _time(world: World, folder: Path, *words: str) -> tuple[float, float]:
    """Seconds of a command, and of the processor."""
    begun, before = time.perf_counter(), os.times()
    _call(world, folder, words)
    after = os.times()
    computed = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - begun, computed


def _call(world: World, folder: Path, words: Sequence[str]) -> str:
    done = subprocess.run(
        words, cwd=folder, env=world.environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=_LONGEST,
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise BenchmarkError(f"'{' '.join(words)}' gave {done.returncode}: {said[-1] if said else 'no reason'}")
    return done.stdout


def _both(found: Mapping[str, float], *names: str) -> Iterator[str]:
    return (f"{found[name]:.2f}" for name in names)


def _milli(seconds: float) -> str:
    return f"{seconds * 1000:.1f}" if seconds else ""  # a recorder above the script is not its child


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/tracking.py", description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--write", action="store_true", help="put the tables into docs/performance.md")
    add(
        "--small",
        dest="sizes",
        action="store_const",
        const=SMALL,
        default=Sizes(),
        help="a little of each, to see that it works",
    )
    return parser


SMALL = Sizes(rounds=1, seconds=0.02, kills=1, points=3000, long=0.2)

if __name__ == "__main__":
    sys.exit(main())
