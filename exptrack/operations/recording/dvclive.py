"""What a script logs with DVCLive is read out of the folder that DVCLive writes: `metrics.json`, `params.yaml`, `plots/`.

Its own folder is known at the start as `dvclive`, or by the `dvc.yaml` of an earlier run, and any other by the `dvc.yaml` that it writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath

from exptrack.analysis.history import Logged, Points
from exptrack.analysis.secrets import mask_tree
from exptrack.model.run import Record
from exptrack.operations.files import Disk
from exptrack.operations.sources import Reader, Sources, below, is_at
from exptrack.store.start import Start, is_written, last_written, stamp

_METRICS, _PARAMS, _HISTORIES = "metrics.json", "params.yaml", "plots/metrics"
_KEPT = ("plots/images", "plots/sklearn", "plots/custom")  # parameters, metrics and histories are the run's own
_MOST_HISTORIES = 10_000


def find_folders(sources: Sources, project: str, directory: str) -> tuple[str, ...]:
    """Where DVCLive writes, as far as is known before the script has run."""
    known = [path.removesuffix(f"/{_HISTORIES}") for path in sources.plain if path.endswith(f"/{_HISTORIES}")]
    return tuple(dict.fromkeys([below(project, "dvclive"), below(directory, "dvclive"), *known]))


def claim(sources: Sources, project: str, directory: str) -> tuple[Sources, tuple[str, ...]]:
    """With what DVCLive writes as results, which are no parameters of the next run; and DVCLive's folders."""
    folders = find_folders(sources, project, directory)
    metrics = [f"{folder}/{_METRICS}" for folder in folders]
    own = list_own(folders)
    claimed = sources._replace(
        params=tuple(path for path in sources.params if path not in own),
        metrics=tuple(dict.fromkeys([*sources.metrics, *metrics])),
        outs=tuple(dict.fromkeys([*sources.outs, *metrics])),
    )
    return claimed, folders


def list_own(folders: Sequence[str]) -> tuple[str, ...]:
    """What DVCLive writes beside metrics: no code of the next run."""
    return tuple(f"{folder}/{name}" for folder in folders for name in (_PARAMS, "plots", "report.md", "report.html"))


def watch(start: Start, folders: Sequence[str]) -> Start:
    """With what lies in these folders now, so that it is not taken for what the script wrote."""
    plain = [f"{folder}/{name}" for folder in folders for name in _KEPT]
    read = [f"{folder}/{name}" for folder in folders for name in (_PARAMS, _HISTORIES)]
    stamps = {path: stamp(Path(start.top) / path) for path in (*plain, *read)}
    return start._replace(
        live=tuple(folders), plain=tuple(dict.fromkeys([*start.plain, *plain])), stamps={**stamps, **start.stamps}
    )


def take(start: Start, record: Record, logged: Logged, until: float | None) -> tuple[Start, Record, Logged]:
    """The same with what DVCLive has written in this run, and not after `until` (Unix time)."""
    reader = Reader(Disk(Path(start.top)), record.project)
    start = _widen(start, record, reader)
    params, histories = dict(record.params), dict(logged.histories)
    made = [out for stage in record.stages or () for out in stage.outs]  # also by one that was skipped
    for folder in start.live:
        if is_at(f"{folder}/{_PARAMS}", made) or _is_new(start, f"{folder}/{_PARAMS}", until):
            there = (Path(start.top) / folder / _PARAMS).is_file()
            read = reader.params([f"{folder}/{_PARAMS}"] if there else [])
            params |= {source: mask_tree(tree) for source, tree in read.items()}
        if is_at(f"{folder}/{_HISTORIES}", made) or _is_new(start, f"{folder}/{_HISTORIES}", until):
            for name, points in _read_histories(Path(start.top) / folder / _HISTORIES):
                histories.setdefault(name, points)
    last = {name: points.values[-1] for name, points in histories.items() if name not in logged.histories}
    return (
        start,
        record._replace(params=params, problems=(*record.problems, *reader.problems)),
        logged._replace(histories=histories, metrics={**last, **logged.metrics}),
    )


def _widen(start: Start, record: Record, reader: Reader) -> Start:
    """With the folders that a `dvc.yaml` of the project names by now; what was not written since the start is not new there."""
    began = record.started.timestamp()
    files = dict.fromkeys(below(folder, "dvc.yaml") for folder in (record.project, record.directory))
    written = [path for path in files if last_written(Path(start.top) / path) >= began]
    sources = reader.find_sources(written, record.directory) if written else Sources()
    found = [
        folder
        for folder in find_folders(sources, record.project, record.directory)
        if folder not in start.live and last_written(Path(start.top) / folder / _METRICS) >= began
    ]
    if not found:
        return start
    wide = watch(start, found)
    metrics = [*start.metric_files, *(f"{folder}/{_METRICS}" for folder in found)]
    return wide._replace(metric_files=tuple(dict.fromkeys(metrics)), stamps=start.stamps, live=(*start.live, *found))


def _is_new(start: Start, path: str, until: float | None) -> bool:
    return is_written(start, path) and (until is None or last_written(Path(start.top) / path) <= until)


def _read_histories(folder: Path) -> Iterator[tuple[str, Points]]:
    """Name and points of each metric, named as `metrics.json` nests it. DVCLive writes no times unless it is asked to."""
    import csv

    for path in islice(sorted(folder.rglob("*.tsv")), _MOST_HISTORIES):
        name = ".".join(PurePosixPath(path.relative_to(folder)).with_suffix("").parts)
        points = Points()
        try:
            written = path.stat().st_mtime
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file, delimiter="\t"):
                    _add(points, row, path.stem, written)
        except (OSError, UnicodeDecodeError, csv.Error):
            continue
        if len(points):
            yield name, points


def _add(points: Points, row: dict[str, str], name: str, written: float) -> None:
    try:
        time = int(row["timestamp"]) / 1000 if row.get("timestamp") else written
        points.add(time, int(row["step"]), float(row[name]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return
