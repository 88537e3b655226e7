"""Growth as tables: what was promised, the medians, the memory, and all of it; and as the series that a picture is drawn of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from benchmarks.growthcases import ALL, BEST, BUILD, FLOOR, INDEXED, LATEST, RECORD, REFRESH, TAG, WARM
from benchmarks.measure import Row
from benchmarks.trackertable import make_table

Found = Mapping[str, Mapping[int, Row]]  # by command and number of runs
_Tell = Callable[[Row], str]

_MEGA = 1e6
_HALF_MORE = 1.5
_MEMORY = 300 * _MEGA


class Promise(NamedTuple):
    """At most so many seconds at a number of runs; with `of`, at most that share of another point."""

    command: str
    number: int
    most: float
    of: tuple[str, int] | None = None


PROMISES = (
    Promise(LATEST, 100_000, 0.4),
    Promise(BEST, 100_000, 0.6),
    Promise(BUILD, 100_000, 15.0),
    Promise(REFRESH, 100_000, 0.6),
    Promise(ALL, 10_000, 0.25),
    Promise(TAG, 10_000, 0.2),
    Promise(ALL, 1_000, 1 / 8, (WARM, 1_000)),
    Promise(RECORD, 100_000, _HALF_MORE, (RECORD, 100)),
)


def format_growth(found: Found) -> str:
    """All of it, as Markdown."""
    parts = [
        *_format_promises(found),
        "### time against runs, in milliseconds",
        "\n".join(_format_matrix(found, lambda row: _time(row.median))),
        "### peak memory against runs, in MB",
        "\n".join(_format_matrix(found, lambda row: f"{max(row.peaks) / _MEGA:.0f}")),
    ]
    for number in _numbers(found):
        parts += [f"### {number:,} runs, in full", "\n".join(_format_all(found, number))]
    return "\n\n".join(parts)


def _format_promises(found: Found) -> Iterator[str]:
    rows = [*_judge_times(found), *_judge_memory(found)]
    if rows:
        met = sum(row[-1] == "yes" for row in rows)
        yield f"{met} of {len(rows)} promises are kept."
        yield "\n".join(make_table(("promise", "runs", "at most", "found", "kept"), rows))


def _judge_times(found: Found) -> Iterator[tuple[str, ...]]:
    for one in PROMISES:
        row = found.get(one.command, {}).get(one.number)
        base = found.get(one.of[0], {}).get(one.of[1]) if one.of else None
        if row is None or (one.of and base is None):
            continue
        if one.of is None or base is None:
            yield _judged(f"`{one.command}`", one, f"{one.most:g} s", f"{row.median:.3g} s", row.median <= one.most)
        else:
            share = row.median / base.median
            of = f" of `{one.of[0]}`" if one.of[0] != one.command else f" of that with {one.of[1]:,}"
            yield _judged(f"`{one.command}`{of}", one, _share(one.most), _share(share), share <= one.most)


def _judged(what: str, one: Promise, most: str, found: str, is_kept: bool) -> tuple[str, ...]:  # noqa: FBT001
    return what, f"{one.number:,}", most, found, "yes" if is_kept else "no"


def _judge_memory(found: Found) -> Iterator[tuple[str, ...]]:
    number = max(_numbers(found))
    peaks = {command: max(found[command][number].peaks) for command in INDEXED if number in found.get(command, {})}
    if peaks:
        worst = max(peaks, key=lambda command: peaks[command])
        is_kept = "yes" if peaks[worst] < _MEMORY else "no"
        yield (
            f"memory: the most is that of `{worst}`",
            f"{number:,}",
            "300 MB",
            f"{peaks[worst] / _MEGA:.0f} MB",
            is_kept,
        )


def _format_matrix(found: Found, tell: _Tell) -> Iterator[str]:
    numbers = _numbers(found)
    rows = [
        (f"`{command}`", *(tell(rows[number]) if number in rows else "" for number in numbers))
        for command, rows in found.items()
    ]
    return make_table(("command", *(f"{number:,}" for number in numbers)), rows)


def _format_all(found: Found, number: int) -> Iterator[str]:
    floor = found[FLOOR][number].median
    head = ("command", "min", "median", "max", "cpu", "memory, MB", "of the floor")
    rows = [
        (
            f"`{command}`",
            *map(_time, (min(row.seconds), row.median, max(row.seconds), median(row.cpu))),
            f"{max(row.peaks) / _MEGA:.0f}",
            _share(row.median / floor),
        )
        for command, points in found.items()
        for place, row in points.items()
        if place == number
    ]
    return make_table(head, rows)


def _numbers(found: Found) -> Sequence[int]:
    return sorted({number for rows in found.values() for number in rows})


def _time(seconds: float) -> str:
    return f"{seconds * 1000:,.1f}"


def _share(share: float) -> str:
    return f"1/{1 / share:.1f}" if share < 1 else f"{share:,.1f}"
