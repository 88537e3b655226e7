"""Which run a user means: name, unique prefix of a name, tag, commit oid prefix (in this order), `@`, `@~2`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from exptrack.backends.git import command
from exptrack.backends.git.objects import resolve
from exptrack.backends.git.repository import Repository
from exptrack.errors import RecordError, RevError
from exptrack.model.annotation import AnnotationKind
from exptrack.model.run import BrokenRun, Run
from exptrack.store import annotation, runs

_LATEST = re.compile(r"@(?:~(\d+))?")
_OID = re.compile(r"[0-9a-f]{4,64}")
_SHOWN = 8


def load(repository: Repository, rev: str) -> Run:
    """The run that `rev` names; raises RevError if there is none or more than one, RecordError if its record cannot be read."""
    ref, oid = find_ref(repository, rev)
    run = next(runs.read_runs(repository, {ref: oid}))
    if isinstance(run, BrokenRun):
        raise RecordError(f"run '{run.name}' cannot be read: {run.reason}; look at it with `git show {ref}`")
    snapshot, base = resolve(repository, [f"{oid}^1", f"{oid}^1^1"])
    return replace(run, snapshot=snapshot, base=base)


def find_ref(repository: Repository, rev: str) -> tuple[str, str]:
    """The ref and oid of the run that `rev` names."""
    listed = runs.list_run_refs(repository)
    if match := _LATEST.fullmatch(rev):
        ref = _latest(repository, listed, int(match[1] or 0), rev)
        return ref, listed[ref]
    for found in (
        _by_name(listed, rev),
        _by_prefix(listed, rev),
        _by_tag(repository, listed, rev),
        _by_oid(listed, rev),
    ):
        refs_found = list(found)
        if len(refs_found) == 1:
            return refs_found[0], listed[refs_found[0]]
        if refs_found:
            raise RevError(f"'{rev}' is ambiguous: {_enumerate(refs_found)}")
    raise RevError(_unknown(repository, listed, rev))


def _by_name(listed: dict[str, str], rev: str) -> list[str]:
    return [ref for ref in listed if runs.name_of(ref) == rev]


def _by_prefix(listed: dict[str, str], rev: str) -> list[str]:
    return [ref for ref in listed if rev and runs.name_of(ref).startswith(rev)]


def _by_tag(repository: Repository, listed: dict[str, str], rev: str) -> list[str]:
    """Runs that carry the tag now. Tags of the start are in the records, so those are read only when nothing shorter answered."""
    later = annotation.read(repository)
    found = []
    for run in runs.read_runs(repository, listed):
        if isinstance(run, Run):
            standing = annotation.standing(run, later.get(run.oid, ()))
            if rev in annotation.values(standing, AnnotationKind.TAG):
                found.append(run.ref)
    return found


def _by_oid(listed: dict[str, str], rev: str) -> list[str]:
    return [ref for ref, oid in listed.items() if oid.startswith(rev)] if _OID.fullmatch(rev) else []


def _enumerate(refs_found: Sequence[str]) -> str:
    names = ", ".join(runs.name_of(ref) for ref in refs_found[:_SHOWN])
    more = len(refs_found) - _SHOWN
    return names + (f" and {more} more" if more > 0 else "")


def _unknown(repository: Repository, listed: dict[str, str], rev: str) -> str:
    from difflib import get_close_matches

    if (repository.shared / "active" / rev).is_dir():
        return f"'{rev}' is not recorded yet: see `exptrack status`, or `exptrack recover` if it died"
    near = get_close_matches(rev, map(runs.name_of, listed), n=1)
    return f"no run is named '{rev}'" + (f", did you mean '{near[0]}'?" if near else "; `exptrack ls` lists them")


def note_recorded(shared: Path, name: str) -> None:
    """Remember that a run was recorded here, for `@`."""
    with suppress(OSError), (shared / "recorded").open("a", encoding="utf-8") as file:
        file.write(name + "\n")


def _latest(repository: Repository, listed: dict[str, str], back: int, rev: str) -> str:
    by_name = {runs.name_of(ref): ref for ref in listed}
    order = [by_name[name] for name in dict.fromkeys(_recorded(repository)) if name in by_name]
    if not order:
        order = _by_commit_date(repository)
    if back >= len(order):
        raise RevError(
            f"'{rev}': only {len(order)} run{'' if len(order) == 1 else 's'} recorded here"
            if order
            else "no run yet: make one with `exptrack run`"
        )
    return order[-1 - back]


def _recorded(repository: Repository) -> list[str]:
    try:
        return (repository.shared / "recorded").read_text(encoding="utf-8").split()
    except OSError:
        return []


def _by_commit_date(repository: Repository) -> list[str]:
    """All runs, oldest first: what `@` means when the list of those recorded here was deleted."""
    out = command.run(repository.top, "for-each-ref", "--sort=committerdate", "--format=%(refname)", runs.RUNS)
    return out.decode().split()
