"""Histories: the values of a metric over the steps of a run, one tab-separated file a metric, as DVCLive lays them out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from exptrack.analysis.fields import LONGEST_NUMBER
from exptrack.analysis.points import Epoch, Point, Points
from exptrack.model.tree import Value

__all__ = ["Point", "Points"]

_EXACT = 2**53  # below it every whole float is exact; NaN is below nothing
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+=,() ")
_WITH_EPOCH = 4  # columns
_KINDS = frozenset({"metrics", "system"})


class Logged(NamedTuple):
    """What a journal says, read once: the histories by name, the last value of each metric, the other entries, and the time of the last point."""

    histories: dict[str, Points]
    metrics: dict[str, float]
    others: list[Mapping[str, Value]]
    last: float


def gather(entries: Iterable[Mapping[str, Value]]) -> Logged:
    """Sort the entries of a journal. What was measured of the system has a history, but is no metric."""
    histories: dict[str, Points] = {}
    metrics: dict[str, float] = {}
    others: list[Mapping[str, Value]] = []
    last = 0.0
    for entry in entries:
        kind, values = entry["kind"], entry.get("values")
        if kind not in _KINDS or not isinstance(values, dict):
            others.append(entry)
            continue
        time: float = entry["time"]  # type: ignore[assignment]
        last = max(last, time)
        step, epoch = entry.get("step"), entry.get("epoch")
        if type(step) is not int and step is not None:
            step = _clean_step(step)
        if epoch is not None and (type(epoch) is not int or abs(epoch) >= _EXACT):
            epoch = _read_number(epoch)
        for name, value in values.items():
            number = value if type(value) is float else _read_number(value)
            if number is None:
                continue
            series = histories.get(name)
            if series is None:
                series = histories[name] = Points()
            if kind == "metrics":
                metrics[name] = number
            series.add(time, len(series) if step is None else step, number, epoch)
    return Logged(histories, metrics, others, last)


def collect(entries: Iterable[Mapping[str, Value]]) -> dict[str, Points]:
    """The points of each metric out of the entries of a journal, in the order they were logged."""
    logged = gather(entries)
    return {name: logged.histories[name] for name in logged.metrics}


def _read_number(value: Value) -> float | None:
    if isinstance(value, bool):
        return float(value)
    try:
        return float(str(value))
    except ValueError:
        return None


def _clean_step(step: Value) -> Value:
    """A step as it can stand between two tabs: a number wherever it is one."""
    if isinstance(step, (bool, float)):
        return step if isinstance(step, float) else int(step)
    return parse_step(" ".join(str(step).split()))


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


def format_history(metric: str, points: Sequence[Point]) -> bytes:
    """The file: a header, then timestamp (milliseconds), step, epoch if any point has one, and value a line."""
    columns = points if isinstance(points, Points) else Points(points)
    names = ["timestamp", "step", *([] if columns.epochs is None else ["epoch"]), as_header(metric)]
    fields = [
        [str(round(time * 1000)) for time in columns.times],
        map(str, columns.steps),
        *([] if columns.epochs is None else [map(format_epoch, columns.epochs)]),
        # As `_number`; its calls would take a quarter of a second of a million.
        [repr(int(one)) if one % 1 == 0 and -_EXACT < one < _EXACT else repr(one) for one in columns.values],
    ]
    lines = map("\t".join, zip(*fields, strict=True))
    return "\n".join(["\t".join(names), *lines, ""]).encode(errors="replace")


def parse_history(data: bytes) -> Points:
    """The points of a file; a line that is none is left out."""
    header, _, rest = data.decode(errors="replace").partition("\n")
    points = Points()
    has_epochs = len(header.split("\t")) == _WITH_EPOCH
    for line in rest.split("\n"):
        fields = line.split("\t")
        try:
            epoch = parse_epoch(fields.pop(2)) if has_epochs else None
            milliseconds, step, value = fields
            points.add(int(milliseconds) / 1000, parse_step(step), float(value), epoch)
        except (ValueError, IndexError, OverflowError):
            continue
    return points


def read_name(data: bytes) -> str:
    """The name in the header of a file, which stands above the last column; empty if it is no history."""
    fields = data.partition(b"\n")[0].split(b"\t", _WITH_EPOCH)
    return fields[-1].decode(errors="replace") if len(fields) in {_WITH_EPOCH - 1, _WITH_EPOCH} else ""


def as_header(metric: str) -> str:
    """The name of a metric as it stands in files."""
    return metric.replace("\t", " ").replace("\n", " ")


def parse_step(text: str) -> Value:
    """A step: a number, or else the text."""
    for kind in (int, float) if len(text) <= LONGEST_NUMBER else (float,):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def parse_epoch(text: str) -> Epoch:
    """An epoch; None for an empty text. Raises ValueError."""
    if not text:
        return None
    return int(text) if text.lstrip("-").isdecimal() and len(text) <= LONGEST_NUMBER else float(text)


def format_epoch(epoch: Epoch) -> str:
    """An epoch as text, empty for None."""
    return "" if epoch is None else _number(epoch)


def _number(value: float) -> str:
    return repr(int(value)) if abs(value) < _EXACT and value == int(value) else repr(value)
