"""What came of executing runs again as Markdown, for a pull request: the verdict first, what differs folded."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence

from exptrack.analysis.wording import counted, name_few
from exptrack.model.difference import Area
from exptrack.model.reproduction import Answer, Divergence, Level, LevelAnswer, Reproduction
from exptrack.model.run import Run
from exptrack.model.settings import MetricDeclaration
from exptrack.render.deltas import TITLES, count_areas, name_argument
from exptrack.render.gfm import code_span, details, join_spans, table
from exptrack.render.markdown import format_markdown as format_difference
from exptrack.render.page import format_ending
from exptrack.render.reproduction import (
    format_sides,
    judge,
    list_command,
    list_notes,
    list_otherwise,
    name_at,
    say_divergence,
    say_verdict,
)
from exptrack.render.sheet import Block, Items, Rows, fit
from exptrack.render.text import clip, format_duration, inert
from exptrack.render.values import MISSING, clip_apart

_SIGNS = {Answer.YES: "✓ ", Answer.NO: "✗ "}
_WIDEST = 200  # letters of a name or value
_WIDEST_LINE = 500
_MOST_EVIDENCE = 3  # lines in the table; the others are folded
_LAST = 100  # letters that are kept for the line about what is left out
_MOST_RUNS = 10
_OID = 10
# Numbers and marks that mean nothing in the middle of a line, so that they can stand beside plain words.
_PLAIN = re.compile(r"\(?[+±-]?\d{1,6}(?:\.\d{1,6})?%?\)?[.,;:]?|\(?[A-Za-z]+(?:-[A-Za-z]+)*\)?[.,;:]?|[→±=%–-]")  # noqa: RUF001
_BULLET = re.compile(r"[-=–]|\d+[.)]")  # noqa: RUF001
_HEX = re.compile(r"[0-9a-fA-F]{7,}")


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
    rows = [[_subject(one), *(_answer(level) for level in one.levels)] for one in reproductions]
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
        f"{mark} {_subject(reproduction)} {_prose(say_verdict(reproduction))}",
        *_levels(reproduction.levels),
    ]
    if reproduction.nondeterministic is not None:
        before.append(f"**Nondeterministic:** {_prose(reproduction.nondeterministic)}")
    if reproduction.divergence is not None:
        before.append(_divergence(reproduction.divergence))
    notes = [_item(note) for note in list_notes(reproduction)]
    after: list[Block] = [*([Items(notes)] if notes else []), *_runs(reproduction), _repeat(reproduction)]
    command = code_span(clip(f"{shlex.join(list_command(reproduction))} --json", _WIDEST))
    room = 0 if is_brief else limit - 2 - len(fit([*before, *after], limit, command))
    fold = _fold(reproduction, declared, room)
    return fit([*before, fold, *after], limit, command)


def _subject(reproduction: Reproduction) -> str:
    at = name_at(reproduction)
    return _name(reproduction.original.name) + (f" at {_name(at)}" if at is not None else "")


def _levels(levels: Sequence[LevelAnswer]) -> list[Block]:
    rows = [
        [str(one.level), _answer(one), "<br>".join(_prose(line) for line in one.evidence[:_MOST_EVIDENCE])]
        for one in levels
    ]
    more = [[str(one.level), _prose(line)] for one in levels for line in one.evidence[_MOST_EVIDENCE:]]
    blocks: list[Block] = [table(("level", "answer", "evidence"), rows)]
    if more:
        summary = f"{counted(len(more), 'more line')} of evidence"
        blocks.append(Rows(("level", "evidence"), more, summary=summary, open_rows=0))
    return blocks


def _answer(one: LevelAnswer) -> str:
    return f"{_SIGNS.get(one.answer, '')}{one.answer}"


def _divergence(divergence: Divergence) -> str:
    sides = format_sides(divergence)
    spans = iter(map(code_span, clip_apart([side for side in sides if side is not None], _WIDEST)))
    old, new = (MISSING if side is None else next(spans) for side in sides)
    return f"**First diverged:** {say_divergence(divergence, _name)}: {old} → {new}"


def _fold(reproduction: Reproduction, declared: Mapping[str, MetricDeclaration], limit: int) -> str:
    """What differs as `exptrack diff --markdown` shows it; a line if there is no room for it."""
    difference = reproduction.difference._replace(skipped={}, cautions=())
    if difference.is_empty:
        return ""
    counts = count_areas(difference, tuple(Area))
    summary = f"what differs: {'; '.join(f'{TITLES[area]} {count}' for area, count in counts.items())}"
    text = format_difference(difference, declared, limit=limit - len(details(summary, "")))
    head, _, body = text.removeprefix("### ").partition("\n\n")
    if "\n\n" in body:
        return details(summary, f"{head}\n\n{body}")
    words = shlex.join(["exptrack", "diff", name_argument(difference.old), name_argument(difference.new)])
    return f"What differs is left out; {code_span(clip(words, _WIDEST))} shows it."


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
    return (
        f"{_name(run.name)} at {code_span(run.oid[:_OID])} ({_prose(f'{run.status}{format_ending(run.record)}')}{took})"
    )


def _repeat(reproduction: Reproduction) -> str:
    return f"To repeat it: {code_span(clip(shlex.join(list_command(reproduction)), 2 * _WIDEST))}"


def _name(text: str) -> str:
    return code_span(clip(inert(text), _WIDEST))


def _prose(text: str) -> str:
    """A sentence for the middle of a line: plain words and numbers as they are, all else in code spans."""
    return join_spans(clip(text, _WIDEST_LINE), _words)


def _item(text: str) -> str:
    """The same for the beginning of a line, where some words would begin a list."""
    first, blank, rest = _prose(text).partition(" ")
    return f"{code_span(first) if _BULLET.fullmatch(first) else first}{blank}{rest}"


def _words(text: str) -> str:
    return " ".join(
        word if not word or (_PLAIN.fullmatch(word) and not _HEX.search(word)) else code_span(word)
        for word in text.split(" ")
    )
