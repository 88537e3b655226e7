"""What came of executing runs again as Markdown, for a pull request: the verdict first, what differs folded."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence

from exptrack.analysis.wording import counted, name_few
from exptrack.model.reproduction import Answer, Level, Reproduction
from exptrack.model.run import Run
from exptrack.model.settings import MetricDeclaration
from exptrack.render.gfm import code_span
from exptrack.render.page import format_ending
from exptrack.render.reproduction import judge, list_command, list_notes, list_otherwise, name_at, say_verdict
from exptrack.render.reproductionparts import (
    WIDEST,
    fold_difference,
    format_answer,
    format_divergence,
    format_item,
    format_name,
    format_prose,
    list_levels,
)
from exptrack.render.sheet import Block, Items, Rows, fit
from exptrack.render.text import clip, format_duration

_LAST = 100  # letters that are kept for the line about what is left out
_MOST_RUNS = 10
_OID = 10


def format_markdown(
    reproductions: Sequence[Reproduction], declared: Mapping[str, MetricDeclaration], *, limit: int = 65_000
) -> str:
    """A section a run, and of several first a table of all; at most `limit` characters, and what is cut says so.

    A run whose section has no room has its row in the table, and is counted at the end.
    """
    if len(reproductions) == 1:
        return _section(reproductions[0], declared, limit, "###")
    parts = [fit(_summary(reproductions), limit, code_span("exptrack reproduce --json"))]
    left_out = 0
    for number, one in enumerate(reproductions):
        room = limit - _LAST - sum(len(part) + 2 for part in parts)
        section = _place(one, declared, room // (len(reproductions) - number), room)
        left_out += not section
        parts += [section] if section else []
    if left_out:
        runs = counted(left_out, "run")
        last = f"{runs} not shown in full; `exptrack reproduce --json` gives all of it."
        parts += [last] if sum(len(part) + 2 for part in [*parts, last]) - 2 <= limit else []
    return "\n\n".join(parts)


def _place(reproduction: Reproduction, declared: Mapping[str, MetricDeclaration], share: int, room: int) -> str:
    """A section in its share of the room, or a short one in all of it; empty if neither fits."""
    tries = ((share, False), (room, True))
    texts = (_section(reproduction, declared, limit, "####", is_brief=is_brief) for limit, is_brief in tries)
    return next((text for text in texts if text.endswith(_repeat(reproduction))), "")


def _summary(reproductions: Sequence[Reproduction]) -> list[Block]:
    counts = Counter(str(one.reached or judge(one)) for one in reproductions)
    words = {level.value: level.value for level in Level}
    words |= {Answer.NO.value: "not reproduced", Answer.CANNOT_ASSESS.value: "not known"}
    said = ", ".join(f"{counts[key]:,} {word}" for key, word in words.items() if counts[key])
    rows = [[_subject(one), *(format_answer(level) for level in one.levels)] for one in reproductions]
    title = f"### {counted(len(reproductions), 'run')}" + (f": {said}" if said else "")
    return [title, Rows(("run", *Level), rows)]


def _section(
    reproduction: Reproduction,
    declared: Mapping[str, MetricDeclaration],
    limit: int,
    mark: str,
    *,
    is_brief: bool = False,
) -> str:
    """The verdict, the levels, where it diverged, what differs (which gets the room that the rest leaves), and how to repeat it.

    A brief one only says how to see what differs.
    """
    before: list[Block] = [
        f"{mark} {_subject(reproduction)} {format_prose(say_verdict(reproduction))}",
        *list_levels(reproduction.levels),
    ]
    if reproduction.nondeterministic is not None:
        before.append(f"**Nondeterministic:** {format_prose(reproduction.nondeterministic)}")
    if reproduction.divergence is not None:
        before.append(format_divergence(reproduction.divergence))
    notes = [format_item(note) for note in list_notes(reproduction)]
    after: list[Block] = [*([Items(notes)] if notes else []), *_runs(reproduction), _repeat(reproduction)]
    command = code_span(clip(f"{shlex.join(list_command(reproduction))} --json", WIDEST))
    room = 0 if is_brief else limit - 2 - len(fit([*before, *after], limit, command))
    difference = reproduction.difference._replace(skipped={}, cautions=())
    fold = fold_difference(difference, declared, "what differs", room)
    return fit([*before, fold, *after], limit, command)


def _subject(reproduction: Reproduction) -> str:
    at = name_at(reproduction)
    return format_name(reproduction.original.name) + (f" at {format_name(at)}" if at is not None else "")


def _runs(reproduction: Reproduction) -> list[str]:
    runs = reproduction.reruns
    if not runs:
        return []
    packages = "" if reproduction.environment == "present" else ", with the packages of the original"
    lines = [f"Recorded{packages}: {name_few(list(map(_run, runs)), _MOST_RUNS)}."]
    commands = [
        code_span(shlex.join(["exptrack", "show", run.name, "--output"])) for run in list_otherwise(reproduction)[:1]
    ]
    return [" ".join([*lines, *(f"{command} shows what it printed." for command in commands)])]


def _run(run: Run) -> str:
    took = "" if run.record.duration is None else f", took {format_duration(run.record.duration)}"
    return f"{format_name(run.name)} at {code_span(run.oid[:_OID])} ({format_prose(f'{run.status}{format_ending(run.record)}')}{took})"


def _repeat(reproduction: Reproduction) -> str:
    return f"To repeat it: {code_span(clip(shlex.join(list_command(reproduction)), 2 * WIDEST))}"
