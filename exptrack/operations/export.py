"""Write runs into a folder of files, a month a file, for programs that read years of runs of many repositories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

from exptrack.analysis.annotationlines import decode_annotations
from exptrack.backends.git.notes import list_notes
from exptrack.backends.git.objects import read_each, resolve
from exptrack.backends.git.refs import count_below
from exptrack.errors import ExptrackError
from exptrack.model.progress import Progress
from exptrack.model.run import BrokenRun, Run
from exptrack.operations.context import Context
from exptrack.operations.exporting import tables
from exptrack.operations.exporting.folder import ignore, path_of, put_in_place, set_aside
from exptrack.operations.exporting.formats import FORMATS, PARQUET, Sink, open_sink
from exptrack.operations.exporting.histories import load_many
from exptrack.operations.exporting.naming import check_name, name_repository
from exptrack.operations.exporting.tables import Series
from exptrack.operations.listing import list_runs
from exptrack.store import annotation, runs

_RUNS = 1000  # a row group
_POINTS = 100_000
_LOST = "its tags and notes are not in the repository; `git fsck` tells more"

_UNREAD = "a history of it is missing from the repository, or broken; `git fsck` tells more"


class Asked(NamedTuple):
    """What is exported: the runs for which `query` holds and that started at `since` or later, as one of FORMATS, and with their histories.

    `repository` is what the files are called, by default what `name_repository` says.
    """

    query: str | None = None
    since: str | datetime | None = None
    form: str = PARQUET
    has_history: bool = False
    repository: str | None = None


class Exported(NamedTuple):
    """What was written: how many runs and points, in which months, under which name of the repository.

    `broken` could not be read as a run, or not as a whole; `thinned` counts histories whose whole is not here.
    """

    repository: str
    runs: int = 0
    points: int = 0
    months: tuple[str, ...] = ()
    broken: tuple[BrokenRun, ...] = ()
    thinned: int = 0


def export(context: Context, folder: Path, asked: Asked, progress: Progress) -> Exported:
    """Write the runs below `folder`, in place of all that an earlier export of this repository left there.

    Raises QueryError; ExptrackError if the folder cannot be written, DataError where pyarrow is missing. Then nothing was changed, but where
    the message says so.
    """
    source = _Source(context, asked, progress)
    is_new = not folder.exists()
    with _explained(folder, "nothing in it was changed"), set_aside(folder, source.repository) as aside:
        paths = [path for month in source.months() for path in _write_month(source, month, aside)]
        if is_new and paths:
            ignore(folder, context.repository.top)
        with _explained(folder, "some of its files are new: export again"):
            put_in_place(aside, folder, source.repository, paths)
    return source.tell()


def export_stream(context: Context, file: IO[bytes], asked: Asked, progress: Progress) -> Exported:
    """Write the runs, or with `has_history` their histories, as one stream of lines. Raises as `export`."""
    if asked.form == PARQUET:
        raise ExptrackError("Parquet is no stream: name a folder with -o, or use --format csv or jsonl")
    source = _Source(context, asked, progress)
    sink = open_sink(asked.form, file, tables.HISTORY if asked.has_history else tables.RUNS)
    for month in source.months():
        for chunk in source.read(month):
            if asked.has_history:
                for histories in source.read_histories(chunk):
                    sink.write_points(histories)
            else:
                sink.write(source.make_rows(chunk))
    sink.close()
    return source.tell()


class _Source:
    """The runs to export, month by month, and what was seen of them."""

    def __init__(self, context: Context, asked: Asked, progress: Progress) -> None:
        if asked.form not in FORMATS:
            raise ExptrackError(f"'{asked.form[:60]}' is no format: use one of {', '.join(FORMATS)}")
        if asked.form == PARQUET:
            from exptrack.operations.exporting.parquet import require

            require()
        self._context, self.asked, self._progress = context, asked, progress
        repository = context.repository
        self.repository = check_name(asked.repository) if asked.repository is not None else name_repository(repository)
        self._chosen, self._broken = _choose(context, asked)
        self._notes = list_notes(repository, annotation.NOTES)
        self._months: list[str] = []
        self._counts = {"runs": 0, "points": 0, "thinned": 0}

    def months(self) -> Iterator[Mapping[str, str]]:
        """The refs of each month; those of one are in memory at once, 100,000 take 50 MB."""
        repository, chosen = self._context.repository, self._chosen
        counts = count_below(repository, runs.RUNS)
        self._progress.begin("exporting runs", sum(counts.values()))
        for month, count in counts.items():
            refs = runs.list_run_refs(repository, runs.RUNS + month)
            wanted = refs if chosen is None else {ref: oid for ref, oid in refs.items() if oid in chosen}
            if wanted:
                yield wanted
            self._progress.advance(count - len(wanted))

    def read(self, refs: Mapping[str, str]) -> Iterator[Sequence[Run]]:
        """The runs at the refs, with what stands on them, some at a time."""
        found = runs.read_runs(self._context.repository, refs)
        while chunk := list(islice(found, _RUNS)):
            self._broken += [one for one in chunk if isinstance(one, BrokenRun)]
            whole = self._annotate([one for one in chunk if isinstance(one, Run)])
            if whole:
                month = month_of(whole[0].ref)
                self._months += [month] if month not in self._months[-1:] else []
                self._counts["runs"] += len(whole)
                yield whole
            self._progress.advance(len(chunk))

    def read_histories(self, chunk: Sequence[Run]) -> Iterator[Sequence[Series]]:
        """The histories of the runs, some points at a time."""
        waiting: list[Series] = []
        count = 0
        for run, histories, is_lost in load_many(self._context, chunk):
            if is_lost:
                self._broken.append(BrokenRun(run.name, run.oid, run.ref, _UNREAD))
            for metric, points in histories.items():
                self._counts["points"] += len(points)
                self._counts["thinned"] += not points.is_whole
                waiting.append(Series(self.repository, run.name, run.oid, metric, points))
                count += len(points)
                if count >= _POINTS:
                    yield waiting
                    waiting, count = [], 0
        if waiting:
            yield waiting

    def make_rows(self, chunk: Sequence[Run]) -> list[tables.Row]:
        """The rows of the runs."""
        bases = resolve(self._context.repository, [f"{run.oid}~2" for run in chunk])
        return [tables.make_row(self.repository, run, base) for run, base in zip(chunk, bases, strict=True)]

    def tell(self) -> Exported:
        """What was exported."""
        return Exported(
            self.repository,
            self._counts["runs"],
            self._counts["points"],
            tuple(self._months),
            tuple(self._broken),
            self._counts["thinned"],
        )

    def _annotate(self, chunk: Sequence[Run]) -> Sequence[Run]:
        noted = {run.oid: self._notes[run.oid] for run in chunk if run.oid in self._notes}
        texts = dict(zip(noted, read_each(self._context.repository, list(noted.values())), strict=True))
        annotated = []
        for run in chunk:
            text = texts.get(run.oid)
            if run.oid in noted and not isinstance(text, bytes):
                self._broken.append(BrokenRun(run.name, run.oid, run.ref, _LOST))
            lines = decode_annotations(text.decode(errors="surrogateescape")) if isinstance(text, bytes) else ()
            annotated.append(run._replace(annotations=annotation.standing(run, lines)))
        return annotated


def month_of(ref: str) -> str:
    """The month that a run is filed under: that in which it started, UTC."""
    return ref.removeprefix(runs.RUNS).partition("/")[0]


def _choose(context: Context, asked: Asked) -> tuple[frozenset[str] | None, list[BrokenRun]]:
    """The commits of the runs that are asked for, None for all; and what cannot be read."""
    if asked.query is None and asked.since is None:
        return None, []
    found = list_runs(context, asked.query, since=asked.since)
    return frozenset(map(str, found.rows.column("commit"))), list(found.broken)


def _write_month(source: _Source, refs: Mapping[str, str], aside: Path) -> Iterator[str]:
    """Write the files of a month, and give their paths."""
    asked, month = source.asked, month_of(next(iter(refs)))
    opened: dict[str, Sink] = {}
    with ExitStack() as stack:

        def find(table: str, columns: Mapping[str, tables.Kind]) -> Sink:
            if table not in opened:
                path = aside / path_of(table, month, source.repository, asked.form)
                path.parent.mkdir(parents=True, exist_ok=True)
                opened[table] = open_sink(asked.form, stack.enter_context(path.open("wb")), columns)
                stack.callback(opened[table].abandon)
            return opened[table]

        for chunk in source.read(refs):
            find("runs", tables.RUNS).write(source.make_rows(chunk))
            for histories in source.read_histories(chunk) if asked.has_history else ():
                find("history", tables.HISTORY).write_points(histories)
        for sink in opened.values():
            sink.close()
    yield from (path_of(table, month, source.repository, asked.form) for table in opened)


@contextmanager
def _explained(folder: Path, state: str) -> Iterator[None]:
    """What the system refuses, in one line, and the `state` that the folder is in then."""
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        where = Path(error.filename or folder)
        file = next((one for one in (*reversed(where.parents), where) if one.exists() and not one.is_dir()), where)
        raise ExptrackError(f"'{file}' is a file: name a folder with -o") from error
    except OSError as error:
        reason = error.strerror or str(error).partition("\n")[0]
        raise ExptrackError(f"'{folder}' cannot be written: {reason}; {state}") from error
