"""The runs of a repository, read from Git itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from itertools import groupby

from exptrack.analysis.facts import Facts, sort_facts
from exptrack.analysis.matching import matches
from exptrack.analysis.rows import RunRows
from exptrack.backends.git.repository import Repository
from exptrack.model.progress import Progress, Silence
from exptrack.model.run import BrokenRun, Run
from exptrack.store import annotation, runs
from exptrack.store.catalog import LOST, Asked, Listed, asks_keys, format_month, is_first_few, month_of, name_broken
from exptrack.store.tagged import find_tagged

_SILENCE = Silence()
_MANY = 1000  # runs; fewer take no time
_STEP = 250


class GitCatalog:
    """A Catalog that reads as many records as an answer takes: all of them, but for the first few by their start. Of many, `progress` is told."""

    def __init__(self, repository: Repository, progress: Progress = _SILENCE) -> None:
        self._repository, self._progress = repository, progress

    @cached_property
    def _refs(self) -> Mapping[str, str]:
        return runs.list_run_refs(self._repository)

    @cached_property
    def _everything(self) -> tuple[Sequence[Facts], Sequence[BrokenRun]]:
        return self._annotated(self._read_all(self._refs))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What it takes to choose and to sort is a third of the whole, so the bar stays until then."""
        try:
            yield
        finally:
            self._progress.end()

    @property
    def among(self) -> int:
        return len(self._refs)

    def names(self) -> Collection[str]:
        with self._told():
            return {name for row in self._everything[0] for name in row if "." in name}

    def sealed(self, keys: Collection[str]) -> Collection[str]:
        with self._told():
            rows = self._everything[0]
            return [
                key
                for key in keys
                if any(key in row.run.record.sealed for row in rows)
                and all(key in row.run.record.sealed for row in rows if key in row.metrics)
            ]

    def select(self, asked: Asked) -> Listed:
        with self._told():
            return self._select(asked)

    def _select(self, asked: Asked) -> Listed:
        is_few = is_first_few(asked)
        if is_few or not asks_keys(asked):
            rows, broken = self._annotated(self._read(asked.since, asked.number if is_few else None))
        else:
            rows, broken = self._everything
        chosen = sorted((row for row in rows if _is_chosen(row, asked)), key=lambda row: row.run.ref)
        chosen.sort(key=lambda row: row.run.record.started, reverse=True)
        if asked.sort is not None:
            chosen = sort_facts(chosen, asked.sort, descending=asked.is_descending)
        few = chosen[: asked.number]
        return Listed(RunRows.of(few), name_broken(broken, asked, [row.run.ref for row in few[-1:]], len(few)))

    def tagged(self, tag: str) -> Mapping[str, str]:
        return find_tagged(self._repository, self._refs, tag)

    def _read(self, since: datetime | None, number: int | None) -> Iterable[Run | BrokenRun]:
        """The runs since then; with a `number` at least that many of the latest, and no more months than that takes."""
        refs = self._refs
        if since is not None:
            refs = {ref: oid for ref, oid in refs.items() if month_of(ref) >= format_month(since)}
        if number is None:
            return self._read_all(refs)
        found: list[Run | BrokenRun] = []
        pending: dict[str, str] = {}
        counted = 0
        months = [(month, list(filed)) for month, filed in groupby(refs.items(), key=lambda item: month_of(item[0]))]
        for month, filed in reversed(months):
            pending |= filed
            if counted + len(pending) >= number:
                found += self._read_all(pending)
                # One that lies in a later month than it started in says nothing about the months between.
                counted = sum(isinstance(one, Run) and format_month(one.record.started) >= month for one in found)
                pending = {}
                if counted >= number:
                    return found
        return [*found, *self._read_all(pending)]

    def _read_all(self, refs: Mapping[str, str]) -> Iterator[Run | BrokenRun]:
        found = runs.read_runs(self._repository, refs)
        if len(refs) < _MANY:
            yield from found
            return
        self._progress.begin("reading runs", len(refs))
        for number, one in enumerate(found, 1):
            yield one
            if number % _STEP == 0:
                self._progress.advance(_STEP)

    def _annotated(self, found: Iterable[Run | BrokenRun]) -> tuple[Sequence[Facts], Sequence[BrokenRun]]:
        read = list(found)
        lost: set[str] = set()
        whole = annotation.annotate(self._repository, [one for one in read if isinstance(one, Run)], lost)
        broken = [one for one in read if isinstance(one, BrokenRun)]
        broken += [BrokenRun(run.name, run.oid, run.ref, LOST) for run in whole if run.oid in lost]
        return [Facts(run) for run in whole], broken


def _is_chosen(row: Facts, asked: Asked) -> bool:
    is_late = asked.since is None or row.run.record.started >= asked.since
    return is_late and (asked.query is None or matches(asked.query, row))
