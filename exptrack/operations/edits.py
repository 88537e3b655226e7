"""The code of a run that was not as committed: what `diff BASE RUN --only code` counts."""

from __future__ import annotations

from exptrack.analysis.comparable import is_value_file
from exptrack.backends.git import diffs
from exptrack.backends.git.diffs import Changed
from exptrack.errors import RepositoryError
from exptrack.model.change import Kind
from exptrack.model.difference import FileChange
from exptrack.model.run import Run
from exptrack.operations.context import Context

_KINDS = {"A": Kind.ADDED, "D": Kind.REMOVED}


def list_edits(context: Context, run: Run) -> tuple[FileChange, ...] | None:
    """The files in which the snapshot of a run differs from its base, by path; None if it has none, or git cannot tell.

    As in a diff, files that are compared by what they say are left out: those of parameters and pointers, and what the run wrote.
    """
    if run.base is None or run.snapshot is None:
        return None
    record = run.record
    prefix = "" if record.project == "." else f"{record.project}/"
    by_value = {f"{prefix}{source}" for source in record.params}
    by_value |= {pointer.source for pointer in record.pointers}
    try:
        found = diffs.list_changes(context.repository, run.base, run.snapshot)
        by_value |= set(diffs.list_written(context.repository, run.oid)) if found else set()
    except RepositoryError as error:
        context.notice(f"the code of '{run.name}' cannot be compared with its base: {error}")
        return None
    return tuple(change_of(one) for one in found if one.path not in by_value or not is_value_file(one.path))


def change_of(one: Changed) -> FileChange:
    """A changed file of Git as one of the code."""
    modes = (one.old_mode, one.new_mode) if one.status not in "AD" and one.old_mode != one.new_mode else (None, None)
    return FileChange(one.path, _KINDS.get(one.status, Kind.CHANGED), one.added, one.removed, one.old_path, *modes)
