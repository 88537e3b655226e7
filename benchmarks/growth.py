"""How time and memory grow with the runs, up to 100,000: `python benchmarks/growth.py`.

Reading, the first index, an index that is behind, recording and comparing, beside `git for-each-ref`, `dvc exp show` and MLflow's `search_runs`.
All numbers of runs take turns in each round. `--write` puts tables and picture into docs, `--keep` keeps the repositories for the next time,
`--mlflow` is a Python that has MLflow (the extra `peers`), if this one has none.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

# As a script it has its own folder on the path, and not the one that holds the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.growthcases import Placed, Sizes, change_cases, compare_cases, read_cases
from benchmarks.growthpicture import draw
from benchmarks.growthtable import format_growth
from benchmarks.growthworld import World
from benchmarks.measure import BenchmarkError, Group, Row, measure
from benchmarks.report import check_page, describe_machine, format_head, format_rows, write_page
from benchmarks.worlds import ask, seal

_DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE, PICTURE = _DOCS / "performance.md", _DOCS / "growth.svg"
MARKS = ("<!-- growth -->", "<!-- end of growth -->")
SMALL = Sizes(runs=(20, 60), dvc=20, mlflow=20, rounds=1, few=1)
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
_PARTS: dict[str, Callable[[World, Sizes], Iterator[Placed]]] = {
    "reading": read_cases,
    "a new index, an old one, and recording": change_cases,
    "comparing": compare_cases,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the tables, and give the exit status."""
    options = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that the folder is removed then, too
    try:
        if options.write:
            check_page(PAGE, MARKS)
        with ExitStack() as stack:
            world = _open_world(stack, options)
            machine = "; ".join([*describe_machine(world.folder / "cache"), *_describe_mlflow(world)])
            begun = os.getloadavg()[0]
            found = measure_growth(world, _choose_sizes(options))
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    rounds = _choose_sizes(options).rounds
    load = f"load {begun:.1f} to {os.getloadavg()[0]:.1f}; {rounds} rounds"
    head = f"Measured on {time.strftime('%Y-%m-%d', time.gmtime())}: {machine}; {load}."
    text = f"{head}\n\n{format_growth(found)}"
    print(f"\n{text}")
    if options.write:
        PICTURE.write_bytes(draw(found, "svg"))
        write_page(PAGE, text, MARKS)
    return 0


def measure_growth(world: World, sizes: Sizes) -> dict[str, dict[int, Row]]:
    """Every command at every number of runs, one part after the other."""
    found: dict[str, dict[int, Row]] = {}
    print(format_head(), flush=True)
    for name, part in _PARTS.items():
        begun = time.monotonic()
        placed = tuple(part(world, sizes))
        print(f"{name}: made in {time.monotonic() - begun:.0f} s, measuring", file=sys.stderr, flush=True)
        rows = measure(Group(name, tuple(one.case for one in placed)), world.environ, sizes.rounds)
        print(format_rows(rows), flush=True)
        for one, row in zip(placed, rows, strict=True):
            found.setdefault(one.command, {})[one.number] = row
    return found


def _open_world(stack: ExitStack, options: argparse.Namespace) -> World:
    place = options.keep.resolve() if options.keep else None
    if place:
        place.mkdir(parents=True, exist_ok=True)
    folder = tempfile.TemporaryDirectory(prefix="exptrack-benchmark-", dir=place, ignore_cleanup_errors=True)
    temporary = Path(stack.enter_context(folder)).resolve()
    (temporary / "kept").mkdir()
    return World(
        temporary, place or temporary / "kept", seal(temporary / "home") | _QUIET, _find_mlflow(options.mlflow)
    )


def _find_mlflow(python: str | None) -> str | None:
    return python or (sys.executable if find_spec("mlflow") else None)


def _describe_mlflow(world: World) -> Iterator[str]:
    if world.mlflow is None:
        yield "MLflow is not installed"
        return
    code = "from importlib.metadata import version; print(version('mlflow'))"
    yield f"MLflow {ask(world.folder, world.environ, world.mlflow, '-c', code)}"


def _choose_sizes(options: argparse.Namespace) -> Sizes:
    sizes: Sizes = options.sizes
    rounds = options.rounds or sizes.rounds
    return sizes._replace(rounds=rounds, few=min(sizes.few, max(1, rounds // 2)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/growth.py", description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add(
        "-n",
        dest="rounds",
        type=int,
        choices=range(1, 100),
        metavar="N",
        help="rounds (7), of which what takes seconds is in half",
    )
    add("--write", action="store_true", help="put the tables into docs/performance.md, and the picture beside it")
    add("--keep", type=Path, metavar="FOLDER", help="keep the made repositories there, and work beside them")
    add("--mlflow", metavar="PYTHON", help="an interpreter that has MLflow (this one, if it has it)")
    add(
        "--small", dest="sizes", action="store_const", const=SMALL, default=Sizes(), help="a little of each, to see that it works"
    )  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
