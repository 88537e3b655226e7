"""Measure what exptrack costs, beside the bare command, git and DVC, in one run: `python benchmarks/run.py`.

Prints a table of minimum, median and maximum of each command, what it adds to the first of its group, and what was promised. How all that
grows up to 100,000 runs is measured by `benchmarks/growth.py`, or here after the rest, with `--growth`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

# As a script it has its own folder on the path, and not the one that holds the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import checking, comparing, growth, isolated, reading, recording, sharing
from benchmarks.measure import BenchmarkError, Group, Row, measure
from benchmarks.report import (
    as_json,
    as_markdown,
    check_page,
    describe_machine,
    format_head,
    format_rows,
    write_page,
)
from benchmarks.sizes import Sizes
from benchmarks.worlds import seal

_Build = Callable[[Path, Mapping[str, str], Sizes], Iterator[Group]]
_GROUPS: Mapping[str, _Build] = {
    "start": recording.start,
    "small": recording.small,
    "large": recording.large,
    "changed": recording.changed,
    "dvc": recording.dvc,
    "script": recording.script,
    "isolated": isolated.isolated,
    "pipeline": isolated.pipeline,
    "example": isolated.example,
    "together": isolated.together,
    "reproduce": isolated.reproduce,
    "apply": isolated.apply,
    "read": reading.read,
    "read-dvc": reading.read_dvc,
    "share": sharing.share,
    "share-dvc": sharing.share_dvc,
    "check": checking.check,
    "compare": comparing.compare,
}
_ROUNDS = 7


def main() -> int:
    """Measure, print the table, and give the exit status."""
    options = _parser().parse_args()
    if options.json:
        _check_writable(options.json)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that the folder is removed then, too
    try:
        if options.report:
            check_page(options.report)
        rows = _measure_all(options)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    if options.growth and (status := growth.main([])):
        return status
    shares = [one for row in rows for one in row.verdicts if one.target.of is not None]
    return 1 if options.check and any(one.met is False for one in shares) else 0


def _parser() -> argparse.ArgumentParser:
    sizes = Sizes()
    parser = argparse.ArgumentParser(
        prog="benchmarks/run.py", description=__doc__.partition("\n")[0] if __doc__ else ""
    )
    add = parser.add_argument
    add("-n", dest="rounds", type=_positive, default=_ROUNDS, metavar="N", help=f"runs of each command ({_ROUNDS})")
    add("--files", type=_positive, default=sizes.files, metavar="N", help=f"files to record ({sizes.files})")
    add(
        "--runs", type=_numbers, default=sizes.runs, metavar="N,N,…",
        help=f"runs to read, one repository for each number ({','.join(map(str, sizes.runs))})",
    )  # fmt: skip
    add("--only", action="append", choices=list(_GROUPS), help="measure this group only (repeatable)")
    add("--skip", action="append", default=[], choices=list(_GROUPS), help="leave out a group (repeatable)")
    add("--alone", action="store_true", help="leave out the commands of DVC, and the shares of their time")
    add("--json", type=Path, metavar="FILE", help="write every single time there, too")
    add("--report", type=Path, metavar="FILE", help="write the table between the two marks of this page, too")
    add("--growth", action="store_true", help="then run benchmarks/growth.py, too, which by itself has more options")
    add(
        "--check",
        action="store_true",
        help="exit with 1 if a target for a share is missed; seconds depend on the machine",
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


def _numbers(text: str) -> tuple[int, ...]:
    numbers = tuple(int(word) for word in text.split(","))
    if min(numbers) < 2:
        raise argparse.ArgumentTypeError(f"{text}: it takes at least 2 runs to compare")
    return numbers


def _measure_all(options: argparse.Namespace) -> tuple[Row, ...]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="exptrack-benchmark-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary).resolve()
        environ = seal(folder / "home")
        machine, before = describe_machine(folder / "cache"), os.getloadavg()[0]
        print(
            f"{'; '.join(machine)}; load {before:.1f}; n = {options.rounds}, times in ms\n\n{format_head()}", flush=True
        )
        for name in _chosen(options):
            place = folder / name
            place.mkdir()
            for group in _GROUPS[name](place, environ, Sizes(options.files, options.runs)):
                measured = measure(_alone(group) if options.alone else group, environ, options.rounds)
                print(format_rows(measured), flush=True)
                rows += measured
            shutil.rmtree(place, ignore_errors=True)
    loads = (before, os.getloadavg()[0])
    if options.json:
        written = json.dumps(as_json(rows, machine, loads, options.rounds), indent=2)
        options.json.write_text(written + "\n", encoding="utf-8")
    if options.report:
        write_page(options.report, as_markdown(rows, machine, loads, f"{datetime.now(UTC):%Y-%m-%d}"))
    return tuple(rows)


def _alone(group: Group) -> Group:
    cases = [case for case in group.cases if not case.name.startswith("dvc ")]
    names = {None, *(case.name for case in cases)}
    return Group(
        group.name,
        tuple(case._replace(targets=tuple(one for one in case.targets if one.of in names)) for case in cases),
    )


def _chosen(options: argparse.Namespace) -> list[str]:
    return [name for name in _GROUPS if name not in options.skip and (not options.only or name in options.only)]


if __name__ == "__main__":
    sys.exit(main())
