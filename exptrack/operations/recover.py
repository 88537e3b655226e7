"""Turn dead runs into recorded ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from exptrack.backends.git import importing, refs
from exptrack.errors import ExptrackError, RevError, explain
from exptrack.operations.active import look
from exptrack.operations.context import Context
from exptrack.operations.recording.finish import Finished, finish_dead
from exptrack.store import journal as journals
from exptrack.store import runs


def recover(context: Context, names: Sequence[str] = (), *, force: bool = False) -> tuple[Finished, ...]:
    """Record the dead runs (or those of `names` only). Live ones are left alone, and so are dead ones whose command still runs.

    `force` records those too, and runs of other hosts. Each run that cannot be recorded is told through `notice`, and stays.
    Raises RevError if a name has no journal.
    """
    listed = journals.list_names(context.repository.shared)
    for name in names:
        if name not in listed:
            raise RevError(f"'{name}' does not wait for recovery: `exptrack status` lists what runs and what died")
    finished = [_recover(context, name, force=force, is_named=bool(names)) for name in names or listed]
    journals.sweep(context.repository.shared)
    importing.sweep(context.repository)
    _tidy_refs(context)
    return tuple(one for one in finished if one is not None)


def _recover(context: Context, name: str, *, force: bool, is_named: bool) -> Finished | None:
    if journals.is_alive(context.repository.shared, name):
        if is_named:
            context.notice(f"{name} is still running")
        return None
    if not force and (objection := _objection(context.repository.shared, name)):
        context.notice(f"{name} {objection}, or record it as it is with `--force`")
        return None
    return _finish(context, name, force=force)


def _objection(shared: Path, name: str) -> str | None:
    if journals.is_foreign(shared, name):
        return "ran on another host and gave no sign of life for ten minutes: recover it there"
    if journals.is_command_running(shared, name):
        return f"has lost its recorder, but its command still runs (process {look(shared, name).pid}): end it or wait"
    return None


def _finish(context: Context, name: str, *, force: bool) -> Finished | None:
    shared = context.repository.shared
    with journals.seize(shared, name, force=force) as journal:
        if journal is None:
            return None
        try:
            finished = finish_dead(context.repository, journal)
        except (ExptrackError, OSError) as error:
            context.notice(f"{name} cannot be recovered now: {explain(error)}; its journal is kept")
            return None
        if finished is None:
            context.notice(f"{name} died before its command started: nothing to record")
        return finished


def _tidy_refs(context: Context) -> None:
    """Delete the refs in `active/` that have no journal: of finished runs, and of one that died while git still made its ref."""
    repository = context.repository
    for ref, oid in refs.list_refs(repository, runs.ACTIVE).items():
        if not journals.folder_of(repository.shared, runs.name_of(ref)).exists():
            refs.delete_ref(repository, ref, oid)
