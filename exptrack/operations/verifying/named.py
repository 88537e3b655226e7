"""Which runs are verified: all, or those that words name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exptrack.operations.context import Context
from exptrack.operations.ranges import find_refs
from exptrack.store import runs


def choose(context: Context, listed: Mapping[str, str], words: Sequence[str]) -> dict[str, str]:
    """Those of the `listed` refs of runs that the words mean, with their oids; all if there is no word.

    A query (or a range `A..B`) means the runs for which it holds, any other word one run. Raises QueryError, RevError.
    """
    if not words:
        return dict(listed)
    exact = {ref for ref in listed if runs.name_of(ref) in words}  # all of a name that is used twice
    known = {runs.name_of(ref) for ref in exact}
    chosen = exact.union(find_refs(context, [word for word in words if word not in known], "fsck"))
    return {ref: oid for ref, oid in listed.items() if ref in chosen}
