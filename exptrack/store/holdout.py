"""What a run keeps sealed: `.exptrack/holdout.json` in its commit."""

from __future__ import annotations

from exptrack.analysis.codec import decode_holdout
from exptrack.backends.git.repository import Repository
from exptrack.errors import RecordError
from exptrack.model.run import Run
from exptrack.model.tree import Tree
from exptrack.store.runs import read_files

HOLDOUT = ".exptrack/holdout.json"


def read_holdout(repository: Repository, run: Run) -> Tree:
    """The sealed metrics of a run, nested; empty if it has none. To show them is `unseal`'s alone.

    Raises RecordError if the file is broken, or is not there though the record names sealed metrics.
    """
    if not run.record.sealed:
        return {}
    content = read_files(repository, run.oid, [HOLDOUT]).get(HOLDOUT)
    if content is None:
        raise RecordError(f"'{run.name}' has no {HOLDOUT}, and its record names sealed metrics: run `exptrack fsck`")
    try:
        return decode_holdout(content)
    except RecordError as error:
        raise RecordError(f"{HOLDOUT} of '{run.name}': {error}") from None
