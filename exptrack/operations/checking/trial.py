"""One claim on trial: whether its run is whole and can be had, and whether it still gives what it gave."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from exptrack.analysis.wording import name_few
from exptrack.errors import ExptrackError, RecordError
from exptrack.model.checking import Bar, CheckedClaim, Verdict
from exptrack.model.reproduction import Answer, Level, Reproduction
from exptrack.model.run import Record, Run, Status
from exptrack.model.settings import Settings
from exptrack.model.verification import Check, Finding, Severity
from exptrack.operations.checking.intact import find_unmade
from exptrack.operations.context import Context
from exptrack.operations.recording.compose import TIMED_OUT
from exptrack.operations.reproduce import execute, plan
from exptrack.operations.reproducing.replay import Manner

_DATA = (Check.DATA, Check.HASHES)
_NAMED = 3
_ENDING = frozenset({"SIGTERM", "SIGHUP"})
INTERRUPTED = "it was interrupted: check it again"


def weigh(one: CheckedClaim, findings: Sequence[Finding]) -> CheckedClaim:
    """The claim after what `fsck` found of its run: data that is nowhere, commits or files that are not whole."""
    ours = [finding for finding in findings if one.claim.name in finding.runs and finding.severity is not Severity.NOTE]
    data = [finding for finding in ours if finding.check in _DATA]
    others = [finding for finding in ours if finding.check not in _DATA]
    faults = [finding for finding in others if finding.severity is Severity.ERROR]
    if faults:
        return one._replace(verdict=Verdict.FAILS, reason=f"it is not whole: {_say(faults)}")
    if data:
        return one._replace(verdict=Verdict.UNKNOWN, reason=_say(data))
    return one._replace(notes=(*one.notes, *(f"{finding.subject}: {finding.problem}" for finding in others)))


def prove(
    context: Context, one: CheckedClaim, manner: Manner, settings: Settings, bar: Bar, bar_of: str
) -> CheckedClaim:
    """The claim after its run was executed again."""
    run = one.run
    if run is None:
        raise ValueError(one.claim.name)
    try:
        found = execute(plan(context, run, manner, settings))
    except RecordError as error:
        return one._replace(verdict=Verdict.FAILS, reason=str(error))
    except ExptrackError as error:
        return one._replace(verdict=Verdict.UNKNOWN, reason=str(error))
    one = one._replace(reproduction=found)
    if is_interrupted(one):
        return one._replace(verdict=Verdict.UNKNOWN, reason=INTERRUPTED)
    reason = _find_fault(run, found, bar.require, bar_of)
    if not reason and manner.at is None:
        unmade, notes = find_unmade(context, run, found.reruns, settings)
        reason, one = unmade or "", one._replace(notes=(*one.notes, *notes))
    return one._replace(verdict=Verdict.FAILS, reason=reason) if reason else one


def is_interrupted(one: CheckedClaim) -> bool:
    """Whether somebody interrupted an execution: by Ctrl-C, or as CI ends a job and a terminal what runs in it."""
    return one.reproduction is not None and any(_was_interrupted(rerun.record) for rerun in one.reproduction.reruns)


def _was_interrupted(record: Record) -> bool:
    if record.status is Status.INTERRUPTED:
        return True
    return record.signal in _ENDING and record.status is Status.FAILED and TIMED_OUT not in record.problems


def _find_fault(run: Run, found: Reproduction, required: Level, bar_of: str) -> str:
    """Why the executions are not enough; empty if they are."""
    other = next((rerun for rerun in found.reruns if rerun.status is not run.status), None)
    if other is not None and TIMED_OUT in other.record.problems:
        took = "" if run.record.duration is None else f"; when it was recorded it took {run.record.duration:.6g} s"
        return f"executed again it did not end within check.timeout of {bar_of}{took}"
    if other is not None:
        return f"executed again it {_end(other.record)}; when it was recorded it {_end(run.record)}"
    if found.meets(required):
        return ""
    answer = next(one for one in found.levels if one.level is required)
    reached = f"reproduces only as {found.reached}" if found.reached else "does not reproduce"
    if found.reached is None and all(one.answer is not Answer.NO for one in found.levels):
        reached = "is not known to reproduce"
    because = f": {answer.evidence[0]}" if answer.evidence else ""
    return f"it {reached}, and {bar_of} requires {required}{because}"


def _end(record: Record) -> str:
    how = record.signal or (f"exit status {record.exit_code}" if record.exit_code else "")
    said = "was interrupted" if record.status is Status.INTERRUPTED else str(record.status)
    return said + (f" ({how})" if how else "")


def _say(findings: Sequence[Finding]) -> str:
    first = findings[0]
    others = name_few([one.subject for one in findings[1:]], _NAMED)
    more = f" (and so {others})" if others else ""
    if PurePath(first.subject).is_absolute():  # a path in this clone tells nobody anything elsewhere
        advice = f"; {first.advice}" if first.check is not Check.DATA else ""  # the library's error has said what to do
        return f"{first.problem}{more}{advice}"
    # Who recorded the run, after a semicolon, is told of each claim, and without his address.
    problem = first.problem.partition("; ")[0] if first.check is Check.DATA else first.problem
    return f"{first.subject}: {problem}{more}; {first.advice}"
