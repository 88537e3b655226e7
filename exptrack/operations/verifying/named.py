"""Which runs are verified: all, or those that words name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exptrack.errors import RevError
from exptrack.operations.context import Context
from exptrack.operations.ranges import is_query, select_runs
from exptrack.store import revs, runs


def choose(context: Context, listed: Mapping[str, str], words: Sequence[str]) -> dict[str, str]:
    """Those of the `listed` refs of runs that the words mean, with their oids; all if there is no word.

    A query (or a range `A..B`) means the runs for which it holds, any other word one run. Raises QueryError, RevError.
    """
    if not words:
        return dict(listed)
    chosen: set[str] = set()
    for word in words:
        if is_query(word) or ".." in word:
            found = [run.ref for run in select_runs(context, [word])]
            if not found:
                raise RevError(f"no run for which '{word}' holds: `exptrack ls` lists the runs")
            chosen.update(found)
        else:
            chosen.update(_find(context, listed, word))
    return {ref: oid for ref, oid in listed.items() if ref in chosen}


def _find(context: Context, listed: Mapping[str, str], word: str) -> list[str]:
    exact = [ref for ref in listed if runs.name_of(ref) == word]  # all of a name that is used twice
    return exact or [revs.find_ref(context.repository, word)[0]]
