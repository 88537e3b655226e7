"""What was found when runs were verified, for people: the worst first, what to do below it, and one line for all of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from exptrack.analysis.wording import counted
from exptrack.model.verification import Check, Data, Finding, Severity, Verification
from exptrack.render.page import YELLOW, Page, fit
from exptrack.render.text import BOLD, RED

_TITLES = {Severity.ERROR: "errors", Severity.WARNING: "warnings", Severity.NOTE: "notes"}
_COLORS = {Severity.ERROR: RED, Severity.WARNING: YELLOW, Severity.NOTE: ""}
_MOST = 20  # findings of a kind
_NAMED = 5  # runs


def format_verification(verification: Verification, page: Page) -> str:
    """The findings by weight and kind, at most twenty of each kind unless the page is whole, and the summary, which stands alone if all is well."""
    lines: list[str] = []
    for severity, group in groupby(verification.findings, key=lambda one: one.severity):
        lines.append(page.line((_TITLES[severity], BOLD + _COLORS[severity])))
        for _, some in groupby(group, key=lambda one: one.check):
            lines += _format_kind(list(some), page)
        lines.append("")
    return "\n".join([*lines, page.line(_summarize(verification))])


def _format_kind(found: list[Finding], page: Page) -> Iterator[str]:
    shown = found if page.is_whole else found[:_MOST]
    for finding in shown:
        taken = "  "
        head = f"{finding.subject}: {finding.problem}"
        yield from (page.line(taken, line) for line in page.wrap(head, len(taken)))
        if finding.runs and finding.runs != (finding.subject,):
            names = fit(finding.runs[:_NAMED], len(finding.runs), page.room(12))
            word = "run:  " if len(finding.runs) == 1 else "runs: "
            yield page.line("    ", word, names)
        for number, line in enumerate(page.wrap(finding.advice, 6)):
            yield page.line("      " if number else "    → ", line)
    if left := len(found) - len(shown):
        yield page.line("  ", f"and {left:,} more of this kind; `--json` has them all")


def _summarize(verification: Verification) -> str:
    named = len(verification.named)
    runs = counted(verification.runs, "run")
    parts = [f"{runs}, {named:,} with findings" if named else runs, *_of_data(verification.data)]
    if verification.hashed:
        spoilt = sum(one.check is Check.HASHES for one in verification.findings)
        parts.append(f"{counted(verification.hashed, 'file')} of the DVC cache read, {spoilt:,} spoilt")
    if verification.signed:
        parts.append(counted(verification.signed, "good signature"))
    if verification.is_well and not verification.data.unknown:
        return f"{'; '.join(parts)}; all is well"
    return "; ".join(parts)


def _of_data(data: Data) -> Iterator[str]:
    """Only what is not in the cache is worth a word."""
    away = ((data.remote, "only in a remote"), (data.nowhere, "nowhere"), (data.unknown, "not known where"))
    told = [(count, where) for count, where in away if count]
    if told:
        first, *others = told
        yield ", ".join(
            [
                f"{counted(first[0], 'data object')} {first[1]}",
                *(f"{count:,} {where}" for count, where in others),
            ]
        )
