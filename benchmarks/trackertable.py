"""Trackers side by side: what was measured of each, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import NamedTuple

_OURS = "exptrack"
_TIMES_FASTER = 20
_CALL, _RATE = 5, 150_000  # microseconds; calls a second


class Killed(NamedTuple):
    """After one kill -9: how many calls had returned, how many steps the tool knows, and whether they are in order, each once."""

    noted: int
    steps: int
    whole: bool


class Figures(NamedTuple):
    """What was measured of a tool; without a version it is not installed."""

    tool: str
    version: str | None
    times: tuple[Mapping[str, float], ...] = ()
    kills: tuple[Killed, ...] = ()

    @property
    def call(self) -> float:
        """Seconds of a call: the median of the rounds' medians."""
        return median(one["call"] for one in self.times)

    @property
    def survives(self) -> bool:
        """Whether no step is lost whose call had returned."""
        return all(one.steps >= one.noted and one.whole for one in self.kills)


def format_tools(figures: Sequence[Figures]) -> str:
    """Trackers side by side, and how much faster ours is than the fastest that loses nothing."""
    ours = min((one for one in figures if one.tool.startswith(_OURS) and one.times), key=lambda one: one.call)
    rows = [_tool_row(one, ours) for one in figures]
    rivals = [one for one in figures if one.times and not one.tool.startswith(_OURS) and one.survives]
    lines = ["### three metrics a step, beside other trackers", "", *make_table(_TOOL_HEAD, rows)]
    lines += ["", *(_promise(one) for one in figures if one.tool.startswith(_OURS) and one.times)]
    if rivals:
        best = min(rivals, key=lambda one: one.call)
        own = max((one for one in figures if one.tool.startswith(_OURS) and one.times), key=lambda one: one.call)
        found = best.call / own.call
        name, verdict = own.tool.removeprefix("exptrack, "), _judge(found >= _TIMES_FASTER)
        lines += [
            "",
            f"Of those that survive, the fastest is {best.tool}: `{name}` is {found:,.0f} times as fast (promised: {_TIMES_FASTER}; {verdict}).",
        ]
    return "\n".join(lines)


def _promise(one: Figures) -> str:
    """Seconds depend on the machine, and calls a second on what else it does: both ways to say it."""
    rate, cpu = median(times["rate"] for times in one.times), median(times["cpu"] for times in one.times)
    return (
        f"- `{one.tool.removeprefix('exptrack, ')}`: {format_micro(one.call)} µs a call (promised: at most {_CALL}; "
        f"{_judge(one.call * 1e6 <= _CALL)}); {rate:,.0f} calls/s as the machine was, {1 / cpu:,.0f} of one core (promised: {_RATE:,}; "
        f"{_judge(rate >= _RATE)}, {_judge(1 / cpu >= _RATE)})."
    )


def _judge(is_met: bool) -> str:  # noqa: FBT001 - it is a word for one
    return "met" if is_met else "missed"


_TOOL_HEAD = (
    "tool",
    "call: min",
    "median",
    "max",
    "of ours",
    "cpu",
    "calls/s",
    "of one core",
    "after kill -9",
    "survives",
)


def _tool_row(one: Figures, ours: Figures) -> tuple[str, ...]:
    if one.version is None:
        return (one.tool, *[""] * 7, "", "not installed")
    calls = [times["call"] for times in one.times]
    cpu = median(times["cpu"] for times in one.times)
    lost = [max(0, killed.noted - killed.steps) for killed in one.kills]
    noted = sum(killed.noted for killed in one.kills)
    return (
        f"{one.tool} ({one.version})",
        *(format_micro(value) for value in (min(calls), one.call, max(calls))),
        f"{one.call / ours.call:.1f}",
        format_micro(cpu),
        f"{median(times['rate'] for times in one.times):,.0f}",
        f"{1 / cpu:,.0f}",
        f"lost {sum(lost):,} of {noted:,}" + ("" if all(killed.whole for killed in one.kills) else ", not in order"),
        "yes" if one.survives else "no",
    )


def format_micro(seconds: float) -> str:
    """Microseconds."""
    return f"{seconds * 1e6:,.1f}"


def make_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table in Markdown; all columns but the first are numbers."""
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join(['---', *['--:'] * (len(head) - 1)])} |"
    yield from (f"| {' | '.join(row)} |" for row in rows)
