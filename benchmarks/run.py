"""Measure what `exptrack` costs over the bare command, and beside `dvc exp run`, in one run: `python benchmarks/run.py`.

Prints a table of minimum, median and maximum of each command, what it adds to the bare command of its group, and what was promised.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

# As a script it has its own folder on the path, and not the one that holds the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.measure import BenchmarkError, Case, Group, Row, measure
from benchmarks.worlds import (
    EMPTY_STAGE,
    SCRIPT_STAGE,
    call,
    change,
    make_dvc_repository,
    make_repository,
    program,
    seal,
)

_SMALL = 20
_LARGE = 20_000
_MODIFIED, _UNTRACKED = 50, 200
_RUNS = 10
# Seconds that recording may add to the command, and the part of the time of `dvc exp run` that this may be.
_ADDED_SMALL, _ADDED_LARGE, _ADDED_IMPORT = 0.15, 0.3, 0.03
_SHARE_OF_DVC = 0.1

_Build = Callable[[Path, Mapping[str, str], int], Group]


def main() -> int:
    """Measure, print the table, and give the exit status."""
    options = _parser().parse_args()
    if options.json:
        _check_writable(options.json)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that the folder is removed then, too
    try:
        rows = _measure_all(options)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    if options.json:
        options.json.write_text(json.dumps(_as_json(rows, options), indent=2) + "\n", encoding="utf-8")
    missed = [row for row in rows if row.case.most_ratio is not None and row.met is False]
    return 1 if options.check and missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmarks/run.py", description=__doc__.partition("\n")[0] if __doc__ else ""
    )
    parser.add_argument("-n", dest="rounds", type=_positive, default=7, metavar="N", help="runs of each command (7)")
    parser.add_argument(
        "--files", type=_positive, default=_LARGE, metavar="N", help=f"files in the large repository ({_LARGE})"
    )
    parser.add_argument(
        "--skip", action="append", default=[], choices=list(_GROUPS), help="leave out a group (repeatable)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single time there, too")
    parser.add_argument(
        "--check",
        action="store_true",
        help="exit with 1 if the target for a ratio is missed; seconds depend on the machine",
    )
    return parser


def _check_writable(path: Path) -> None:
    """Better now than after minutes of measuring."""
    try:
        path.touch()
    except OSError as error:
        _parser().error(f"cannot write {path}: {error.strerror}")


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def _measure_all(options: argparse.Namespace) -> tuple[Row, ...]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="exptrack-benchmark-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary).resolve()
        environ = seal(folder / "home")
        print(f"{_describe_machine()}; n = {options.rounds}, times in ms\n\n{_format(_HEAD)}", flush=True)
        for name, build in _GROUPS.items():
            if name not in options.skip:
                place = folder / name
                place.mkdir()
                measured = measure(build(place, environ, options.files), environ, options.rounds)
                print("\n".join(_format(_cells(row)) for row in measured), flush=True)
                rows += measured
                shutil.rmtree(place, ignore_errors=True)
    return tuple(rows)


def _start(place: Path, environ: Mapping[str, str], _: int) -> Group:
    folder = make_repository(place / "small", _SMALL, environ)
    exptrack = program("exptrack")
    for _ in range(_RUNS):
        call(folder, environ, *exptrack, "run", "--", "true")
    return Group(
        "start-up",
        (
            Case("python -c pass", (sys.executable, "-c", "pass"), folder),
            Case("import exptrack", (sys.executable, "-c", "import exptrack"), folder, most_added=_ADDED_IMPORT),
            Case("exptrack --version", (*exptrack, "--version"), folder),
            Case(f"exptrack ls ({_RUNS} runs)", (*exptrack, "ls"), folder),
        ),
    )


def _small(place: Path, environ: Mapping[str, str], _: int) -> Group:
    folder = make_repository(place / "small", _SMALL, environ)
    return Group(f"{_SMALL} files", _run_cases(folder, _ADDED_SMALL))


def _large(place: Path, environ: Mapping[str, str], files: int) -> Group:
    folder = make_repository(place / "large", files, environ)
    return Group(f"{files} files", _run_cases(folder, _ADDED_LARGE))


def _changed(place: Path, environ: Mapping[str, str], files: int) -> Group:
    folder = make_repository(place / "changed", files, environ)
    modified = min(_MODIFIED, files)
    change(folder, files, modified=modified, untracked=_UNTRACKED)
    return Group(f"{files}, {modified} changed, {_UNTRACKED} new", _run_cases(folder, _ADDED_LARGE))


def _dvc(place: Path, environ: Mapping[str, str], _: int) -> Group:
    ours, theirs = (make_dvc_repository(place / name, _SMALL, EMPTY_STAGE, environ) for name in ("ours", "theirs"))
    return Group(
        "beside dvc, empty stage",
        (
            Case("true", ("true",), ours),
            Case("exptrack run", (*program("exptrack"), "run", "--", "true"), ours, most_ratio=_SHARE_OF_DVC),
            Case("dvc exp run", (*program("dvc"), "exp", "run"), theirs),
        ),
    )


def _script(place: Path, environ: Mapping[str, str], _: int) -> Group:
    ours, theirs = (make_dvc_repository(place / name, _SMALL, SCRIPT_STAGE, environ) for name in ("ours", "theirs"))
    script = (sys.executable, "train.py")
    return Group(
        "beside dvc, a script",
        (
            Case("python train.py", script, ours),
            Case("exptrack run", (*program("exptrack"), "run", "--", *script), ours, most_ratio=_SHARE_OF_DVC),
            Case("dvc exp run", (*program("dvc"), "exp", "run"), theirs),
        ),
    )


_GROUPS: dict[str, _Build] = {
    "start": _start,
    "small": _small,
    "large": _large,
    "changed": _changed,
    "dvc": _dvc,
    "script": _script,
}


def _run_cases(folder: Path, most_added: float) -> tuple[Case, ...]:
    """Cold: the private index is made anew, as after a commit. Warm, which comes right after it: it is reused."""
    argv = (*program("exptrack"), "run", "--", "true")

    def forget() -> None:
        for name in ("index", "index.json"):
            (folder / ".git" / "exptrack" / name).unlink(missing_ok=True)

    return (
        Case("true", ("true",), folder),
        Case("exptrack run, cold", argv, folder, forget, most_added),
        Case("exptrack run, warm", argv, folder, most_added=most_added),
    )


_HEAD = ("group", "command", "min", "median", "max", "cpu", "added", "ratio", "target", "met")
_WIDTHS = (-27, -21, 6, 6, 6, 6, 6, 5, -15, -3)


def _cells(row: Row) -> tuple[str, ...]:
    times = (min(row.seconds), row.median, max(row.seconds), median(row.cpu), row.added)
    return (
        row.group,
        row.case.name,
        *("" if time is None else f"{time * 1000:.1f}" for time in times),
        "" if row.ratio is None else f"{row.ratio:.3f}",
        row.target,
        {True: "yes", False: "no", None: ""}[row.met],
    )


def _format(cells: Sequence[str]) -> str:
    padded = (
        cell.ljust(-width) if width < 0 else cell.rjust(width) for cell, width in zip(cells, _WIDTHS, strict=True)
    )
    return "  ".join(padded).rstrip()


def _describe_machine() -> str:
    return "; ".join(_machine())


def _machine() -> Iterator[str]:
    git = subprocess.run(["git", "version"], capture_output=True, text=True, check=False).stdout.split()
    yield f"Python {platform.python_version()}"
    yield f"git {git[2] if len(git) > 2 else 'unknown'}"
    yield f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def _as_json(rows: Sequence[Row], options: argparse.Namespace) -> dict[str, object]:
    return {
        "schema": 1,
        "machine": list(_machine()),
        "runs": options.rounds,
        "rows": [
            {
                "group": row.group,
                "command": row.case.name,
                "seconds": row.seconds,
                "cpu": row.cpu,
                "median": row.median,
                "added": row.added,
                "ratio": row.ratio,
                "target": row.target or None,
                "met": row.met,
            }
            for row in rows
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
