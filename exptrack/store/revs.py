"""Which run a user means: name, unique prefix of a name, tag, commit oid prefix (in this order), `@`, `@~2`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from exptrack.analysis.names import is_name
from exptrack.backends.git.objects import resolve
from exptrack.backends.git.refs import list_refs
from exptrack.backends.git.repository import Repository
from exptrack.errors import RecordError, RevError
from exptrack.model.run import BrokenRun, Run
from exptrack.store import annotation, runs
from exptrack.store.recorded import read_recorded

_LATEST = re.compile(r"@(?:~(\d{1,9}))?", re.ASCII)
_OID = re.compile(r"[0-9a-f]{4,64}")
_SHOWN = 8
_ABBREVIATED = 10


def load(repository: Repository, rev: str) -> Run:
    """The run that `rev` names; raises RevError if there is none or more than one, RecordError if its record cannot be read."""
    ref, oid = find_ref(repository, rev)
    run = next(runs.read_runs(repository, {ref: oid}))
    if isinstance(run, BrokenRun):
        raise RecordError(f"run '{run.name}' cannot be read: {run.reason}; look at it with `git show {ref}`")
    snapshot, base = resolve(repository, [f"{oid}^1", f"{oid}^1^1"])
    [run] = annotation.annotate(repository, [run._replace(snapshot=snapshot, base=base)])
    return run


def find_ref(repository: Repository, rev: str) -> tuple[str, str]:
    """The ref and oid of the run that `rev` names; raises RevError."""
    listed = runs.list_run_refs(repository)
    if match := _LATEST.fullmatch(rev):
        ref = _latest(repository, listed, int(match[1] or 0), rev)
        return ref, listed[ref]
    found = _candidates(repository, listed, rev)
    if not found:
        raise RevError(_unknown(repository, listed, rev))
    if len(found) > 1:
        raise RevError(f"'{rev}' is ambiguous: {_enumerate(listed, found)}")
    return found[0], listed[found[0]]


def _candidates(repository: Repository, listed: Mapping[str, str], rev: str) -> list[str]:
    """What `rev` may stand for. The beginning of several names may be a tag, but is no oid: nobody means that."""
    begun = _by_prefix(listed, rev)
    named = _by_name(listed, rev) or (begun if len(begun) == 1 else [])
    return named or _by_tag(repository, listed, rev) or begun or _by_oid(listed, rev)


def _by_name(listed: Mapping[str, str], rev: str) -> list[str]:
    return [ref for ref in listed if runs.name_of(ref) == rev]


def _by_prefix(listed: Mapping[str, str], rev: str) -> list[str]:
    return [ref for ref in listed if rev and runs.name_of(ref).startswith(rev)]


def _by_tag(repository: Repository, listed: Mapping[str, str], rev: str) -> list[str]:
    """Runs that carry the tag now. Tags of the start are in the records: all are read, but only when no name answered."""
    found = [run for run in runs.read_runs(repository, listed) if isinstance(run, Run)]
    return [run.ref for run in annotation.annotate(repository, found) if rev in run.tags]


def _by_oid(listed: Mapping[str, str], rev: str) -> list[str]:
    return [ref for ref, oid in listed.items() if oid.startswith(rev)] if _OID.fullmatch(rev) else []


def _enumerate(listed: Mapping[str, str], found: Sequence[str]) -> str:
    """The candidates by their names; where two clones have used one name, by their oids."""
    names = [runs.name_of(ref) for ref in found]
    if len(set(names)) < len(names):
        names = [f"{listed[ref][:_ABBREVIATED]} ({ref.removeprefix(runs.RUNS)})" for ref in found]
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _unknown(repository: Repository, listed: Mapping[str, str], rev: str) -> str:
    from difflib import get_close_matches

    if is_name(rev) and (repository.shared / "active" / rev).is_dir():
        return f"'{rev}' is not recorded yet: see `exptrack status`, or `exptrack recover` if it died"
    near = get_close_matches(rev, map(runs.name_of, listed), n=1)
    return f"no run is named '{rev}'" + (f", did you mean '{near[0]}'?" if near else "; `exptrack ls` lists them")


def _latest(repository: Repository, listed: Mapping[str, str], back: int, rev: str) -> str:
    by_name = {runs.name_of(ref): ref for ref in listed}
    order = [by_name[name] for name in dict.fromkeys(read_recorded(repository.shared)) if name in by_name]
    if not order:
        order = [ref for ref in list_refs(repository, runs.RUNS, sort="committerdate") if ref in listed]
    if back >= len(order):
        raise RevError(
            f"'{rev}': only {len(order)} run{'' if len(order) == 1 else 's'} recorded here"
            if order
            else "no run yet: make one with `exptrack run`"
        )
    return order[-1 - back]
