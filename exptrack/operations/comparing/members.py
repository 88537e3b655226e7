"""Which runs a comparison is among: chosen by what is known of all, then read once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from exptrack.analysis.query import Comparison, Operand, Query
from exptrack.analysis.rows import Rows
from exptrack.model.run import PIPELINE, Run
from exptrack.operations.comparing.counting import Left
from exptrack.operations.context import Context, silence
from exptrack.operations.listing import list_runs
from exptrack.operations.ranges import find_refs, is_query, refuse_torn
from exptrack.operations.sides import find


class Members(NamedTuple):
    """Runs that were read, what does not count of those that were not, and how many there are that cannot be read."""

    runs: tuple[Run, ...]
    left: Left = Left()
    broken: int = 0


def of_experiment(name: str) -> Query:
    """The query for the runs of an experiment."""
    return Comparison("experiment", "=", Operand("text", name))


def read_experiment(context: Context, name: str) -> Members:
    """All runs of an experiment, the one that started last first."""
    listed = list_runs(context, of_experiment(name))
    return Members(tuple(listed), broken=len(listed.broken))


def read_members(context: Context, words: Sequence[str], declared: Iterable[str]) -> Members:
    """The runs that words are about: if all that they name are of one `declared` experiment, those of that; else all.

    Pipelines are read in any case, since one that made nothing may have what a run of another experiment made.
    """
    listed = list_runs(context)
    rows, broken = listed.rows, len(listed.broken)
    name = _find_experiment(context, words, rows)
    if name is None or name not in declared:
        return Members(tuple(listed), broken=broken)
    again = asks_for_reproductions(words, rows)
    facts = zip(*(rows.column(one) for one in ("experiment", "removed", "reproduces", "command")), strict=True)
    read: list[int] = []
    removed = reproductions = 0
    for place, (experiment, remover, source, command) in enumerate(facts):
        if experiment == name:
            read.append(place)
        elif remover is not None:
            removed += 1
        elif source is not None and not again:
            reproductions += 1
        elif command == PIPELINE:
            read.append(place)
    return Members(tuple(listed.pick(read)), Left(removed, reproductions), broken)


def asks_for_reproductions(words: Sequence[str], rows: Rows) -> bool:
    """Whether one is named, or a query asks what runs reproduce."""
    if any(is_query(word) and "reproduces" in word for word in words):
        return True
    wanted = {*words}
    return bool(wanted) and any(
        name in wanted and source is not None
        for name, source in zip(rows.column("name"), rows.column("reproduces"), strict=True)
    )


def _find_experiment(context: Context, words: Sequence[str], rows: Rows) -> str | None:
    """The experiment that all the runs are of which are named; None if there are several, or something else than runs is named."""
    if not words or not len(rows):
        return None
    refuse_torn(words, lambda: {"status"}, "compare")
    experiments: set[object] = set()
    for word in words:
        if is_query(word):
            experiments |= {*list_runs(context, word).rows.column("experiment")}
        elif ".." in word:
            refs = find_refs(context, [word], "compare")
            pairs = zip(rows.refs(), rows.column("experiment"), strict=True)
            experiments |= {experiment for ref, experiment in pairs if ref in refs}
        else:
            run = find(context._replace(notice=silence), word).run
            experiments.add(run.record.experiment if run else None)
    [name] = experiments if len(experiments) == 1 else [None]
    return name if isinstance(name, str) else None
