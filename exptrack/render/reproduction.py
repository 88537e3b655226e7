"""What came of executing a run again, for a terminal or a pipe: the verdict first, then what it rests on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from exptrack.model.change import Change, Kind
from exptrack.model.difference import Area
from exptrack.model.reproduction import Answer, Divergence, LevelAnswer, Reproduction
from exptrack.model.run import Run, Status
from exptrack.model.settings import MetricDeclaration
from exptrack.model.tree import Value
from exptrack.render.columns import format_arrows, format_singles
from exptrack.render.deltas import (
    Entry,
    count_kinds,
    is_package,
    list_entries,
    list_remarks,
    name_argument,
    select,
    split_environment,
)
from exptrack.render.difference import PIPE_WIDTH, format_difference
from exptrack.render.page import STATUS_COLORS, YELLOW, format_ending
from exptrack.render.text import (
    BOLD,
    GREEN,
    RED,
    display_width,
    fill,
    format_command,
    format_duration,
    inert,
    pad,
    paint,
    wrap,
)
from exptrack.render.values import format_plain, name_path, tell_apart

_COLORS = {Answer.YES: GREEN, Answer.NO: RED, Answer.CANNOT_ASSESS: YELLOW, Answer.TOO_WEAK: YELLOW}
_VERBS = {Status.INTERRUPTED: "was interrupted"}
_MOST_PACKAGES = 10
_DIGEST = re.compile(r"[a-z0-9]+:[0-9a-f]{12}([0-9a-f]{12,}(?:\.dir)?)")  # the group: what `show` leaves out
_NARROWEST = 30  # cells for evidence; where there are fewer it stands below its level
_OTHERS = tuple(area for area in Area if area is not Area.ENVIRONMENT)


class _View(NamedTuple):
    reproduction: Reproduction
    declared: Mapping[str, MetricDeclaration]
    width: int
    color: bool

    def paint(self, text: str, color: str) -> str:
        return paint(text, color) if self.color else text

    def title(self, text: str) -> str:
        return self.paint(text, BOLD)


def format_reproduction(
    reproduction: Reproduction,
    declared: Mapping[str, MetricDeclaration],
    *,
    width: int | None,
    color: bool,
) -> str:
    """The verdict, the four levels, where it first diverged, what differs, notes, and the runs that were recorded.

    `width` is that of the terminal, None in a pipe. What has nothing to say is left out.
    """
    view = _View(reproduction, declared, width or PIPE_WIDTH, color)
    sections = (_verdict, _levels, _nondeterministic, _divergence, _difference, _environment, _more, _notes, _runs)
    return "\n\n".join("\n".join(lines) for lines in (list(section(view)) for section in sections) if lines)


def say_verdict(reproduction: Reproduction) -> str:
    """`reproduces: statistical, not exact`, to follow the name of the run; inert."""
    if reproduction.reached is not None:
        missed = [one.level for one in reproduction.levels[: _count_above(reproduction)] if one.answer is Answer.NO]
        return f"reproduces: {reproduction.reached}" + (f", not {' or '.join(missed)}" if missed else "")
    otherwise = list_otherwise(reproduction)
    if otherwise:
        return f"does not reproduce: {_say_otherwise(reproduction, otherwise)}"
    is_no = any(one.answer is Answer.NO for one in reproduction.levels)
    return "does not reproduce" if is_no else "is not known to reproduce"


def judge(reproduction: Reproduction) -> Answer:
    """The verdict in a word: whether any level holds; `no` also if an execution did not end as the recorded one."""
    if reproduction.reached is not None:
        return Answer.YES
    is_no = any(one.answer is Answer.NO for one in reproduction.levels) or list_otherwise(reproduction)
    return Answer.NO if is_no else Answer.CANNOT_ASSESS


def list_otherwise(reproduction: Reproduction) -> list[Run]:
    """The executions that did not end as the recorded one did."""
    return [rerun for rerun in reproduction.reruns if rerun.status is not reproduction.original.status]


def list_notes(reproduction: Reproduction) -> list[str]:
    """What weakens the evidence, what was not compared, and what cannot be told; each once, as it came."""
    return list(dict.fromkeys([*reproduction.notes, *list_remarks(reproduction.difference)]))


def name_at(reproduction: Reproduction) -> str | None:
    """What was executed instead of the run's own snapshot, as it was typed."""
    return None if reproduction.at is None else inert(reproduction.at)


def list_command(reproduction: Reproduction) -> list[str]:
    """The words that do the same again."""
    at = [] if reproduction.at is None else ["--at", reproduction.at]
    environment = [] if reproduction.environment == "present" else ["--environment", reproduction.environment]
    return ["exptrack", "reproduce", reproduction.original.name, *at, *environment]


def say_divergence(divergence: Divergence, form: Callable[[str], str] = str) -> str:
    """What it is that diverged: `stage train, output model.pkl`, or `metric loss at step 3`; names are inert, and in this form."""
    parts = [("stage", divergence.stage), ("output", divergence.output), ("metric", divergence.metric)]
    named = {what: f"{what} {form(name_path(name))}" for what, name in parts if name is not None}
    if "stage" in named and divergence.input is not None:
        named["stage"] += f" (its input {form(name_path(divergence.input))} differs)"
    said = ", ".join(named.values()) or "outcome"
    return said if divergence.step is None else f"{said} at step {divergence.step}"


def format_sides(divergence: Divergence) -> tuple[str | None, str | None]:
    """The value on each side so that they read differently, digests in short; None where it is not there."""
    if divergence.old is None or divergence.new is None:
        old, new = (None if value is None else _brief(value) for value in (divergence.old, divergence.new))
        return old, new
    old, new = tell_apart([divergence.old, divergence.new], _brief)
    return old, new


def format_levels(levels: Sequence[LevelAnswer], width: int, *, color: bool) -> Iterator[str]:
    """A line or more for each level: the answer, and beside it or below it the evidence."""
    names, answers = fill([one.level for one in levels]), fill([one.answer for one in levels])
    for name, answer, one in zip(names, answers, levels, strict=True):
        yield from _level(f"{name}  ", answer, one, width, color=color)


def format_divergence(divergence: Divergence, width: int) -> list[str]:
    """What diverged, and the value on each side."""
    old, new = format_sides(divergence)
    return format_arrows([Entry(say_divergence(divergence), Kind.CHANGED, old, new)], width)


def _brief(value: Value) -> str:
    text = format_plain(value)
    return text[: -len(match[1])] if (match := _DIGEST.fullmatch(text)) else text


def _count_above(reproduction: Reproduction) -> int:
    return [one.level for one in reproduction.levels].index(reproduction.reached) if reproduction.reached else 0


def _say_otherwise(reproduction: Reproduction, otherwise: Sequence[Run]) -> str:
    if len(reproduction.reruns) > 1:
        said = f"{len(otherwise)} of {len(reproduction.reruns)} reruns ended otherwise"
    else:
        said = f"the rerun {_verb(otherwise[0])}{inert(format_ending(otherwise[0].record))}"
    is_usual = reproduction.original.status is Status.COMPLETED
    return said if is_usual else f"{said}, the recorded run {_verb(reproduction.original)}"


def _verb(run: Run) -> str:
    return _VERBS.get(run.status, str(run.status))


def _verdict(view: _View) -> Iterator[str]:
    at = name_at(view.reproduction)
    subject = inert(view.reproduction.original.name) + (f" at {at}" if at else "")
    first, *more = wrap([subject, *say_verdict(view.reproduction).split(" ")], view.width - 2)
    for line in [first, *(f"  {part}" for part in more)]:
        yield view.paint(line, _COLORS[judge(view.reproduction)])


def _levels(view: _View) -> Iterator[str]:
    yield from format_levels(view.reproduction.levels, view.width, color=view.color)


def _level(name: str, answer: str, one: LevelAnswer, width: int, *, color: bool) -> Iterator[str]:
    taken = display_width(name + answer) + 2
    head = name + (paint(answer, _COLORS[one.answer]) if color else answer)
    room = width - taken - 2
    widest = max((display_width(word) for line in one.evidence for word in inert(line).split(" ")), default=0)
    is_beside = room >= max(widest, _NARROWEST)
    indent = taken if is_beside else 2
    evidence = [
        (" " * (0 if number == 0 else 2)) + part
        for line in one.evidence
        for number, part in enumerate(wrap(inert(line).split(" "), width - indent - 2))
    ]
    if is_beside and evidence:
        yield f"{head}  {evidence[0]}".rstrip()
        evidence = evidence[1:]
    else:
        yield head.rstrip()
    yield from (" " * indent + line for line in evidence)


def _nondeterministic(view: _View) -> Iterator[str]:
    why = view.reproduction.nondeterministic
    if why is None:
        return
    first, *more = wrap(["nondeterministic:", *inert(why).split(" ")], view.width - 2)
    yield first.replace("nondeterministic:", view.paint("nondeterministic:", YELLOW), 1)
    yield from (f"  {line}" for line in more)


def _divergence(view: _View) -> Iterator[str]:
    divergence = view.reproduction.divergence
    if divergence is None:
        return
    yield view.title("first diverged:")
    yield from format_divergence(divergence, view.width)


def _difference(view: _View) -> Iterator[str]:
    """The areas but the environment as `exptrack diff` shows them, without git's own diff, which may be long."""
    difference = view.reproduction.difference._replace(patch="", skipped={}, cautions=())
    others = [change for change in difference.changes if change.area != Area.ENVIRONMENT]
    if not others and not difference.files:
        return
    text = format_difference(difference, view.declared, width=view.width, color=view.color, areas=_OTHERS)
    yield text.partition("\n\n")[2]


def _environment(view: _View) -> Iterator[str]:
    facts, packages = split_environment(select(view.reproduction.difference, Area.ENVIRONMENT))
    if not facts and not packages:
        return
    counts = {"": facts, "packages ": packages}
    said = [what + count_kinds(change.kind for change in some) for what, some in counts.items() if some]
    yield view.title(f"environment: {'; '.join(said)}")
    yield from format_arrows(list_entries(facts), view.width)
    yield from _packages(packages[:_MOST_PACKAGES], view.width)
    if len(packages) > _MOST_PACKAGES:
        yield f"  and {len(packages) - _MOST_PACKAGES:,} more packages"


def _packages(packages: Sequence[Change], width: int) -> Iterator[str]:
    for kind in (Kind.CHANGED, Kind.ADDED, Kind.REMOVED):
        some = [change._replace(key=change.key[1:]) for change in packages if change.kind is kind]
        if some:
            form = format_arrows if kind is Kind.CHANGED else format_singles
            yield f"  packages {kind}:"
            yield from (f"  {line}" for line in form(list_entries(some), width - 2))


def _more(view: _View) -> Iterator[str]:
    """How to see what was left out."""
    difference = view.reproduction.difference
    packages = [change for change in select(difference, Area.ENVIRONMENT) if is_package(change)]
    if difference.files or len(packages) > _MOST_PACKAGES:
        words = ["exptrack", "diff", name_argument(difference.old), name_argument(difference.new)]
        first, *more = wrap([f"`{format_command(words)}`", "shows", "all", "of", "it"], view.width - 2)
        yield first
        yield from (f"  {line}" for line in more)


def _notes(view: _View) -> Iterator[str]:
    notes = list_notes(view.reproduction)
    if notes:
        yield view.title("notes:")
    for note in notes:
        first, *more = wrap(inert(note).split(" "), view.width - 4)
        yield f"  {first}"
        yield from (f"    {line}" for line in more)


def _runs(view: _View) -> Iterator[str]:
    reruns = view.reproduction.reruns
    if not reruns:
        return
    is_recorded = view.reproduction.environment != "present"
    yield view.title("recorded, with the packages of the original:" if is_recorded else "recorded:")
    names = [inert(run.name) for run in reruns]
    width = max(map(display_width, names))
    for name, run in zip(names, reruns, strict=True):
        status = view.paint(str(run.status), STATUS_COLORS[run.status])
        took = "" if run.record.duration is None else f", took {format_duration(run.record.duration)}"
        yield f"  {pad(name, width)}  {status}{inert(format_ending(run.record))}{took}"
    for run in list_otherwise(view.reproduction)[:1]:
        yield from (
            f"  {line}"
            for line in wrap(
                [f"`{format_command(['exptrack', 'show', run.name, '--output'])}`", "shows", "what", "it", "printed"],
                view.width - 2,
            )
        )
