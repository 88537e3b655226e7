"""The rows of a difference, for every form in which it is shown: names, values, deltas, and counts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeGuard

from exptrack.analysis.wording import counted
from exptrack.model.change import Change, Kind
from exptrack.model.difference import Area, Difference, FileChange, Overview, Side, SideKind
from exptrack.model.run import Status
from exptrack.model.settings import Goal, MetricDeclaration
from exptrack.model.tree import Value
from exptrack.render.text import format_size, inert
from exptrack.render.values import format_loose, format_plain, format_whole, name_keys, tell_apart

TITLES = {
    Area.PARAMS: "parameters",
    Area.METRICS: "metrics",
    Area.DATA: "data",
    Area.ENVIRONMENT: "environment",
    Area.CODE: "code",
}
_ORDER = (Kind.CHANGED, Kind.ADDED, Kind.REMOVED)
_FACTS = ("interpreter", "platform", "hardware", "variables")
_OID = 10


class Entry(NamedTuple):
    """A change in words. `old` and `new` are None where there is nothing; `toward` says whether a metric moved toward its goal."""

    name: str
    kind: Kind
    old: str | None
    new: str | None
    delta: str = ""
    relative: str = ""
    toward: bool | None = None


class Delta(NamedTuple):
    """By how much a metric changed, and by what fraction of |old|; None where a side is no number, or old is 0."""

    delta: int | float | None = None
    relative: float | None = None


def select(difference: Difference, area: Area) -> tuple[Change, ...]:
    """The changes of an area."""
    return tuple(change for change in difference.changes if change.area == area)


def list_entries(changes: Sequence[Change]) -> list[Entry]:
    """Parameters or the like, in words."""
    names = name_keys([change.key for change in changes])
    return [_entry(change, name) for change, name in zip(changes, names, strict=True)]


def list_metrics(changes: Sequence[Change], declared: Mapping[str, MetricDeclaration]) -> list[Entry]:
    """Metrics with their deltas, those that are declared first."""
    rank = {name: number for number, name in enumerate(declared)}
    ordered = sorted(changes, key=lambda change: rank.get(".".join(change.key), len(rank)))
    return [
        _with_delta(entry, change, declared.get(".".join(change.key)))
        for entry, change in zip(list_entries(ordered), ordered, strict=True)
    ]


def split_environment(changes: Sequence[Change]) -> tuple[list[Change], list[Change]]:
    """What is known of the machine, interpreter first; and the packages: changed, then added, then removed."""
    packages = [change for change in changes if is_package(change)]
    facts = [change for change in changes if not is_package(change)]
    rank = {name: number for number, name in enumerate(_FACTS)}
    return (
        sorted(facts, key=lambda change: rank.get(change.key[0], len(rank))),
        sorted(packages, key=lambda change: _ORDER.index(change.kind)),
    )


def is_package(change: Change) -> bool:
    """Whether a change in the environment is one of a package."""
    return len(change.key) > 1 and change.key[0] == "packages"


def choose_form(area: str, key: Sequence[str]) -> Callable[[Value], str]:
    """How a value of this key is written."""
    if area != Area.ENVIRONMENT:
        return format_plain
    return _format_memory if key[-1] == "memory" else format_loose


def find_delta(change: Change) -> Delta:
    """By how much a number changed. A delta may be infinite; what no float can hold, and what is not a number, is None."""
    old, new = change.old, change.new
    if change.area != Area.METRICS or not _is_number(old) or not _is_number(new):
        return Delta()
    try:
        delta = new - old or int(new) - int(old)  # a float near a large whole number hides what lies between
        if math.isnan(delta):
            return Delta()
        relative = delta / abs(old) if old and math.isfinite(old) else math.nan
    except (OverflowError, ValueError):
        return Delta()
    return Delta(delta, relative if math.isfinite(relative) else None)


def is_toward(change: Change, declared: MetricDeclaration | None) -> bool | None:
    """Whether a metric moved in the direction of its goal; None if it has none, a side is no number, or it moved less than `min_effect`."""
    old, new = change.old, change.new
    goal = declared.goal if declared else None
    if goal is None or declared is None or not _is_number(old) or not _is_number(new) or not (new > old or new < old):
        return None
    delta = find_delta(change).delta
    if delta is not None and declared.min_effect is not None and abs(delta) < declared.min_effect:
        return None
    return (new > old) == (goal is Goal.MAXIMIZE)


def name_side(side: Side) -> str:
    """What was typed, or the name of the run; `work tree`; an oid in short. Inert."""
    if side.kind is SideKind.COMMIT and side.oid and side.oid.startswith(side.name):
        return side.oid[:_OID]
    return inert(side.name)


def name_argument(side: Side) -> str:
    """What to type for a side."""
    return "." if side.kind is SideKind.WORK_TREE else side.name


def remark_side(side: Side) -> str:
    """What is to be known of a side beside its name: the status of a run that is not completed, or a commit's oid in short."""
    if side.run is not None:
        return "" if side.run.status is Status.COMPLETED else str(side.run.status)
    return side.oid[:_OID] if side.kind is SideKind.COMMIT and side.oid and side.oid[:_OID] != name_side(side) else ""


def describe_side(side: Side) -> str:
    """Name and remark on one line."""
    remark = remark_side(side)
    return f"{name_side(side)} ({remark})" if remark else name_side(side)


def count_kinds(kinds: Iterable[Kind]) -> str:
    """`2 changed, 1 added`."""
    counts = Counter(kinds)
    return ", ".join(f"{counts[kind]:,} {kind}" for kind in _ORDER if counts[kind])


def count_lines(files: Sequence[FileChange]) -> str:
    """`3 files, +10 −2`."""  # noqa: RUF002 - as wide as the plus
    added, removed = (sum(getattr(file, side) or 0 for file in files) for side in ("added", "removed"))
    return f"{counted(len(files), 'file')}, +{added:,} −{removed:,}"  # noqa: RUF001


def count_areas(difference: Difference, areas: Sequence[Area]) -> dict[Area, str]:
    """How much differs, for each area in which anything does."""
    counts = {area: count_kinds(change.kind for change in select(difference, area)) for area in areas}
    if Area.CODE in areas and difference.files:
        counts[Area.CODE] = count_lines(difference.files)
    return {area: counts[area] for area in Area if counts.get(area)}


def list_remarks(difference: Difference | Overview, areas: Sequence[Area] = tuple(Area)) -> list[str]:
    """What was not compared and why, then what cannot be told; a line each, as it came."""
    skipped = [
        f"{TITLES[area]}: not compared, {difference.skipped[area]}" for area in areas if area in difference.skipped
    ]
    return [*skipped, *difference.cautions]


def say_nothing_differs(areas: Sequence[Area], skipped: Mapping[str, str]) -> str:
    """The one line that is left if nothing differs."""
    titles = [TITLES[area] for area in areas if area not in skipped]
    if not titles:
        return "nothing was compared"
    return f"no difference in {' or '.join(filter(None, [', '.join(titles[:-1]), titles[-1]]))}"


def _entry(change: Change, name: str) -> Entry:
    old, new = _texts(change)
    return Entry(name, change.kind, old, new)


def _texts(change: Change) -> tuple[str | None, str | None]:
    form = choose_form(change.area, change.key)
    if change.kind is Kind.ADDED:
        return None, form(change.new)
    if change.kind is Kind.REMOVED:
        return form(change.old), None
    old, new = tell_apart([change.old, change.new], form)
    return old, new


def _format_memory(value: Value) -> str:
    return format_size(value) if isinstance(value, int) and not isinstance(value, bool) else format_plain(value)


def _with_delta(entry: Entry, change: Change, declaration: MetricDeclaration | None) -> Entry:
    delta, relative = find_delta(change)
    return entry._replace(
        delta="" if delta is None else _signed(delta),
        relative="" if relative is None else _percent(100 * relative),
        toward=is_toward(change, declaration),
    )


def _signed(delta: float) -> str:
    if isinstance(delta, int):
        return f"{'+' if delta > 0 else ''}{format_whole(delta)}"
    return f"{delta:+.6g}"


def _percent(number: float) -> str:
    size = abs(number)
    return f"{number:+.1f}%" if 0.1 <= size < 1e6 else f"{number:+.2g}%"


def _is_number(value: Value) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
