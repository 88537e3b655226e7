"""Where the points of a plot come from: runs that are recorded, and journals of those that are not yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from exptrack.analysis.fieldnames import find_nearest, shown
from exptrack.analysis.history import gather, parse_history, path_of
from exptrack.analysis.points import Points
from exptrack.analysis.wording import counted, name_few
from exptrack.backends.git import objects
from exptrack.errors import ExptrackError, RevError
from exptrack.model.run import Record, Run
from exptrack.model.tree import Value
from exptrack.operations.comparing.members import of_experiment
from exptrack.operations.context import Context
from exptrack.operations.histories import FOLDER, load_history, read_histories
from exptrack.operations.listing import known_names, list_runs
from exptrack.operations.ranges import find_refs, refuse_torn
from exptrack.operations.recording.told import add_told
from exptrack.store import journal as journals
from exptrack.store import runs
from exptrack.store.catalog import LOST
from exptrack.store.start import Start, read_start

_NAMED = 5


class Source(NamedTuple):
    """A run of which curves are drawn. `run` of one that is under way or died has the snapshot's oid, and no ref.

    `is_named`: the user gave its own name. `start` and `histories` are of a run that is not recorded yet.
    """

    run: Run
    is_named: bool = False
    start: Start | None = None
    histories: Mapping[str, Points] = {}

    @property
    def name(self) -> str:
        return self.run.name

    @property
    def record(self) -> Record:
        return self.run.record

    @property
    def params(self) -> Mapping[str, Value]:
        return self.run.params

    @property
    def is_active(self) -> bool:
        return self.start is not None

    @property
    def sealed(self) -> tuple[str, ...]:
        return self.start.holdouts if self.start is not None else self.record.sealed


def find_sources(context: Context, words: Sequence[str], experiment: str | None) -> tuple[list[Source], list[str]]:
    """The runs that are meant, in the order in which they started, each once; and lines on those that cannot be read.

    Without words those of the experiment, else those under way, else the latest. Raises ExptrackError, RevError, QueryError.
    """
    active = {one.name: one for one in _list_active(context)}
    refs: Mapping[str, str]
    if words:
        refs, chosen = _understand(context, words, active)
    elif experiment is not None:
        refs, chosen = _list_members(context, experiment), [*active]
    else:
        chosen = [name for name in active if journals.is_alive(context.repository.shared, name)]
        refs = {} if chosen else find_refs(context, ["@"], "plot")
    read = list(runs.read_runs(context.repository, refs))
    recorded = [Source(one, one.name in words) for one in read if isinstance(one, Run)]
    names = {one.name for one in recorded}
    found = [*recorded, *(_read(context, active[name]) for name in dict.fromkeys(chosen) if name not in names)]
    kept = [one for one in found if experiment is None or one.record.experiment == experiment]
    if not kept:
        raise ExptrackError(_tell_none(context, experiment, len(read) - len(recorded)))
    broken = len(read) - len(recorded)
    notes = [f"{counted(broken, 'run')} cannot be read: `exptrack fsck` tells more"] if broken else []
    return sorted(kept, key=lambda one: (one.record.started, one.name)), notes


def _list_members(context: Context, experiment: str) -> dict[str, str]:
    """The refs, with their oids, of the runs of an experiment, and of those that cannot be read."""
    listed = list_runs(context, of_experiment(experiment))
    found = dict(zip(listed.rows.refs(), map(str, listed.rows.column("commit")), strict=True))
    return {**{one.ref: one.oid for one in listed.broken if one.reason != LOST}, **found}


def _list_active(context: Context) -> Iterator[Source]:
    """The runs that have a journal which says what they are."""
    shared = context.repository.shared
    for name in journals.list_names(shared):
        start = read_start(journals.folder_of(shared, name))
        if start is not None:
            yield Source(Run(start.record._replace(name=name), start.snapshot, ""), start=start)


def _read(context: Context, source: Source) -> Source:
    """A run that is not recorded yet with what its journal says so far."""
    logged = gather(journals.read_stream(journals.folder_of(context.repository.shared, source.name)))
    run = source.run._replace(record=add_told(source.record, logged.others))
    return source._replace(run=run, histories=logged.histories)


def _understand(
    context: Context, words: Sequence[str], active: Mapping[str, Source]
) -> tuple[dict[str, str], list[str]]:
    """The refs of recorded runs, and names of active ones; a word that means no recorded run may begin the name of an active one."""
    refs: dict[str, str] = {}
    chosen: list[str] = []
    refuse_torn(words, lambda: known_names(context.repository), "plot")
    for word in words:
        try:
            refs |= {} if word in active else find_refs(context, [word], "plot")
        except RevError:
            if not (begun := [name for name in active if name.startswith(word)]):
                raise
            chosen += begun
        chosen += [word] if word in active else []
    return refs, chosen


def _tell_none(context: Context, experiment: str | None, broken: int) -> str:
    if experiment is None:
        return f"{counted(broken, 'run')} cannot be read: `exptrack fsck` tells more"
    known = context.settings.experiments
    close = None if experiment in known else find_nearest(experiment, known)
    return f"none of these runs is of the experiment {shown(experiment)}" + (
        f": did you mean {shown(close)}?" if close else ""
    )


def read_points(
    context: Context, sources: Sequence[Source], metrics: Sequence[str] | None
) -> dict[str, dict[str, Points]]:
    """The points of these metrics (None: of all) by run and metric, as Git or the journal has them; what a run has not is missing."""
    found: dict[str, dict[str, Points]] = {one.name: {} for one in sources}
    for one in sources:
        if one.is_active:
            found[one.name] = dict(one.histories)
        elif metrics is None:
            found[one.name] = {name: Points(points) for name, points in read_histories(context, one.run).items()}
    recorded = [one for one in sources if not one.is_active]
    if metrics is not None and recorded:
        # One process for all runs: 4 ms instead of 8 for each.
        asked = list(product(recorded, metrics))
        contents = objects.read_many(
            context.repository, [f"{one.run.oid}:{FOLDER}{path_of(metric)}" for one, metric in asked]
        )
        for (one, metric), content in zip(asked, contents, strict=True):
            if content is not None:
                found[one.name][metric] = parse_history(content)
    return found


def complete(
    context: Context, sources: Sequence[Source], metric: str, points: dict[str, dict[str, Points]]
) -> list[str]:
    """Put whole histories of a metric in the place of thinned ones, where they are here; gives lines on those that are not.

    Of a thinned history each part has its smallest and its largest value and its last: its mean is another.
    """
    thinned = [one for one in sources if metric in one.record.thinned and metric in points[one.name]]
    for one in thinned:
        points[one.name][metric] = load_history(context, one.run, metric)
    lacking = [one.name for one in thinned if not points[one.name][metric].is_whole]
    return (
        [f"{metric} of {name_few(lacking, _NAMED)} is thinned, and not whole here: means are rough"] if lacking else []
    )
