"""What came of checking the runs that commits claim as Markdown, for a pull request: the verdict first, much of the rest folded."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from exptrack.analysis.claims import SHAPE
from exptrack.analysis.wording import counted, name_few
from exptrack.model.checking import Beside, Checked, CheckedClaim, Verdict
from exptrack.model.reproduction import Reproduction
from exptrack.model.run import Record
from exptrack.render.check import (
    list_bar_entries,
    list_claim_notes,
    list_command,
    list_sides,
    name_bar,
    name_commit,
    say_broken,
    say_counts,
    say_people,
    say_reason,
    say_runs,
    say_summary,
    say_verdict,
)
from exptrack.render.comparisonparts import list_lines
from exptrack.render.gfm import code_span
from exptrack.render.markdown import format_markdown as format_difference
from exptrack.render.markdown import list_files
from exptrack.render.reproductionparts import (
    WIDEST,
    fold_difference,
    format_divergence,
    format_item,
    format_name,
    format_prose,
    list_levels,
    say_left_out,
)
from exptrack.render.sheet import Block, Items, Rows, fit
from exptrack.render.text import clip, format_command, format_duration, inert

MARKER = "<!-- exptrack check -->"
_SIGNS = {Verdict.HOLDS: "✓", Verdict.FAILS: "✗", Verdict.UNKNOWN: "?", Verdict.SUPERSEDED: "–"}  # noqa: RUF001
_MOST_TIMES = 5
_WIDEST_COMMAND = 200
_WIDEST_VERDICT = 1000
_LEAST = 300  # letters below which no section is tried
_URGENT = (Verdict.FAILS, Verdict.UNKNOWN, Verdict.HOLDS, Verdict.SUPERSEDED)


def format_markdown(checked: Checked, *, limit: int = 65_000) -> str:
    """The marker, the verdict, what changed in the bar, and a section a claim, of several first a table of all.

    At most `limit` characters, and what is cut says so. A claim whose section has no room has its row in the table, and is counted at
    the end; sections of claims that do not hold come first.
    """
    if len(checked.claims) == 1 and not checked.broken:
        return _page(checked, checked.claims[0], limit)
    parts = [fit([MARKER, *_head(checked)], limit if not checked.claims else limit // 2, _see_all(checked))]
    reserved = len(_say_left_out(checked, len(checked.claims))) + 2
    left_out = 0
    ordered = sorted(checked.claims, key=lambda one: _URGENT.index(one.verdict))
    for number, one in enumerate(ordered):
        room = limit - reserved - sum(len(part) + 2 for part in parts)
        section = _place(checked, one, room // (len(ordered) - number), room)
        left_out += not section
        parts += [section] if section else []
    if left_out:
        last = _say_left_out(checked, left_out)
        parts += [last] if sum(len(part) + 2 for part in [*parts, last]) - 2 <= limit else []
    return "\n\n".join(filter(None, parts))


def format_refusal(reason: str) -> str:
    """The page where nothing could be checked at all, and why."""
    return "\n\n".join([MARKER, f"### {_SIGNS[Verdict.UNKNOWN]} No claim can be checked", _upper(format_item(reason))])


def _page(checked: Checked, one: CheckedClaim, limit: int) -> str:
    """The page of a single claim, with all that it changes open to see."""
    before: list[Block] = [
        MARKER,
        f"### {_title(checked, one)}",
        *_changes(checked),
        _reason(one),
        _between(checked),
        _facts(checked, one),
    ]
    before += [Items(list(map(format_item, checked.notes)))] if checked.notes else []
    return _around(checked, one, before, limit, is_open=True)


def _place(checked: Checked, one: CheckedClaim, share: int, room: int) -> str:
    """A section in its share of the room, or a short one in all of it; empty if neither fits."""
    for limit, is_brief in ((share, False), (room, True)):
        if limit >= _LEAST:
            before: list[Block] = [f"#### {_title(checked, one)}", _reason(one), _facts(checked, one)]
            text = _around(checked, one, before, limit, is_brief=is_brief)
            if text.endswith(_repeat(checked, one)):
                return text
    return ""


def _around(
    checked: Checked,
    one: CheckedClaim,
    before: Sequence[Block],
    limit: int,
    *,
    is_open: bool = False,
    is_brief: bool = False,
) -> str:
    """What differs gets the room that the rest leaves; a brief one only says how to see it."""
    proof = _proof(checked, one, 0 if is_brief else limit // 4, is_folded=one.verdict is Verdict.HOLDS and not is_open)
    is_first = one.verdict is not Verdict.HOLDS  # then it says why not, which matters more than what the run changes
    before = [*before, *_files(checked, one), *(proof if is_first else ())]
    after = [*(() if is_first else proof), *_notes(one), _repeat(checked, one)]
    beside = [_compared(one.beside)] if one.beside is not None else []
    rest = fit([*before, *beside, *after], limit, _see_all(checked))
    changes = _difference(checked, one, 0 if is_brief else limit - len(rest) - 2, is_open=is_open)
    return fit([*before, *beside, changes, *after], limit, _see_all(checked))


def _head(checked: Checked) -> list[Block]:
    said = say_summary(checked, code_span)
    sign = f"{_SIGNS[checked.verdict]} " if checked.claims or checked.broken else ""
    blocks: list[Block] = [f"### {sign}{said if sign else _upper(said)}", *_changes(checked)]
    if checked.broken:
        items = [say_broken(one, code_span) for one in checked.broken]
        blocks += [Items(items), f"A claim looks like {code_span(SHAPE)}."]
    blocks += [Items(list(map(format_item, checked.notes)))] if checked.notes else []
    if checked.claims:
        blocks.append(Rows(("run", "verdict", "reached", "claimed in"), [_row(one) for one in checked.claims]))
        blocks.append(f"Required by {name_bar(checked, code_span)}: {checked.bar.require}.")
    return blocks


def _row(one: CheckedClaim) -> list[str]:
    reached = one.reproduction.reached if one.reproduction else None
    commit = code_span(name_commit(one.claim.commit)) if one.claim.commit else ""
    return [format_name(one.claim.name), f"{_SIGNS[one.verdict]} {one.verdict}", str(reached or "-"), commit]


def _title(checked: Checked, one: CheckedClaim) -> str:
    at = "" if checked.at is None else f" at {format_name(name_commit(checked.at))}"
    return f"{_SIGNS[one.verdict]} {format_name(one.claim.name)}{at} {say_verdict(one)}"


def _changes(checked: Checked) -> list[Block]:
    """A warning: what the branch would have its own claims judged by."""
    if not checked.changes:
        return []
    head = code_span(name_commit(checked.head))
    rows = [
        [code_span(clip(entry.name, WIDEST)), *map(code_span, list_sides(entry))] for entry in list_bar_entries(checked)
    ]
    return [
        f"**⚠ {head} changes how claims are judged; {say_counts(checked, code_span)}:**",
        Rows(("setting", "counts", "changed to"), rows),
    ]


def _reason(one: CheckedClaim) -> str:
    return _upper(format_item(say_reason(one)))


def _facts(checked: Checked, one: CheckedClaim) -> str:
    """Which level it reached, and who says so."""
    facts = [_upper(say_people(one, code_span))]
    if one.reproduction is not None:
        required = f"Required by {name_bar(checked, code_span)}: **{checked.bar_for(one).require}**"
        facts = [f"Reached: **{one.reproduction.reached or 'none'}**", required, *facts]
    return " · ".join(filter(None, facts))


def _between(checked: Checked) -> str:
    if checked.base is None:
        return ""
    base, head = map(code_span, map(name_commit, (checked.base, checked.head)))
    return f"The only run that is claimed between {base} and {head}."


def _difference(checked: Checked, one: CheckedClaim, limit: int, *, is_open: bool) -> str:
    """What the run changes of what the base claims, as `exptrack diff --markdown` shows it; a line if there is no room for it."""
    if one.difference is None:
        return ""
    difference = one.difference._replace(patch="")
    against = "against the base" if checked.baseline is None else "against the run that the base claims"
    if difference.is_empty:
        text = f"Nothing differs {against}."
        return text if len(text) <= limit else ""
    if not is_open:
        return fold_difference(difference, checked.declared, f"what it changes {against}", limit)
    text = format_difference(difference, checked.declared, limit=limit - 100)
    head, _, body = text.removeprefix("### ").partition("\n\n")
    return f"**What it changes** {against}: {head}\n\n{body}" if "\n\n" in body else say_left_out(difference)


def _compared(beside: Beside) -> str:
    """The verdict of `exptrack compare` as that prints it, and what belongs to it."""
    verdict = beside.verdict
    basis = verdict.line.removeprefix(f"{verdict.word}:").strip()
    said = f"**Beside** {format_name(beside.baseline)}, {format_prose(say_runs(beside))}: **{verdict.word}** {code_span(clip(inert(basis), _WIDEST_VERDICT))}"
    return "; ".join([said, *map(format_prose, list_lines(verdict))])


def _proof(checked: Checked, one: CheckedClaim, limit: int, *, is_folded: bool) -> list[Block]:
    """The files that are not what ran, the levels, where it diverged and, where the claim does not hold, what differs."""
    blocks: list[Block] = []
    if one.reproduction is not None:
        found = one.reproduction
        said, required = _executed(found), checked.bar_for(one).require
        blocks += [f"{said}." if is_folded else f"{said}:", *list_levels(found.levels, required, is_folded=is_folded)]
        if found.nondeterministic is not None:
            blocks.append(f"**Nondeterministic:** {format_prose(found.nondeterministic)}")
        if found.divergence is not None:
            blocks.append(format_divergence(found.divergence))
        if one.verdict is not Verdict.HOLDS:
            difference = found.difference._replace(patch="", skipped={}, cautions=())
            blocks.append(fold_difference(difference, checked.declared, "what differs from what was recorded", limit))
    return blocks


def _executed(found: Reproduction) -> str:
    took = [format_duration(run.record.duration) for run in found.reruns if run.record.duration is not None]
    times = {1: "once", 2: "twice"}.get(len(found.reruns), f"{len(found.reruns):,} times")
    packages = "the packages of the original" if found.environment == "recorded" else "the packages that were there"
    return f"**Executed again** {times}{_ran(found.original.record)}, with {packages}{f'; took {name_few(took, _MOST_TIMES)}' if took else ''}"


def _ran(record: Record) -> str:
    """The command, and where: part of what is claimed, since a command may write any result."""
    if not record.command:
        return ": the pipeline" if record.is_pipeline else ""
    folder = "" if record.directory == "." else f" in {code_span(inert(record.directory))}"
    return f": {code_span(clip(format_command(record.command), _WIDEST_COMMAND))}{folder}"


def _files(checked: Checked, one: CheckedClaim) -> list[Block]:
    if not one.files:
        return []
    rows = list_files(
        one.files, f"**Files of {code_span(name_commit(checked.at or checked.head))} that are not what ran:**"
    )
    if one.verdict in {Verdict.FAILS, Verdict.UNKNOWN}:
        return [rows]
    return [rows._replace(title="", summary=f"{counted(len(one.files), 'file')} not as it ran", open_rows=0)]


def _notes(one: CheckedClaim) -> list[Block]:
    notes = list_claim_notes(one)
    return [Items(list(map(format_item, notes)), counted(len(notes), "note"))] if notes else []


def _repeat(checked: Checked, one: CheckedClaim) -> str:
    """The last line of a section, whatever is cut before it."""
    if one.verdict is Verdict.SUPERSEDED:
        return "It was not executed."
    return f"To repeat it: {code_span(clip(shlex.join(list_command(checked, one)), 2 * WIDEST))}"


def _say_left_out(checked: Checked, number: int) -> str:
    return f"{counted(number, 'claim')} not shown in full; {_see_all(checked)} gives all of it."


def _see_all(checked: Checked) -> str:
    return code_span(clip(f"{shlex.join(list_command(checked))} --json", WIDEST))


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
