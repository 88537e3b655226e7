"""Where refs lie: names that are used twice, refs that were left behind, removed runs."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from exptrack.analysis.codec import decode_record
from exptrack.analysis.names import is_name
from exptrack.analysis.wording import counted
from exptrack.backends.git import refs as git_refs
from exptrack.backends.git.repository import Repository
from exptrack.errors import RecordError, RepositoryError
from exptrack.model.verification import Check, Finding, Severity
from exptrack.store import journal as journals
from exptrack.store import trash
from exptrack.store.runs import ACTIVE, RUNS, TRASH, name_of, read_records

REFS = "refs/exptrack/"
_RUN = re.compile(rf"{RUNS}\d{{4}}-(?:0[1-9]|1[0-2])/([^/]+)", re.ASCII)
_MOMENT = 0.3  # seconds in which a run that is just being recorded has its ref


def is_place(ref: str) -> bool:
    """Whether a run can lie at this ref."""
    found = _RUN.fullmatch(ref)
    return found is not None and is_name(found[1])


def judge_broken(broken: Sequence[str]) -> Iterator[Finding]:
    """Refs that hold no oid: torn by a crash, or by hand."""
    for ref in broken:
        advice = f"fetch it again, or `git update-ref --no-deref -d {ref}` if nobody has it"
        runs = (name_of(ref),) if ref.startswith(RUNS) else ()
        yield Finding(Severity.ERROR, Check.REF, ref, "it holds no oid, and git passes over it", advice, runs)


def judge_names(listed: Mapping[str, str], chosen: Collection[str]) -> Iterator[Finding]:
    """Runs that lie where no run can, and names that are used twice."""
    places: dict[str, list[str]] = {}
    for ref in listed:
        if ref.startswith((RUNS, TRASH)):
            places.setdefault(name_of(ref), []).append(ref)
    for ref in chosen:
        if not is_place(ref):
            advice = f"`git update-ref -d {ref}` deletes it, once you know what it is"
            problem = "it is not refs/exptrack/runs/<yyyy-mm>/<name>"
            yield Finding(Severity.ERROR, Check.REF, ref, problem, advice, (name_of(ref),))
    for name in dict.fromkeys(map(name_of, chosen)):
        others = [ref for ref in places[name] if ref.startswith(RUNS)]
        here = {listed[ref] for ref in others}  # a namesake that was removed is another run
        removed = [ref for ref in places[name] if ref.startswith(TRASH) and listed[ref] in here]
        if len({listed[ref] for ref in others}) > 1:
            problem = f"the name is that of {len(others)} runs: {', '.join(others)}"
            advice = f"name them by their oids; `exptrack rm {listed[others[-1]][:10]}` removes one"
            yield Finding(Severity.ERROR, Check.REF, name, problem, advice, (name,))
        removed = [ref for ref in removed if listed[ref] in {listed[one] for one in others}]
        if removed:
            problem = f"it is both among the runs and in the trash: {removed[0]}"
            advice = f"`exptrack rm {name}` removes it; `git update-ref -d {removed[0]}` keeps it"
            yield Finding(Severity.WARNING, Check.REF, name, problem, advice, (name,))


def judge_left(repository: Repository, listed: Mapping[str, str]) -> Iterator[Finding]:
    """Refs of runs under way that are no more, and refs that exptrack does not know."""
    left = [ref for ref in listed if ref.startswith(ACTIVE) and not _has_journal(repository, ref)]
    if left:
        # A run that ended just now lets go of its journal first.
        time.sleep(_MOMENT)
        there = git_refs.list_refs(repository, ACTIVE)
        left = [ref for ref in left if ref in there and not _has_journal(repository, ref)]
    finished = {name_of(ref) for ref in listed if ref.startswith(RUNS)}
    for ref in left:
        problem = (
            "the run is finished, and this was left" if name_of(ref) in finished else "it belongs to no run under way"
        )
        yield Finding(Severity.WARNING, Check.LEFTOVER, ref, problem, "`exptrack recover` deletes it")
    for ref in listed:
        if ref.startswith(REFS) and not ref.startswith((RUNS, ACTIVE, TRASH)):
            advice = "a later version of exptrack may have made it; else delete it with `git update-ref -d`"
            yield Finding(Severity.NOTE, Check.REF, ref, "it is of no kind that exptrack knows", advice)


def _has_journal(repository: Repository, ref: str) -> bool:
    return journals.folder_of(repository.shared, name_of(ref)).exists()


def judge_trash(
    repository: Repository, listed: Mapping[str, str], touched: Collection[str], days: int
) -> Iterator[Finding]:
    """Removed runs, in brief: which cannot be had back, and how many are expired, for which it is more than so many days."""
    removed = {ref: oid for ref, oid in listed.items() if ref.startswith(TRASH)}
    for (ref, _), data in zip(removed.items(), read_records(repository, list(removed.values())), strict=True):
        problem = None if ref in touched else _judge_removed(ref, data)
        if problem:
            advice = f"it cannot be restored: `git update-ref -d {ref}` deletes it"
            yield Finding(Severity.NOTE, Check.TRASH, ref, problem, advice)
    if count := len(trash.expired(removed, datetime.now(UTC), days)):
        problem = f"{counted(count, 'removed run')} {'is' if count == 1 else 'are'} expired"
        yield Finding(Severity.NOTE, Check.TRASH, "trash", problem, "`exptrack gc --force` deletes what has expired")


def _judge_removed(ref: str, data: bytes | RepositoryError | None) -> str | None:
    if trash.day_of(ref) is None:
        return f"it is not {TRASH}<yyyymmdd>/<name>"
    if not isinstance(data, bytes):
        return "there is no record in it, or it is broken"
    try:
        name = decode_record(data).name
    except RecordError as error:
        return str(error)
    return None if name == name_of(ref) else f"its record is that of '{name}'"
