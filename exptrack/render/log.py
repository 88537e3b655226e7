"""Runs one after the other, as `git log` shows commits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, pairwise

from exptrack.analysis.diff import same
from exptrack.analysis.message import format_message
from exptrack.model.run import PIPELINE, Run, Status
from exptrack.model.tree import Value, flatten
from exptrack.render.decisions import list_decisions
from exptrack.render.page import STATUS_COLORS, YELLOW, Page, fit, format_ending
from exptrack.render.text import clip, display_width, format_command, format_duration, format_value, inert, inert_page
from exptrack.render.values import tell_apart
from exptrack.store.runs import ABBREVIATED

_LABEL = 12
_INDENT = "    "
_MOST = 8  # parameters or metrics on a line
_WIDEST = 40


def write_log(
    runs: Iterable[Run],
    *,
    first: Sequence[str] = (),
    stats: Mapping[str, str] | None = None,
    page: Page = Page(),  # noqa: B008 - a tuple
) -> Iterator[str]:
    """A log, piece by piece: an entry for each run: who, when, how it ended, what it ran, what was decided with it, notes, the parameters that differ from the next run's, metrics.

    Of the last one all parameters are shown. Metrics named in `first` come first; `stats` is what git says of the code of each run, by
    its oid.
    """
    gap = ""
    for run, older in pairwise(chain(runs, (None,))):
        if run is None:
            return
        parts = [_head(run, page), _notes(run, page), _numbers(run, older, first, page), _stat(run, stats)]
        yield gap + "\n\n".join("\n".join(lines) for lines in map(list, parts) if lines)
        gap = "\n\n"


def write_oneline(
    runs: Iterable[Run],
    *,
    first: Sequence[str] = (),
    stats: Mapping[str, str] | None = None,
    page: Page = Page(),  # noqa: B008 - a tuple
) -> Iterator[str]:
    """A log, piece by piece: a line for each run: abbreviated oid, name, tags, how it ended if it did not complete, what it did and what came out."""
    primary = next(iter(first), None)
    gap = ""
    for run in runs:
        state, subject = _state(run), _subject(run, primary)
        ended = [(state, STATUS_COLORS[run.status]), ": " if subject else ""] if state else []
        line = page.line(
            (run.oid[:ABBREVIATED], YELLOW), f" {run.name}", (_tags(run), YELLOW), _again(run), " ", *ended, subject
        )
        yield gap + "\n".join([line, *_stat(run, stats)])
        gap = "\n"


def _head(run: Run, page: Page) -> Iterator[str]:
    record = run.record
    yield page.line((f"run {run.name}{_tags(run)}", YELLOW))
    took = "" if record.duration is None else f", took {format_duration(record.duration)}"
    facts = {
        "Commit": run.oid,
        "Author": _author(record.author, page.room(_LABEL)),
        "Date": f"{record.started:%Y-%m-%d %H:%M:%S} UTC",
        "Status": f"{record.status}{format_ending(record)}{took}",
        "Command": PIPELINE if record.is_pipeline else format_command(record.command),
        "Overrides": format_command(record.overrides),
        "Experiment": record.experiment,
        "Seed": record.seed,
        "Reproduces": record.links.reproduces,
    }
    for label, value in facts.items():
        if value not in {None, ""}:
            color = STATUS_COLORS[record.status] if label == "Status" else ""
            yield page.line(f"{label + ':':<{_LABEL}}", (str(value), color))
    for name, text in list_decisions(run):
        yield page.line(f"{name.capitalize() + ':':<{_LABEL}}", text)


def _author(author: str, room: int | None) -> str:
    """The address is left out where there is no room for it."""
    return author if room is None or display_width(inert(author)) <= room else author.partition(" <")[0]


def _notes(run: Run, page: Page) -> Iterator[str]:
    for note in run.notes:
        for line in note.strip().split("\n"):
            for part in page.wrap(inert(line.rstrip("\r")), len(_INDENT)):
                yield page.line(_INDENT, part).rstrip()


def _numbers(run: Run, older: Run | None, first: Sequence[str], page: Page) -> Iterator[str]:
    """The parameters, beside an older run only what differs from its own; and the metrics."""
    params, before = flatten(run.params), None if older is None else flatten(older.params)
    label = "params" if older is None else f"params (than {older.name})"
    metrics = flatten(run.record.shown_metrics)
    ordered = [*dict.fromkeys(name for name in [*first, *metrics] if name in metrics)]
    yield from _line(label, _changed(before, params), partial(_change, before, params), page)
    yield from _line("metrics", ordered, lambda key: _pair(key, metrics[key]), page)


def _line(label: str, keys: Sequence[str], show: Callable[[str], str], page: Page) -> Iterator[str]:
    if keys:
        lead = f"{_INDENT}{label + ': ':<9}"
        yield page.line(lead, fit([show(key) for key in keys[:_MOST]], len(keys), page.room(len(lead))))


def _changed(old: Mapping[str, Value] | None, new: Mapping[str, Value]) -> list[str]:
    """The keys that are other than in the run before, those that are new, and those that are gone; without such a run all."""
    if old is None:
        return list(new)
    return [
        *(key for key, value in new.items() if key not in old or not same(old[key], value)),
        *(key for key in old if key not in new),
    ]


def _change(old: Mapping[str, Value] | None, new: Mapping[str, Value], key: str) -> str:
    if old is None:
        return _pair(key, new[key])
    if key not in new:
        return f"no {_name(key)}"
    if key not in old:
        return f"+{_pair(key, new[key])}"
    before, after = (clip(text, _WIDEST) for text in tell_apart((old[key], new[key])))
    return f"{_name(key)} {before} → {after}"


def _pair(key: str, value: Value) -> str:
    return f"{_name(key)}={clip(format_value(value), _WIDEST)}"


def _name(key: str) -> str:
    return clip(inert(key), _WIDEST)


def _tags(run: Run) -> str:
    return f" ({', '.join(run.tags)})" if run.tags else ""


def _again(run: Run) -> str:
    """A run that `reproduce` made reads like the original; this tells them apart."""
    return f" (reproduces {run.record.links.reproduces})" if run.record.links.reproduces else ""


def _state(run: Run) -> str:
    return "" if run.status is Status.COMPLETED else f"{run.status}{format_ending(run.record)}"


def _subject(run: Run, primary: str | None) -> str:
    """The subject of the run's commit, without its name, and without the status, which is shown by itself."""
    plain = run.record._replace(status=Status.COMPLETED, exit_code=None, signal=None)
    subject = format_message(plain, primary).partition("\n")[0].removeprefix(f"{run.name}: ")
    return "" if subject == Status.COMPLETED and _state(run) else subject


def _stat(run: Run, stats: Mapping[str, str] | None) -> list[str]:
    text = (stats or {}).get(run.oid, "")
    return [inert_page(text)] if text else []
