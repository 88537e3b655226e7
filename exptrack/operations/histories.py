"""The histories of a run: what each metric was at its steps, as the files in the run's commit say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exptrack.analysis import history
from exptrack.analysis.history import Point, as_header, path_of, read_name
from exptrack.analysis.holdout import is_holdout
from exptrack.analysis.points import Points
from exptrack.analysis.wording import name_few
from exptrack.backends.git.browse import list_paths
from exptrack.backends.git.objects import resolve
from exptrack.backends.git.repository import Repository
from exptrack.errors import DataError, ExptrackError
from exptrack.model.data import Pointer
from exptrack.model.run import Run
from exptrack.operations.context import Context
from exptrack.store import runs

FOLDER = ".exptrack/history/"


def read_history(context: Context, run: Run, metric: str) -> bytes:
    """The history of a metric as it is stored: tab-separated lines of timestamp (milliseconds), step, epoch if there is one, and value, below a header.

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


def load_history(context: Context, run: Run, metric: str) -> Points:
    """The history of a metric: the whole if it is here, else as Git has it, and `is_whole` says which.

    Raises ExptrackError, with the nearest name, if there is none.
    """
    data = read_history(context, run, metric)
    points = history.parse_history(data)
    return complete(context, run, {read_name(data): points})[read_name(data)]


def give_history(context: Context, run: Run, metric: str) -> bytes:
    """As `read_history`, but the whole of a history that is thinned, if that is here."""
    data = read_history(context, run, metric)
    name = read_name(data)
    if name not in map(as_header, run.record.thinned):
        return data
    points = complete(context, run, {name: history.parse_history(data)})[name]
    return history.format_history(name, points) if points.is_whole else data


def load_points(context: Context, run: Run) -> dict[str, Points]:
    """All histories of a run by name, as `load_history` gives each."""
    found = {name: history.parse_history(data) for name, data in sorted(_read_all(context, run).items())}
    return complete(context, run, found)


def read_histories(context: Context, run: Run) -> dict[str, tuple[Point, ...]]:
    """All histories of a run as Git has them, by the metric's name as it stands in the file (tabs and newlines are spaces there)."""
    return {name: parse_history(data) for name, data in sorted(_read_all(context, run).items())}


def find_logged(repository: Repository, oid: str, metrics: Sequence[str]) -> set[str]:
    """Those of the metrics that have a history in the run's commit: they were read from the output, or logged."""
    found = resolve(repository, [f"{oid}:{FOLDER}{path_of(metric)}" for metric in metrics]) if metrics else []
    return {metric for metric, blob in zip(metrics, found, strict=True) if blob}


def parse_history(data: bytes) -> tuple[Point, ...]:
    """The points of a stored history; a line that is none is left out."""
    return tuple(history.parse_history(data))


def complete(context: Context, run: Run, found: Mapping[str, Points]) -> dict[str, Points]:
    """The histories that Git has of a run, each whole that was thinned, as far as the whole is here; `is_whole` says which are not."""
    thinned = {as_header(metric): count for metric, count in run.record.thinned.items()}
    lacking = [name for name in found if name in thinned]
    if not lacking:
        return dict(found)
    whole = read_whole(context, run, lacking[0] if len(lacking) == 1 else None)
    for name in lacking:
        found[name].is_whole = False
    return {
        name: whole[name] if name in lacking and len(whole.get(name, ())) == thinned[name] else points
        for name, points in found.items()
    }


def read_whole(context: Context, run: Run, only: str | None = None) -> dict[str, Points]:
    """The histories that are thinned in Git, or one of them, as they were logged; none, and the user is told why, where they are not here."""
    from exptrack.analysis.wholefile import PARQUET, TSV, decode_whole

    places = runs.read_files(context.repository, run.oid, [PARQUET, TSV])
    try:
        places |= {one.path: _read_cached(context, run, one) for one in run.record.kept if one.path in {PARQUET, TSV}}
        for path, data in places.items():
            return decode_whole(path, data, sum(run.record.thinned.values()), only)
    except DataError as error:
        context.notice(f"histories of '{run.name}' are thinned, and not whole here: {error}")
    return {}


def _read_cached(context: Context, run: Run, pointer: Pointer) -> bytes:
    """What a pointer stands for, out of the DVC cache; raises DataError."""
    from hashlib import md5

    from exptrack.backends.dvc.config import find_cache
    from exptrack.backends.dvc.project import find_root

    top = context.repository.top
    root = find_root(top / run.record.project, top)
    file = find_cache(root).object(pointer.digest, pointer.algorithm) if root else None
    try:
        data = file.read_bytes() if file else None
    except OSError:
        data = None
    if data is None:
        raise DataError("the whole is not in the DVC cache, `exptrack pull` brings it")
    if md5(data, usedforsecurity=False).hexdigest() != pointer.digest:
        raise DataError(f"{file} is not what its name says: delete it, and `exptrack pull` brings it again")
    return data


def _read_all(context: Context, run: Run) -> Mapping[str, bytes]:
    """The files by the name in their header, which is what counts."""
    paths = [path for path in list_paths(context.repository, run.oid, FOLDER) if path.endswith(".tsv")]
    found = runs.read_files(context.repository, run.oid, paths)
    return {read_name(data): data for data in found.values()}
