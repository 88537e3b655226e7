"""What was measured, as a table of text, as JSON, and as Markdown."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from fractions import Fraction
from importlib import metadata
from itertools import groupby
from pathlib import Path
from statistics import median

from benchmarks.measure import BenchmarkError, Row, Target, Verdict
from exptrack.backends.host.hardware import capture_hardware

BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"
_HEAD = ("command", "min", "median", "max", "cpu", "added", "target", "found", "met")
_WIDTHS = (-28, 7, 7, 7, 7, 7, -37, 7, -3)
_SCHEMA = 2
_RATHER_A_NUMBER = 100


def describe_machine(cache: Path) -> tuple[str, ...]:
    """Versions and hardware; `cache` is a folder for what is expensive to find out."""
    git = subprocess.run(["git", "version"], capture_output=True, text=True, check=False).stdout.split()
    cpu = capture_hardware(os.environ, cache).cpu
    cores = f"{os.cpu_count()} cores{f' of {cpu}' if cpu else ''}"
    return (
        *(f"{name} {metadata.version(name)}" for name in ("exptrack", "dvc")),
        f"git {git[2] if len(git) > 2 else 'unknown'}",
        f"Python {platform.python_version()}",
        f"{platform.system()} {platform.machine()}, {cores}",
    )


def format_head() -> str:
    """The line above the table."""
    return _align(_HEAD)


def format_rows(rows: Sequence[Row]) -> str:
    """The lines of one group, below its name. A command with several targets has a line for each."""
    lines = [_align(cells) for row in rows for cells in _cells(row)]
    return "\n".join([rows[0].group, *lines])


def as_json(rows: Sequence[Row], machine: Sequence[str], loads: Sequence[float], rounds: int) -> dict[str, object]:
    """Every single time. Seconds, and bytes of memory; a `found` is a share where the target has an `of`."""
    return {
        "schema": _SCHEMA,
        "machine": list(machine),
        "loads": list(loads),
        "rounds": rounds,
        "rows": [
            {
                "group": row.group,
                "command": row.case.name,
                "seconds": row.seconds,
                "cpu": row.cpu,
                "peaks": row.peaks,
                "median": row.median,
                "added": row.added,
                "targets": [
                    {"target": describe(one.target), "of": one.target.of, "found": one.found, "met": one.met}
                    for one in row.verdicts
                ],
            }
            for row in rows
        ],
    }


def as_markdown(rows: Sequence[Row], machine: Sequence[str], loads: Sequence[float], day: str) -> str:
    """Date, machine, what was missed, and a table for each group."""
    lines = [f"Measured on {day}: {'; '.join(machine)}; load {' to '.join(f'{load:.1f}' for load in loads)}.", ""]
    lines += [_summary(rows), ""]
    for group, members in groupby(rows, key=lambda row: row.group):
        lines += [f"### {group}", "", _line(_HEAD), _line(["---", *["--:"] * 5, "---", "--:", "---"])]
        lines += [_line([_code(cells[0]), *cells[1:]]) for row in members for cells in _cells(row)]
        lines.append("")
    return "\n".join(lines)


def check_page(path: Path, marks: tuple[str, str] = (BEGIN, END)) -> None:
    """Whether the page can be written; better now than after minutes of measuring. Raises BenchmarkError."""
    _split(path, marks)
    if not os.access(path, os.W_OK):
        raise BenchmarkError(f"cannot write {path}")


def write_page(path: Path, markdown: str, marks: tuple[str, str] = (BEGIN, END)) -> None:
    """Put it between the two marks of the page; all else stays as it is. Raises BenchmarkError if they are not there."""
    before, after = _split(path, marks)
    path.write_text(f"{before}{marks[0]}\n{markdown}\n{marks[1]}{after}", encoding="utf-8")


def _split(path: Path, marks: tuple[str, str]) -> tuple[str, str]:
    try:
        before, begin, rest = path.read_text(encoding="utf-8").partition(marks[0])
    except OSError as error:
        raise BenchmarkError(f"cannot read {path}: {error.strerror}") from error
    _, end, after = rest.partition(marks[1])
    if not begin or not end:
        raise BenchmarkError(f"{path} has no lines {marks[0]} and {marks[1]} to write between")
    return before, after


def _summary(rows: Sequence[Row]) -> str:
    judged = [(row, one) for row in rows for one in row.verdicts if one.met is not None]
    missed = [
        f"- {_code(row.case.name)}, {row.group}: promised {describe(one.target)}, found {_found(one)}"
        f"{' ms' if one.target.of is None else ''}"
        for row, one in judged
        if one.met is False
    ]
    text = f"{len(judged) - len(missed)} of {len(judged)} targets are met."
    return "\n".join([f"{text} Missed:", "", *missed] if missed else [text]).replace("<=", "≤")


def _cells(row: Row) -> Iterator[tuple[str, ...]]:
    times = (min(row.seconds), row.median, max(row.seconds), median(row.cpu), row.added)
    first = (row.case.name, *("" if time is None else f"{time * 1000:.1f}" for time in times))
    for place, verdict in enumerate(row.verdicts or (None,)):
        yield (*(first if place == 0 else ("",) * len(first)), *_judged(verdict))


def _judged(verdict: Verdict | None) -> tuple[str, str, str]:
    if verdict is None:
        return "", "", ""
    return describe(verdict.target), _found(verdict), {True: "yes", False: "no", None: ""}[verdict.met]


def describe(target: Target) -> str:
    """A target in few words, such as `added <= 150 ms` or `<= 1/8 of dvc exp show`."""
    words = ["added"] if target.is_added else []
    if target.most is not None:
        share = str(Fraction(target.most).limit_denominator(_RATHER_A_NUMBER))
        words += ["<=", f"{target.most * 1000:.0f} ms" if target.of is None else share]
    return " ".join([*words, *(["of", target.of] if target.of else [])])


def _found(verdict: Verdict) -> str:
    if verdict.target.of is None:
        return f"{verdict.found * 1000:.1f}"
    return f"1/{1 / verdict.found:.1f}" if 0 < verdict.found < 1 else f"{verdict.found:.1f}"


def _align(cells: Sequence[str]) -> str:
    padded = (
        cell.ljust(-width) if width < 0 else cell.rjust(width) for cell, width in zip(cells, _WIDTHS, strict=True)
    )
    return ("  " + "  ".join(padded)).rstrip()


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('<=', '≤') for cell in cells)} |"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
