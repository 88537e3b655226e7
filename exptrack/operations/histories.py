"""The histories of a run: what each metric was at its steps, as the files in the run's commit say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exptrack.analysis import history
from exptrack.analysis.history import Point, as_header, path_of, read_name
from exptrack.analysis.holdout import is_holdout
from exptrack.analysis.wording import name_few
from exptrack.backends.git.browse import list_paths
from exptrack.backends.git.objects import resolve
from exptrack.backends.git.repository import Repository
from exptrack.errors import ExptrackError
from exptrack.model.run import Run
from exptrack.operations.context import Context
from exptrack.store import runs

FOLDER = ".exptrack/history/"


def read_history(context: Context, run: Run, metric: str) -> bytes:
    """The history of a metric as it is stored: tab-separated lines of timestamp (milliseconds), step and value, below a header.

    Raises ExptrackError, with the nearest name, if there is none.
    """
    expected = FOLDER + path_of(metric)
    data = runs.read_files(context.repository, run.oid, [expected]).get(expected)
    if data is not None and read_name(data) == as_header(metric):
        return data
    known = _read_all(context, run)
    if (data := known.get(as_header(metric))) is not None:
        return data
    if is_holdout(metric, run.record.sealed):
        raise ExptrackError(f"'{metric}' of '{run.name}' is sealed: `exptrack unseal` shows it once the choice is made")
    if not known:
        raise ExptrackError(f"run '{run.name}' has no histories: no metric was logged while it ran")
    from difflib import get_close_matches

    names = sorted(known)
    near = get_close_matches(as_header(metric), names, n=1)
    advice = f"did you mean '{near[0]}'?" if near else f"there is {name_few(list(map(repr, names)), 5)}"
    raise ExptrackError(f"run '{run.name}' has no history of '{metric}': {advice}")


def read_histories(context: Context, run: Run) -> dict[str, tuple[Point, ...]]:
    """All histories of a run, by the metric's name as it stands in the file (tabs and newlines are spaces there)."""
    return {name: parse_history(data) for name, data in sorted(_read_all(context, run).items())}


def find_logged(repository: Repository, oid: str, metrics: Sequence[str]) -> set[str]:
    """Those of the metrics that have a history in the run's commit: they were read from the output, or logged."""
    found = resolve(repository, [f"{oid}:{FOLDER}{path_of(metric)}" for metric in metrics]) if metrics else []
    return {metric for metric, blob in zip(metrics, found, strict=True) if blob}


def parse_history(data: bytes) -> tuple[Point, ...]:
    """The points of a stored history; a line that is none is left out."""
    return tuple(history.parse_history(data))


def _read_all(context: Context, run: Run) -> Mapping[str, bytes]:
    """The files by the name in their header, which is what counts."""
    paths = [path for path in list_paths(context.repository, run.oid, FOLDER) if path.endswith(".tsv")]
    found = runs.read_files(context.repository, run.oid, paths)
    return {read_name(data): data for data in found.values()}
