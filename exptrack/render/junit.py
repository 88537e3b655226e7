"""What came of checking claims as JUnit XML, which the pages of CI servers show: a test case a claim."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from exptrack.analysis.claims import SHAPE
from exptrack.model.checking import Checked, CheckedClaim, Verdict
from exptrack.render.check import format_claim, say_broken, say_changes, say_outcome, say_summary
from exptrack.render.text import inert

_SUITE = "exptrack check"
_CLASS = "exptrack.check"
_WIDTH = 100
_TAGS = {Verdict.FAILS: "failure", Verdict.UNKNOWN: "error", Verdict.SUPERSEDED: "skipped"}
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})


class _Case(NamedTuple):
    """A test case: `tag` says how it came out, None if it passed. `text` repeats `message`, which GitLab does not show."""

    name: str
    tag: str | None = None
    message: str = ""
    text: str = ""
    seconds: float = 0.0


def format_junit(checked: Checked, *, is_claim_required: bool = False) -> str:
    """One suite; claims that do not hold are failures, what cannot be checked errors, what is superseded is skipped.

    Without any claim the suite is empty, or has one failure if a claim is required. XML 1.0 in ASCII.
    """
    cases = [*(_case(checked, one) for one in checked.claims), *_list_broken(checked)]
    if not cases and is_claim_required:
        said = say_summary(checked)
        cases = [_Case("a run is claimed", "failure", said, f"{said}\na claim looks like `{SHAPE}`")]
    return _format(cases, say_changes(checked))


def format_refusal(reason: str) -> str:
    """A suite of one error: nothing could be checked at all, and why."""
    return _format([_Case("claims can be checked", "error", reason, reason)], ())


def _format(cases: Sequence[_Case], said: Sequence[str]) -> str:
    counts = Counter(case.tag for case in cases)
    attributes = {
        "name": _SUITE,
        "tests": str(len(cases)),
        "failures": str(counts["failure"]),
        "errors": str(counts["error"]),
        "time": _format_seconds(sum(case.seconds for case in cases)),
    }
    skipped = {"skipped": str(counts["skipped"])}  # of a suite only, says the schema that Jenkins checks
    return "\n".join(
        [
            '<?xml version="1.0" encoding="utf-8"?>',
            f"<testsuites{_format_attributes(attributes)}>",
            f"<testsuite{_format_attributes({**attributes, **skipped})}>",
            *map(_format_case, _tell_apart(cases)),
            *([f"<system-out>{_format_text(said)}</system-out>"] if said else []),
            "</testsuite>",
            "</testsuites>",
        ]
    )


def _case(checked: Checked, one: CheckedClaim) -> _Case:
    tag = _TAGS.get(one.verdict)
    text = format_claim(checked, one, width=_WIDTH) if tag else ""
    reruns = one.reproduction.reruns if one.reproduction else ()
    seconds = sum(rerun.record.duration or 0.0 for rerun in reruns)
    return _Case(one.claim.name, tag, say_outcome(one), text, seconds)


def _list_broken(checked: Checked) -> Iterator[_Case]:
    for one in checked.broken:
        said = say_broken(one)
        yield _Case(one.line, "error", said, f"{said}\na claim looks like `{SHAPE}`")


def _tell_apart(cases: Sequence[_Case]) -> Iterator[_Case]:
    """GitLab takes two cases of one name for one."""
    seen: set[str] = set()
    for case in cases:
        name = first = inert(case.name)
        number = 1
        while name in seen:
            number += 1
            name = f"{first} #{number}"
        seen.add(name)
        yield case._replace(name=name)


def _format_case(case: _Case) -> str:
    time = _format_seconds(case.seconds)
    head = f"<testcase{_format_attributes({'classname': _CLASS, 'name': case.name, 'time': time})}"
    if case.tag is None:
        return f"{head}/>"
    about = _format_attributes({"type": case.tag, "message": case.message})
    return f"{head}><{case.tag}{about}>{_format_text(case.text.split(chr(10)))}</{case.tag}></testcase>"


def _format_attributes(attributes: Mapping[str, str]) -> str:
    return "".join(f' {name}="{_escape(value)}"' for name, value in attributes.items())


def _format_text(lines: Sequence[str]) -> str:
    return "\n".join(map(_escape, lines))


def _escape(text: str) -> str:
    """What is not printable is not XML either, or could not be seen: it stands there as an escape of Python."""
    return inert(text).translate(_ESCAPES).encode("ascii", "xmlcharrefreplace").decode()


def _format_seconds(seconds: float) -> str:
    return f"{seconds:.3f}" if math.isfinite(seconds) and seconds >= 0 else "0.000"
