"""What differs between two runs."""

from __future__ import annotations

from typing import NamedTuple

from exptrack.analysis.diff import diff as diff_trees
from exptrack.backends.git import diffs
from exptrack.model.change import Change
from exptrack.model.run import Run
from exptrack.operations.context import Context


class Difference(NamedTuple):
    """Two runs and what differs: parameters, metrics, and the code between the two snapshots as git's own diff."""

    old: Run
    new: Run
    changes: tuple[Change, ...]
    code: str


def diff(context: Context, old: Run, new: Run, *, color: bool = False) -> Difference:
    """Compare two runs: parameters and metrics by key, code by the two snapshots."""
    changes = (
        *diff_trees(old.params, new.params, "params"),
        *diff_trees(old.record.metrics, new.record.metrics, "metrics"),
    )
    code = diffs.read_diff(context.repository, f"{old.oid}^", f"{new.oid}^", color=color)
    return Difference(old, new, changes, code)
