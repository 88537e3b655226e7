"""Which run a user means: name, unique prefix of a name, tag, commit oid prefix (in this order), `@`, `@~2`.

Only an oid prefix of seven digits or more stands before tags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from exptrack.analysis.names import is_name
from exptrack.analysis.wording import counted
from exptrack.backends.git.ancestry import sort_by_date
from exptrack.backends.git.objects import find_commit, find_parent, resolve
from exptrack.backends.git.repository import Repository
from exptrack.errors import RecordError, RevError
from exptrack.model.run import BrokenRun, Run, Status
from exptrack.store import annotation, runs, trash
from exptrack.store.indexedcatalog import open_catalog
from exptrack.store.names import find_named
from exptrack.store.recorded import read_recorded

_LATEST = re.compile(r"@(?:~(\d{0,9}))?", re.ASCII)
_OID = re.compile(r"[0-9a-f]{4,64}")
_LONG_OID = 7
_SHOWN = 20
_STATUS = max(map(len, Status))


def load(repository: Repository, rev: str) -> Run:
    """The run that `rev` names; raises RevError if there is none or more than one, RecordError if its record cannot be read."""
    ref, oid = find_ref(repository, rev)
    run = next(runs.read_runs(repository, {ref: oid}))
    if isinstance(run, BrokenRun):
        raise RecordError(f"run '{run.name}' cannot be read: {run.reason}; look at it with `git show {ref}`")
    snapshot, base = resolve(repository, [f"{oid}^1", f"{oid}^1^1"])
    if snapshot and not base:
        base = find_parent(repository, snapshot)
    [run] = annotation.annotate(repository, [run._replace(snapshot=snapshot, base=base)])
    return run


def find_ref(repository: Repository, rev: str) -> tuple[str, str]:
    """The ref and oid of the run that `rev` names; raises RevError, whose hints are the candidates if there is more than one."""
    if len(named := find_named(repository, rev)) == 1:
        return next(iter(named.items()))
    listed = runs.list_run_refs(repository)
    if match := _LATEST.fullmatch(rev):
        ref = _latest(repository, listed, int(match[1] or match[0].count("~")), rev)
        return ref, listed[ref]
    found = _candidates(repository, listed, rev)
    if not found:
        raise RevError(_unknown(repository, listed, rev))
    if len(found) > 1:
        several = {ref: listed[ref] for ref in found}
        raise RevError(_ambiguous(several, rev), _enumerate(repository, several))
    return found[0], listed[found[0]]


def _candidates(repository: Repository, listed: Mapping[str, str], rev: str) -> list[str]:
    """What `rev` may stand for. The beginning of several names may be a tag, but is no oid: nobody means that.

    A long oid is looked for before tags, since those are in all the records: at 10,000 runs that takes 0.2 s.
    """
    begun = _by_prefix(listed, rev)
    named = _by_name(listed, rev) or (begun if len(begun) == 1 else [])
    oids = _by_oid(listed, rev)
    long = oids if len(rev) >= _LONG_OID else []
    return named or long or _by_tag(repository, rev) or begun or oids


def _by_name(listed: Mapping[str, str], rev: str) -> list[str]:
    return [ref for ref in listed if runs.name_of(ref) == rev]


def _by_prefix(listed: Mapping[str, str], rev: str) -> list[str]:
    return [ref for ref in listed if rev and runs.name_of(ref).startswith(rev)]


def _by_tag(repository: Repository, rev: str) -> list[str]:
    """Runs that carry the tag now."""
    if not rev:
        return []
    with open_catalog(repository) as catalog:
        return [*catalog.tagged(rev)]


def _by_oid(listed: Mapping[str, str], rev: str) -> list[str]:
    return [ref for ref, oid in listed.items() if oid.startswith(rev)] if _OID.fullmatch(rev) else []


def _ambiguous(found: Mapping[str, str], rev: str) -> str:
    names = [runs.name_of(ref) for ref in found]
    if rev in names:
        how = f"{len(found)} runs have this name, from several clones: give the oid of one"
    elif names[0].startswith(rev):
        how = f"the names of {len(found)} runs begin with it: give more of one"
    elif _OID.fullmatch(rev) and all(oid.startswith(rev) for oid in found.values()):
        how = f"the oids of {len(found)} runs begin with it: give more of one"
    else:
        how = f"{len(found)} runs have this tag: give the name of one"
    return f"'{rev}' is ambiguous: {how}"


def _enumerate(repository: Repository, found: Mapping[str, str]) -> tuple[str, ...]:
    """The candidates, the one that started last first: oid, name, start, status, tags."""
    read = list(runs.read_runs(repository, found))
    whole = annotation.annotate(repository, [run for run in read if isinstance(run, Run)])
    whole.sort(key=lambda run: run.record.started, reverse=True)
    broken = [run for run in read if isinstance(run, BrokenRun)]
    width = max(len(run.name) for run in read)
    lines = [
        f"  {run.oid[: runs.ABBREVIATED]}  {run.name:<{width}}  {run.record.started:%Y-%m-%d %H:%M}  "
        f"{run.status:<{_STATUS}}  {', '.join(run.tags)}".rstrip()
        for run in whole
    ]
    lines += [f"  {run.oid[: runs.ABBREVIATED]}  {run.name:<{width}}  cannot be read: {run.reason}" for run in broken]
    more = [f"  and {len(lines) - _SHOWN:,} more"] if len(lines) > _SHOWN else []
    return ("the candidates are:", *lines[:_SHOWN], *more)


def _unknown(repository: Repository, listed: Mapping[str, str], rev: str) -> str:
    from difflib import get_close_matches

    said = f"no run is named '{rev}'"
    if is_name(rev) and (repository.shared / "active" / rev).is_dir():
        return f"'{rev}' is not recorded yet: see `exptrack status`, or `exptrack recover` if it died"
    if trash.find(repository, rev):
        return f"'{rev}' was removed: `exptrack rm --restore {rev}` brings it back"
    if rev.startswith("@"):
        return f"{said}: `@` is the run that was recorded last, `@~1` the one before it"
    if find_commit(repository, rev):
        return f"'{rev}' is a commit of Git and no run: `exptrack log {rev}` lists the runs on it"
    if near := get_close_matches(rev[:100].lower(), map(runs.name_of, listed), n=1):
        return f"{said}, did you mean '{near[0]}'?"
    return (
        f"{said}; `exptrack ls` lists them" if listed else f"{said}: there is no run yet, make one with `exptrack run`"
    )


def _latest(repository: Repository, listed: Mapping[str, str], back: int, rev: str) -> str:
    by_name = {runs.name_of(ref): ref for ref in listed}
    order = [by_name[name] for name in dict.fromkeys(read_recorded(repository.shared)) if name in by_name]
    if not order:
        by_oid = {oid: ref for ref, oid in listed.items()}
        order = [by_oid[oid] for oid in reversed(sort_by_date(repository, by_oid)) if oid in by_oid]
    if back >= len(order):
        raise RevError(
            f"'{rev}': only {counted(len(order), 'run')} recorded here"
            if order
            else "no run yet: make one with `exptrack run`"
        )
    return order[-1 - back]
