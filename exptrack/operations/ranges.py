"""Which runs words mean: a query, a range, a rev or a commit. For `log` all of them must hold, for other commands each means runs."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from exptrack.analysis.fieldnames import FIELDS
from exptrack.analysis.query import merge_words, parse_query
from exptrack.backends.git import diffs
from exptrack.backends.git.ancestry import find_reachable
from exptrack.backends.git.objects import find_commit, resolve
from exptrack.errors import ExptrackError, RevError
from exptrack.model.run import Run
from exptrack.operations.context import Context
from exptrack.operations.listing import Runs, known_names, list_runs
from exptrack.store.revs import find_ref

_OF_A_QUERY = frozenset("=<>!()")
_SIGNS = frozenset({"=", "==", "!=", "<", "<=", ">", ">=", "~"})


def select_runs(
    context: Context, words: Sequence[str] = (), *, since: str | datetime | None = None, number: int | None = None
) -> Runs:
    """The runs for which all of `words` hold, the one that started last first, at most `number`.

    A word with a blank or one of `= < > ! ( )` is a query. `A..B` are the runs that started after A, up to and including B; if A and B
    are commits or branches of Git, those whose base is reachable from B and not from A. A missing end is HEAD beside a commit; beside a
    run, the latest run or the first. A run alone means it and those before it, a commit those whose base is reachable from it.
    Raises RevError, and what `list_runs` raises.
    """

    def known() -> Iterable[str]:
        return known_names(context.repository)

    refuse_torn(words, known)
    queries = [word for word in words if is_query(word)]
    others = [word for word in words if word not in queries]
    for one in queries:
        parse_query(one, known)  # so that a fault is shown in its own words
    query = " and ".join(f"({one})" for one in queries) if len(queries) > 1 else next(iter(queries), None)
    found = list_runs(context, query, since=since, number=None if others else number)
    for word in others:
        found = _narrow(context, found, word)
    return found[:number]


def find_refs(context: Context, words: Sequence[str], command: str) -> dict[str, str]:
    """The refs, with their oids, of the runs that words given to `command` mean: a query or a range `A..B` several, any other word one.

    Raises RevError if there is none for a word, QueryError.
    """
    refuse_torn(words, lambda: known_names(context.repository), command)
    found: dict[str, str] = {}
    for word in words:
        if is_query(word) or ".." in word:
            rows = select_runs(context, [word]).rows
            meant = dict(zip(rows.refs(), map(str, rows.column("commit")), strict=True))
            if not meant:
                raise RevError(f"no run for which '{word}' holds: `exptrack ls` lists the runs")
            found |= meant
        else:
            found.update([find_ref(context.repository, word)])
    return found


def is_query(word: str) -> bool:
    """Whether a word can only be a query: it has a blank, or a sign that no rev has."""
    return any(letter.isspace() or letter in _OF_A_QUERY for letter in word)


def refuse_torn(words: Sequence[str], known: Callable[[], Iterable[str]], command: str = "log") -> None:
    """Raise the error of a query that was not quoted, so that it came to `command` as several words."""
    if _SIGNS.isdisjoint(words):
        return
    for start in range(len(words) - 1):
        if query := merge_words(words[start:]):
            line = shlex.join(["exptrack", command, *words[:start], query])
            raise ExptrackError(f"a query is one word, so quote it: {line}")
    sign = next(place for place, word in enumerate(words) if word in _SIGNS)
    parse_query(" ".join(words[max(0, sign - 1) :]), known)


def _narrow(context: Context, found: Runs, word: str) -> Runs:
    start, dots, end = word.partition("..")
    if not dots:
        return _from_one(context, found, word)
    if end.startswith("."):
        raise RevError(f"'{word}' is no range: write it with two dots, as in 'main..HEAD' or '@~5..@'")
    old, new = (_find(context, one) if one else None for one in (start, end))
    given = [one for one in (old, new) if one is not None]
    if len({isinstance(one, Run) for one in given}) > 1:
        run, commit = (start, end) if isinstance(old, Run) else (end, start)
        raise RevError(f"'{word}': '{run}' is a run and '{commit}' a commit of Git; give two of one kind")
    if all(isinstance(one, str) for one in given):
        head = _head(context)
        return _made_on(context, found, old if isinstance(old, str) else head, new if isinstance(new, str) else head)
    return _started(found, old if isinstance(old, Run) else None, new if isinstance(new, Run) else None)


def _from_one(context: Context, found: Runs, word: str) -> Runs:
    if word in FIELDS or word.startswith(("metrics.", "params.")):
        parse_query(word)  # says what is missing: without quotes the shell takes `>` and all after it
    one = _find(context, word)
    return _started(found, None, one) if isinstance(one, Run) else _made_on(context, found, None, one)


def _find(context: Context, rev: str) -> Run | str:
    """The run that is meant, or the commit."""
    from exptrack.operations.sides import find  # loads what a diff needs

    if rev == ".":
        raise RevError("'.' is no run: `exptrack log` takes revs, ranges and queries")
    meant = find(context, rev)
    return meant.run or str(meant.commit)


def _head(context: Context) -> str:
    head = find_commit(context.repository, "HEAD")
    if head is None:
        raise RevError("HEAD is no commit yet: name both ends of the range")
    return head


def _started(found: Runs, after: Run | None, until: Run | None) -> Runs:
    starts: Sequence[Any] = found.rows.column("started")
    return found.pick(
        [
            place
            for place, started in enumerate(starts)
            if (after is None or started > after.record.started) and (until is None or started <= until.record.started)
        ]
    )


def _made_on(context: Context, found: Runs, without: str | None, tip: str) -> Runs:
    """The runs whose base is reachable from `tip` and not from `without`."""
    bases = (
        resolve(context.repository, [f"{oid}^1^1^{{commit}}" for oid in found.rows.column("commit")]) if found else []
    )
    meant = find_reachable(context.repository, {base for base in bases if base}, tip)
    if without is not None:
        meant -= find_reachable(context.repository, meant, without)
    return found.pick([place for place, base in enumerate(bases) if base in meant])


def read_stats(
    context: Context, runs: Sequence[Run], width: int | None = None, *, color: bool = False
) -> dict[str, str]:
    """What `git diff --stat` says of the code that each run had beyond its base, by the oid of the run; missing where that is nothing."""
    snapshots = resolve(context.repository, [f"{run.oid}^1" for run in runs]) if runs else []
    found = diffs.read_stats(context.repository, [oid for oid in snapshots if oid], width, color=color)
    pairs = zip(runs, snapshots, strict=True)
    return {run.oid: found[snapshot] for run, snapshot in pairs if snapshot in found}
