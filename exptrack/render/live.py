"""A run under way: what is known of it so far, as a view of some lines, as one line, or as lines that are added."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from exptrack.analysis.live import Progress, Series
from exptrack.model.run import PIPELINE, Record
from exptrack.model.settings import MetricDeclaration
from exptrack.model.tree import Value, flatten
from exptrack.operations.follow import Sight, State
from exptrack.render.page import YELLOW, Page
from exptrack.render.sparkline import sparkline
from exptrack.render.text import (
    BOLD,
    GREEN,
    RED,
    align,
    clip,
    display_width,
    fill,
    format_age,
    format_command,
    format_duration,
    format_pairs,
    format_value,
    inert,
    paint,
)

_LABEL = 10
_CURVE, _BAR = 40, 20  # cells at most
_MOST, _TAIL = 40, 10  # lines of a section, and of output
_WIDEST = 40  # cells of a name
_SILENCE = 10  # seconds
_COLORS = {State.RUNNING: GREEN, State.ORPHANED: YELLOW, State.DIED: RED, State.GONE: ""}


def format_live(
    sight: Sight, now: datetime, *, declared: Mapping[str, MetricDeclaration], page: Page, is_ascii: bool = False
) -> str:
    """A card of the run: all that is known, the end of its output last. No line of it can do more than be a line."""
    parts = [
        list(_head(sight, now, page, is_ascii=is_ascii)),
        _section("metrics", _metrics(_order(sight.metrics, declared), page, is_ascii=is_ascii), page),
        _section("system", _metrics(sight.system, page, is_ascii=is_ascii), page),
        _section("parameters", _values(flatten(sight.params)), page),
        _section("problems", map(inert, sight.problems), page),
        _output(sight.output, _TAIL, page),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def format_view(
    sight: Sight,
    now: datetime,
    *,
    declared: Mapping[str, MetricDeclaration],
    page: Page,
    lines: int,
    is_ascii: bool = False,
) -> list[str]:
    """What is seen while it is followed, in at most so many lines: the metrics get half of them, the output what is left."""
    view = list(_head(sight, now, page, is_ascii=is_ascii))
    last = {name.removeprefix("system/"): series.value for name, series in sight.system.items()}
    view += [page.line(f"{'system':<{_LABEL}}", format_pairs(last))] if last else []
    view += [page.line(f"{'problem':<{_LABEL}}", (text, YELLOW)) for text in sight.problems[-2:]]
    room = max(3, (lines - len(view)) // 2)
    metrics = _metrics(_order(sight.metrics, declared), page, is_ascii=is_ascii)
    if metrics:
        view += ["", *_section("metrics", metrics, page, room - 2)]
    room = lines - len(view) - 2
    if sight.output and room > 0:
        view += ["", *_output(sight.output, room, page)]
    return view[:lines]


def format_table(sights: Sequence[Sight], now: datetime, *, page: Page, is_ascii: bool = False) -> list[str]:
    """A line for each run, below a header."""
    rows = [("run", "state", "for", "progress", "metrics")]
    for sight in sights:
        started = sight.record.started if sight.record and sight.state is not State.DIED else None
        elapsed = format_duration((now - started).total_seconds() if started else None)
        progress = _progress(sight.progress, is_ascii=is_ascii, is_short=True) or "-"
        last = {name: series.value for name, series in sight.metrics.items()}
        rows.append((sight.name, _state(sight), elapsed, progress, format_pairs(last)))
    columns = [fill([clip(inert(row[number]), _WIDEST + _BAR) for row in rows]) for number in range(4)]
    lines = ["  ".join([*cells, row[4]]).rstrip() for row, *cells in zip(rows, *columns, strict=True)]
    header, *rest = [page.line(line) for line in lines]
    return [paint(header, BOLD if page.is_colored else ""), *rest]


def format_entry(entry: Mapping[str, Value]) -> str:
    """An entry of metrics as one line."""
    time = datetime.fromtimestamp(float(str(entry["time"])), UTC)
    words = [f"{time:%H:%M:%S}"]
    words += [f"{key} {format_value(entry[key])}" for key in ("epoch", "step") if entry.get(key) is not None]
    values = entry["values"]
    return "  ".join([*words, format_pairs(values if isinstance(values, Mapping) else {})])


def _head(sight: Sight, now: datetime, page: Page, *, is_ascii: bool) -> Iterator[str]:
    record = sight.record
    facts = {
        "run": sight.name,
        "state": _describe_state(sight, now),
        "started": f"{record.started:%Y-%m-%d %H:%M:%S} UTC" if record else None,
        "host": sight.host,
        "command": _command(record),
        "process": None if sight.pid is None or sight.state is State.DIED else str(sight.pid),
        "tags": ", ".join(record.tags) or None if record else None,
        "note": record.note if record else None,
        "progress": _progress(sight.progress, is_ascii=is_ascii, is_short=False),
        "at": _pace(sight.progress),
    }
    for label, value in facts.items():
        if value is not None:
            yield page.line(f"{label:<{_LABEL}}", (value, _COLORS[sight.state] if label == "state" else ""))


def _state(sight: Sight) -> str:
    return "being recorded" if sight.has_ended and sight.state is State.RUNNING else str(sight.state)


def _describe_state(sight: Sight, now: datetime) -> str:
    words = _state(sight)
    if sight.state is State.DIED:
        return f"{words}: `exptrack recover {sight.name}` records it"
    if sight.record is None:
        return f"{words}, its command has not started yet"
    words += f" for {format_duration(max(0.0, (now - sight.record.started).total_seconds()))}"
    if sight.heard is not None and now.timestamp() - sight.heard >= _SILENCE:
        words += f", nothing was logged for {format_age(datetime.fromtimestamp(sight.heard, UTC), now)}"
    return words


def _command(record: Record | None) -> str | None:
    if record is None or not (record.command or record.is_pipeline):
        return None
    inside = f"  (in {record.directory})" if record.directory != "." else ""
    return (PIPELINE if record.is_pipeline else format_command(record.command)) + inside


def _progress(progress: Progress, *, is_ascii: bool, is_short: bool) -> str | None:
    words = []
    if progress.share is not None:
        bar = "" if is_short else _bar(progress.share, is_ascii=is_ascii) + " "
        words.append(f"{bar}{100 * progress.share:.0f}%")
    words += _counts(progress, is_short=True) if is_short else []
    words += [f"about {format_duration(progress.left)} left"] if progress.left is not None else []
    return ", ".join(words) or None


def _counts(progress: Progress, *, is_short: bool) -> list[str]:
    numbers = {"epoch": progress.epoch, "step": progress.step}
    return [_count(progress, unit, number, is_short=is_short) for unit, number in numbers.items() if number is not None]


def _pace(progress: Progress) -> str | None:
    words = _counts(progress, is_short=False)
    words += [f"{_short(progress.rate)} steps/s"] if progress.rate is not None else []
    return ", ".join(words) or None


def _count(progress: Progress, unit: str, number: float, *, is_short: bool) -> str:
    said = f"{unit} {number:,g}" if number != int(number) else f"{unit} {int(number):,}"
    if unit != progress.unit or progress.total is None:
        return said
    said += f" of {progress.total:,g}"
    if is_short:
        return said
    return f"{said} ({progress.parameter}{', if a step is an epoch' if progress.is_guess else ''})"


def _short(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def _bar(share: float, *, is_ascii: bool) -> str:
    full = int(share * _BAR)
    done, rest = ("#", ".") if is_ascii else ("█", "░")
    return f"[{done * full}{rest * (_BAR - full)}]"


def _order(metrics: Mapping[str, Series], declared: Mapping[str, MetricDeclaration]) -> dict[str, Series]:
    return {name: metrics[name] for name in [*(name for name in declared if name in metrics), *metrics]}


def _metrics(metrics: Mapping[str, Series], page: Page, *, is_ascii: bool) -> list[str]:
    """Name, last value, curve."""
    some = dict(list(metrics.items())[:_MOST])
    widest = _WIDEST if page.width is None else min(_WIDEST, page.width // 3)
    names = fill([clip(inert(name), widest) for name in some])
    values = align([format_value(series.value) for series in some.values()])
    taken = 2 + 2 + 2 + sum(max(map(display_width, column), default=0) for column in (names, values))
    cells = _CURVE if page.width is None else max(0, min(_CURVE, page.width - taken))
    curves = [sparkline(series.curve, cells, is_ascii=is_ascii) for series in some.values()]
    lines = [f"{name}  {value}  {curve}".rstrip() for name, value, curve in zip(names, values, curves, strict=True)]
    return [*lines, *[""] * (len(metrics) - len(some))]  # the rest is counted, not shown


def _values(leaves: Mapping[str, Value]) -> list[str]:
    names = fill([clip(inert(name), _WIDEST) for name in leaves])
    return [f"{name}  {format_value(value)}" for name, value in zip(names, leaves.values(), strict=True)]


def _output(output: Sequence[str], most: int, page: Page) -> list[str]:
    lines = [line.rstrip("\r").expandtabs() for line in output]
    while lines and not lines[-1].strip():
        lines.pop()
    shown = lines[-most:]
    return ["output, the last lines:", *(page.line("  ", line) for line in shown)] if shown else []


def _section(title: str, rows: Iterable[str], page: Page, most: int = _MOST) -> list[str]:
    listed = list(rows)
    if not listed:
        return []
    shown = listed if len(listed) <= most else listed[: max(1, most - 1)]
    more = [f"  and {len(listed) - len(shown):,} more"] if len(listed) > len(shown) else []
    return [f"{title}:", *(page.line("  ", row) for row in shown), *more]
