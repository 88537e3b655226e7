"""Histories: the values of a metric over the steps of a run, one tab-separated file a metric, as DVCLive lays them out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from exptrack.model.tree import Value

_EXACT = 2**53  # below it every whole float is exact; NaN is below nothing
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+=,() ")


class Point(NamedTuple):
    """A value that was logged: Unix time in seconds, step, value."""

    time: float
    step: Value
    value: float


def collect(entries: Iterable[Mapping[str, Value]]) -> dict[str, list[Point]]:
    """The points of each metric out of the entries of a journal, in the order they were logged."""
    points: dict[str, list[Point]] = {}
    for entry in entries:
        values = entry.get("values")
        if entry.get("kind") != "metrics" or not isinstance(values, Mapping):
            continue
        for name, value in values.items():
            series = points.setdefault(name, [])
            step = entry.get("step")
            series.append(Point(float(str(entry["time"])), len(series) if step is None else step, float(str(value))))
    return points


def path_of(metric: str) -> str:
    """Where the history of a metric lies below `.exptrack/history/`: `a/b` is a folder.

    What could leave that folder, be a file and a folder at once, or be taken for git's own is quoted as in a URL.
    """
    *folders, name = (
        "".join(letter if letter in _SAFE else _quote(letter) for letter in part) for part in metric.split("/")
    )
    return "/".join([*(_as_folder(folder) for folder in folders), f"{_as_name(name)}.tsv"])


def _as_folder(part: str) -> str:
    return _as_name(part.removesuffix(".tsv") + "%2Etsv" if part.endswith(".tsv") else part)


def _as_name(part: str) -> str:
    if part.lower().startswith(".git"):
        return "%2E" + part[1:]
    return part if part.strip(".") else part.replace(".", "%2E") or "%00"


def _quote(letter: str) -> str:
    return "".join(f"%{byte:02X}" for byte in letter.encode(errors="replace"))


def format_history(metric: str, points: Iterable[Point]) -> bytes:
    """The file: a header, then timestamp (milliseconds), step and value a line."""
    header = "\t".join(["timestamp", "step", metric.replace("\t", " ").replace("\n", " ")])
    lines = (f"{int(point.time * 1000)}\t{point.step}\t{_number(point.value)}" for point in points)
    return "\n".join([header, *lines, ""]).encode(errors="replace")


def _number(value: float) -> str:
    return repr(int(value)) if abs(value) < _EXACT and value == int(value) else repr(value)
