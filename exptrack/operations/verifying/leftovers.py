"""What killed processes left behind: locks, journals; and whether the annotations can be read."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from exptrack.analysis.annotationlines import decode_annotations
from exptrack.analysis.wording import counted
from exptrack.backends.dvc.verifying import find_stale_locks
from exptrack.backends.git import refs
from exptrack.backends.git.notes import read_notes
from exptrack.backends.git.repository import Repository
from exptrack.errors import RepositoryError
from exptrack.model.verification import Check, Finding, Severity
from exptrack.operations.active import list_active
from exptrack.operations.context import Context
from exptrack.store import journal as journals
from exptrack.store.annotation import NOTES

STALE = 600.0  # seconds; git holds such a lock for milliseconds
_FOLDERS = ("refs/exptrack", "refs/notes", "reftable")


def judge_locks(repository: Repository, roots: Sequence[Path]) -> Iterator[Finding]:
    """Locks that are older than any living process would hold them."""
    below = (path for folder in _FOLDERS for path in sorted((repository.common_dir / folder).rglob("*.lock")))
    now = time.time()
    for path in (*refs.find_locks(repository), *below):
        with suppress(OSError):
            age = now - path.lstat().st_mtime
            if age > STALE:
                yield _lock(path, age, "git")
    for root in roots:
        for path in find_stale_locks(root, STALE):
            with suppress(OSError):
                yield _lock(path, now - path.lstat().st_mtime, "dvc")


def _lock(path: Path, age: float, owner: str) -> Finding:
    problem = f"a killed {owner} left it {_format_age(age)} ago, and it is in the way of others"
    return Finding(Severity.WARNING, Check.LOCK, str(path), problem, f"delete it, if no {owner} is at work")


def _format_age(seconds: float) -> str:
    minutes = max(0, int(seconds // 60))
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 1440} days"


def judge_journals(context: Context) -> Iterator[Finding]:
    """Runs that died and are not recorded yet."""
    shared = context.repository.shared
    for one in list_active(context):
        if one.is_alive:
            continue
        severity, problem, advice = (
            Severity.WARNING,
            "it died, and is not recorded yet",
            "`exptrack recover` records it",
        )
        if one.is_command_running:
            severity, problem = Severity.NOTE, f"its recorder died, and its command still runs (process {one.pid})"
            advice = "`exptrack recover` records it when that has ended"
        elif journals.is_foreign(shared, one.name):
            problem += ", and ran on another host"
            advice = "`exptrack recover` there records it; here `exptrack recover --force`"
        yield Finding(severity, Check.LEFTOVER, one.name, problem, advice)


def judge_annotations(repository: Repository, oids: Collection[str] | None) -> tuple[dict[str, str], list[Finding]]:
    """The notes on these commits (or all) as text, and what is wrong with them."""
    lost: set[str] = set()
    try:
        texts = read_notes(repository, NOTES, None if oids is None else list(oids), lost)
    except RepositoryError as error:
        advice = f"`git fetch --refetch REMOTE {NOTES}` brings them from a repository where they are whole"
        return {}, [Finding(Severity.ERROR, Check.ANNOTATIONS, NOTES, f"it cannot be read: {error}", advice)]
    found = []
    if lost:
        problem = f"{counted(len(lost), 'note')} {'is' if len(lost) == 1 else 'are'} missing or broken"
        advice = f"`git fetch --refetch REMOTE {NOTES}` brings them from a repository where they are whole"
        found.append(Finding(Severity.ERROR, Check.ANNOTATIONS, NOTES, problem, advice))
    odd = sum(
        1 for text in texts.values() for line in text.split("\n") if line.strip() and not decode_annotations(line)
    )
    if odd:
        problem = f"{counted(odd, 'line')} {'is' if odd == 1 else 'are'} no annotation that this version reads"
        advice = "a later version of exptrack may have written it; the others count all the same"
        found.append(Finding(Severity.NOTE, Check.ANNOTATIONS, NOTES, problem, advice))
    return texts, found
