"""What came of checking the runs that commits claim, for a terminal or the log of a CI job: what holds in short, what does not in full."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from exptrack.analysis.claims import SHAPE
from exptrack.analysis.wording import counted
from exptrack.model.checking import Beside, Checked, CheckedClaim, Misclaim, Verdict
from exptrack.model.reproduction import Level, Reproduction
from exptrack.render.codestat import format_stat
from exptrack.render.comparisonparts import list_lines
from exptrack.render.deltas import Entry, list_entries
from exptrack.render.difference import PIPE_WIDTH
from exptrack.render.page import YELLOW
from exptrack.render.reproduction import format_divergence, format_levels, list_notes, list_otherwise
from exptrack.render.text import BOLD, GREEN, RED, clip, format_command, inert, paint, wrap
from exptrack.render.values import clip_apart
from exptrack.store.runs import shorten

_DEFAULTS = "the defaults"
_COLORS = {Verdict.HOLDS: GREEN, Verdict.FAILS: RED, Verdict.UNKNOWN: YELLOW, Verdict.SUPERSEDED: ""}
_VERBS = {
    Verdict.HOLDS: ("holds", "hold"),
    Verdict.FAILS: ("does not hold", "do not hold"),
    Verdict.UNKNOWN: ("cannot be checked", "cannot be checked"),
    Verdict.SUPERSEDED: ("is superseded", "are superseded"),
}
_SUPERSEDED = "a newer commit claims another run"
_IN_FULL = {Verdict.FAILS, Verdict.UNKNOWN}
_MOST_FILES = 10
_WIDEST_VALUE = 60
_WIDEST_LINE = 200
_PRESENT = "present"


class _View(NamedTuple):
    checked: Checked
    width: int
    color: bool

    def paint(self, text: str, color: str) -> str:
        return paint(text, color) if self.color else text

    def wrap(self, text: str, indent: int = 0) -> Iterator[str]:
        """An inert text as lines, those that follow the first a little further in."""
        first, *more = wrap(inert(text).split(" "), self.width - indent - 2)
        yield " " * indent + first
        yield from (" " * (indent + 2) + line for line in more)


def format_check(checked: Checked, *, width: int | None, color: bool) -> str:
    """What the head changes of the bar, how many claims hold, then each claim, and each line that claims nothing.

    `width` is that of the terminal, None in a pipe.
    """
    view = _View(checked, width or PIPE_WIDTH, color)
    sections = [
        list(_changes(view)),
        list(_summary(view)),
        *(list(_claim(view, one)) for one in checked.claims),
        list(_broken(view)),
        list(_notes(view, checked.notes, 0)),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def format_claim(checked: Checked, one: CheckedClaim, *, width: int) -> str:
    """All that is to be said of one claim, without colours."""
    return "\n".join(_claim(_View(checked, width, color=False), one))


def say_changes(checked: Checked) -> list[str]:
    """`check.require: exact → methodological in HEAD; main's counts`, a line for each setting that the head has otherwise; inert."""
    head, counts = name_commit(checked.head), say_counts(checked)
    return [f"{entry.name}: {' → '.join(list_sides(entry))} in {head}; {counts}" for entry in list_bar_entries(checked)]


def list_bar_entries(checked: Checked) -> list[Entry]:
    """The settings that the head has otherwise."""
    return list_entries(checked.changes)


def list_sides(entry: Entry) -> tuple[str, ...]:
    """Both values in short."""
    sides = ["not set" if side is None else side for side in (entry.old, entry.new)]
    return clip_apart(sides, _WIDEST_VALUE)


def say_counts(checked: Checked, form: Callable[[str], str] = str) -> str:
    """Whose bar it is that counts; the name is inert, and in this form."""
    return "the defaults count" if checked.bar_of == _DEFAULTS else f"{form(name_commit(checked.bar_of))}'s counts"


def name_bar(checked: Checked, form: Callable[[str], str] = str) -> str:
    """Whose bar it is; the name is inert, and in this form."""
    return _DEFAULTS if checked.bar_of == _DEFAULTS else form(name_commit(checked.bar_of))


def say_summary(checked: Checked, form: Callable[[str], str] = str) -> str:
    """`2 runs are claimed between main and HEAD: 1 holds, 1 does not hold`; names are inert, and in this form."""
    number = len(checked.claims)
    said = _say_counts(checked)
    if checked.base is None:
        subject = counted(number, "run") if number else "no run"
        subject += "" if number else f" is claimed in {form(name_commit(checked.head))}"
    else:
        runs = f"{counted(number, 'run')} {'is' if number == 1 else 'are'}" if number else "no run is"
        subject = f"{runs} claimed between {form(name_commit(checked.base))} and {form(name_commit(checked.head))}"
    broken = len(checked.broken)
    lines = f"{counted(broken, 'line')} {'claims' if broken == 1 else 'claim'} nothing" if broken else ""
    return "; ".join(filter(None, [f"{subject}: {said}" if said else subject, lines]))


def say_verdict(one: CheckedClaim) -> str:
    """`holds: exact` or `does not hold`, to follow the name of the run."""
    verb = _VERBS[one.verdict][0]
    reached = one.reproduction.reached if one.reproduction else None
    return f"{verb}: {reached}" if one.verdict is Verdict.HOLDS and reached else verb


def say_outcome(one: CheckedClaim) -> str:
    """`holds: exact` or `does not hold: <reason>`, to follow the name of the run; as it came."""
    reason = say_reason(one)
    return f"{say_verdict(one)}: {reason}" if reason else say_verdict(one)


def say_reason(one: CheckedClaim) -> str:
    """Why it does not hold; empty if it does, as a rule. As it came."""
    return one.reason or (_SUPERSEDED if one.verdict is Verdict.SUPERSEDED else "")


def say_bar(checked: Checked, one: CheckedClaim) -> str:
    """`reached: methodological; required by main: statistical`, empty if nothing was executed; inert."""
    if one.reproduction is None:
        return ""
    return f"reached: {one.reproduction.reached or 'none'}; required by {name_bar(checked)}: {checked.bar_for(one).require}"


def say_people(one: CheckedClaim, form: Callable[[str], str] = str) -> str:
    """Who recorded the run, and where it is claimed and by whom; empty if nobody is known. Names are inert, and in this form."""
    author = one.run.record.author if one.run else ""
    recorded = f"recorded by {form(_name_person(author))}" if author else ""
    by = f" by {form(_name_person(one.claim.author))}" if one.claim.author else ""
    claimed = f"claimed in {form(name_commit(one.claim.commit))}{by}" if one.claim.commit else ""
    return ", ".join(filter(None, (recorded, claimed)))


def say_runs(beside: Beside) -> str:
    """`by 10 recorded runs of the experiment rate`; inert."""
    return f"by {counted(beside.runs, 'recorded run')}" + (
        f" of {inert(beside.experiment)}" if beside.experiment else ""
    )


def list_claim_notes(one: CheckedClaim) -> list[str]:
    """What a reviewer should know, and what weakens the evidence; each once, as it came."""
    return list(dict.fromkeys([*one.notes, *(list_notes(one.reproduction) if one.reproduction else ())]))


def list_command(checked: Checked, one: CheckedClaim | None = None) -> list[str]:
    """The words that do the same again: for one claim, or all of them.

    Where it failed for its files, or the head has another bar than the one that counts, it is the commits that must be checked: a run by
    its name is executed whatever the head has, and judged by the bar of where one is. So it is where the run was not found: by its name
    that may be another one.
    """
    is_found = one is not None and one.run is not None and (one.reproduction is not None or not one.files)
    words = [one.claim.name] if one is not None and is_found and not checked.changes else _list_subjects(checked)
    at = [] if checked.at is None else ["--at", _pin(checked, checked.at)]
    environment = [] if checked.environment == _PRESENT else ["--environment", checked.environment]
    return ["exptrack", "check", *words, *at, *environment]


def name_commit(text: str) -> str:
    """What was typed for a commit, inert; a full oid in short."""
    return inert(shorten(text))


def say_broken(broken: Misclaim, form: Callable[[str], str] | None = None) -> str:
    """A line that claims nothing, and where it stands; inert, in this form or the line between backticks."""
    line, commit = clip(inert(broken.line), _WIDEST_LINE), name_commit(broken.commit)
    where = f" in {form(commit) if form else commit}" if commit else ""
    return f"{form(line) if form else f'`{line}`'}{where} claims no run"


def _say_counts(checked: Checked) -> str:
    counts = {verdict: checked.count(verdict) for verdict in _VERBS}
    told = [verdict for verdict in _VERBS if counts[verdict]]
    if len(checked.claims) == 1:
        return f"it {_VERBS[told[0]][0]}"
    if len(told) == 1:
        verb = {Verdict.FAILS: "none holds", Verdict.UNKNOWN: "none can be checked"}.get(told[0])
        return verb or f"all {_VERBS[told[0]][1]}"
    said = ", ".join(f"{counts[verdict]:,} {_VERBS[verdict][counts[verdict] > 1]}" for verdict in told)
    return said.replace(" not hold", " not") if counts[Verdict.HOLDS] else said


def _list_subjects(checked: Checked) -> list[str]:
    if checked.base is None:
        return list(dict.fromkeys(one.claim.name for one in checked.claims))
    return [f"{_pin(checked, checked.base)}..{_pin(checked, checked.head)}"]


def _pin(checked: Checked, name: str) -> str:
    """What was typed for a commit as it means the same in another clone: HEAD is elsewhere there."""
    return shorten(checked.head_oid if name == checked.head == "HEAD" and checked.head_oid else name)


def _name_person(author: str) -> str:
    """Without the address: the page may be public."""
    return inert(author.partition(" <")[0] or author)


def _changes(view: _View) -> Iterator[str]:
    for line in say_changes(view.checked):
        for part in view.wrap(line):
            yield view.paint(part, YELLOW)


def _summary(view: _View) -> Iterator[str]:
    color = _COLORS[view.checked.verdict] if view.checked.claims or view.checked.broken else ""
    for line in view.wrap(say_summary(view.checked)):
        yield view.paint(line, color)


def _claim(view: _View, one: CheckedClaim) -> Iterator[str]:
    at = "" if view.checked.at is None else f" at {name_commit(view.checked.at)}"
    is_full, bar = one.verdict in _IN_FULL, say_bar(view.checked, one)
    required = f"; {bar.partition('; ')[2]}" if bar and not is_full else ""
    for line in view.wrap(f"{inert(one.claim.name)}{at} {say_outcome(one)}{required}"):
        yield view.paint(line, _COLORS[one.verdict])
    if bar and is_full:
        yield from view.wrap(bar, 2)
    if people := say_people(one):
        yield from view.wrap(people, 2)
    if one.beside is not None:
        said = f"beside {inert(one.beside.baseline)}, {say_runs(one.beside)}: {one.beside.verdict.line}"
        yield from view.wrap("; ".join([said, *list_lines(one.beside.verdict)]), 2)
    if is_full:
        yield from _files(view, one)
        if one.reproduction:
            yield from _evidence(view, one.reproduction, view.checked.bar_for(one).require)
    yield from _notes(view, list_claim_notes(one) if is_full else one.notes, 2)
    if one.verdict is not Verdict.SUPERSEDED:
        yield from view.wrap(f"`{format_command(list_command(view.checked, one))}` repeats it", 2)


def _files(view: _View, one: CheckedClaim) -> Iterator[str]:
    if not one.files:
        return
    left = len(one.files) - _MOST_FILES
    shown = one.files[:_MOST_FILES] if left > 1 else one.files  # one more costs no more than saying so
    yield view.paint("  files:", BOLD)
    yield from (f"    {line}" for line in format_stat(shown, view.width - 4))
    if left > 1:
        yield f"    and {left:,} more"


def _evidence(view: _View, reproduction: Reproduction, required: Level) -> Iterator[str]:
    levels = [one for one in reproduction.levels if one.level is required]
    yield from (f"  {line}" for line in format_levels(levels, view.width - 2, color=view.color))
    if reproduction.nondeterministic is not None:
        yield from view.wrap(f"nondeterministic: {reproduction.nondeterministic}", 2)
    if reproduction.divergence is not None:
        yield view.paint("  first diverged:", BOLD)
        yield from (f"  {line}" for line in format_divergence(reproduction.divergence, view.width - 2))
    for run in list_otherwise(reproduction)[:1]:
        yield from view.wrap(f"`{format_command(['exptrack', 'show', run.name, '--output'])}` shows what it printed", 2)


def _broken(view: _View) -> Iterator[str]:
    for one in view.checked.broken:
        yield from view.wrap(f"{say_broken(one)}; a claim looks like `{SHAPE}`")


def _notes(view: _View, notes: Sequence[str], indent: int) -> Iterator[str]:
    if notes:
        yield view.paint(f"{' ' * indent}notes:", BOLD)
    for note in notes:
        yield from view.wrap(note, indent + 2)
