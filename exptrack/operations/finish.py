"""From the journal of a run whose command has ended (or whose recorder has died) to its commit and ref."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from exptrack.analysis import history
from exptrack.analysis.codec import decode_environment, encode_metrics, encode_record
from exptrack.analysis.message import format_message
from exptrack.analysis.output import decode_log
from exptrack.analysis.patterns import nest
from exptrack.analysis.requirements import format_requirements
from exptrack.analysis.secrets import mask
from exptrack.analysis.yaml12 import dump_yaml
from exptrack.analysis.yamledit import update_yaml
from exptrack.backends import dvc
from exptrack.backends.git import refs
from exptrack.backends.git.repository import Repository, is_true, read_config
from exptrack.errors import DataError, ExptrackError, RepositoryError
from exptrack.model.data import Pointer
from exptrack.model.run import Ending, Record, Run, Status, Tree, Value
from exptrack.operations.observe import read_found
from exptrack.operations.sources import below, read_metrics, read_pointers
from exptrack.store import revs, runs
from exptrack.store.journal import Journal, Start, read_start, read_stream, stamp
from exptrack.store.outputlog import read_output
from exptrack.store.snapshot import second_look

_OUR_FOLDER = ".exptrack"
_SMALL = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finished:
    """A recorded run, and what the user should hear of."""

    run: Run
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Results:
    """What the command left in the work tree: metrics, pointers, and the files of the run commit that hold them."""

    metrics: Tree
    data: tuple[Pointer, ...]
    outputs: tuple[Pointer, ...]
    files: Mapping[str, bytes]
    written: tuple[str, ...]
    problems: tuple[str, ...]


def finish(repository: Repository, journal: Journal) -> Finished | None:
    """Record the run that the journal tells of; None if it died before its command could start (then nothing is left of it).

    Safe to do again after a kill at any instant: objects first, then the ref, which is created once; then the journal goes.
    """
    start = read_start(journal.folder)
    name = journal.folder.name
    if start is None:
        discard(repository, journal)
        return None
    ref = runs.ref_of(name, start.record.started)
    existing = refs.list_refs(repository, ref)
    if ref in existing:
        _tidy(repository, journal, start.snapshot)
        run = next(runs.read_runs(repository, existing))
        return Finished(run, ()) if isinstance(run, Run) else None
    record, files = _compose(repository, journal.folder, start)
    message = format_message(record, start.primary)
    oid, warnings = _write(repository, start, journal.folder / "index", files, message)
    if not refs.create_ref(repository, ref, oid, f"record {name}"):
        raise RepositoryError(f"{ref} was taken while '{name}' ran; its journal is kept in {journal.folder}")
    revs.note_recorded(repository.shared, name)
    warnings += _tidy(repository, journal, start.snapshot)
    return Finished(Run(record, oid, ref, start.snapshot), (*record.problems, *warnings))


def discard(repository: Repository, journal: Journal) -> None:
    """Forget a run whose command never started."""
    ref = runs.ACTIVE + journal.folder.name
    for active, oid in refs.list_refs(repository, ref).items():
        refs.delete_ref(repository, active, oid)
    journal.remove()


def _tidy(repository: Repository, journal: Journal, snapshot: str) -> tuple[str, ...]:
    """Take away what a run under way needs. A ref that cannot be deleted now is harmless: a name in both places is finished."""
    journal.remove()
    if refs.delete_ref(repository, runs.ACTIVE + journal.folder.name, snapshot):
        return ()
    locks = ", ".join(str(lock) for lock in refs.find_locks(repository))
    return (f"recorded, but git could not tidy up: if no git is running, remove {locks}",) if locks else ()


def _compose(repository: Repository, folder: Path, start: Start) -> tuple[Record, dict[str, bytes | None]]:
    """The final record and the files of the run commit."""
    top = Path(start.top)
    found, large, environment = read_found(folder)
    record = replace(start.record, **_found_fields(found)) if found else start.record
    entries = list(read_stream(folder))
    points = history.collect(entries)
    results = _collect(repository, top, start, record, {name: series[-1].value for name, series in points.items()})
    index = folder / "index"
    changed = second_look(replace(repository, top=top), index)
    record = _end(record, entries)
    concurrent = tuple(
        dict.fromkeys([*record.concurrent, *(str(entry["name"]) for entry in entries if entry["kind"] == "concurrent")])
    )
    problems = [*record.problems, *results.problems]
    if environment is None:
        problems.append("the environment was not captured: the recorder died too early")
    record = replace(
        record,
        metrics=results.metrics,
        data=results.data,
        outputs=results.outputs,
        changed=tuple(path for path in changed if path not in results.written),
        concurrent=concurrent,
        ambiguous=tuple(path for path in results.written if path in start.metric_files) if concurrent else (),
        problems=tuple(dict.fromkeys(problems)),
    )
    files: dict[str, bytes | None] = dict(results.files)
    for pointer in large:
        _enter_pointer(repository, start, top, pointer, files)
    files |= _params_file(repository, start, record)
    files[below(record.project, "metrics.json")] = encode_metrics(record.metrics)
    files |= _our_files(record, environment, points, folder)
    return record, files


def _found_fields(found: Record) -> dict[str, object]:
    return {"data": found.data, "not_captured": found.not_captured, "problems": found.problems}


def _end(record: Record, entries: Sequence[Mapping[str, Value]]) -> Record:
    """Status, exit code and times out of the journal; without an end in it the run crashed, at its last sign of life."""
    last = next((entry for entry in reversed(entries) if entry["kind"] == "ended"), None)
    times = [float(str(entry["time"])) for entry in entries]
    ended = datetime.fromtimestamp(max(times, default=record.started.timestamp()), UTC)
    if last is None:
        record = replace(record, status=Status.CRASHED)
    else:
        ending = Ending(_integer(last["exit_code"]), _integer(last["signal"]), bool(last["interrupted"]))
        ended = datetime.fromtimestamp(float(str(last["time"])), UTC)
        record = replace(record, status=ending.status, exit_code=ending.exit_code, signal=_signal_name(ending.signal))
    return replace(record, ended=ended, duration=round((ended - record.started).total_seconds(), 6))


def _integer(value: Value) -> int | None:
    return value if isinstance(value, int) else None


def _signal_name(number: int | None) -> str | None:
    from signal import Signals

    if number is None:
        return None
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"


def _collect(repository: Repository, top: Path, start: Start, record: Record, logged: Mapping[str, Value]) -> _Results:
    """Read what the command wrote, and nothing that lay there before."""
    problems: list[str] = []
    written = [path for path in start.metric_files if _is_written(top, start, path)]
    metrics = read_metrics(top, record.project, written, problems)
    files = {
        path: (top / path).read_bytes()
        for path in written
        if (top / path).is_file() and (top / path).stat().st_size <= _SMALL
    }
    data, renewed = _renewed_pointers(repository, top, start, record, problems)
    files |= renewed
    outputs: list[Pointer] = []
    for path in start.outputs:
        pointer = _keep_output(top, start, path, problems)
        if pointer is not None:
            outputs.append(pointer)
            _enter_pointer(repository, start, top, pointer, files)
    cached = {pointer.path for pointer in data}
    return _Results(
        metrics={**nest({name: value for name, value in logged.items()}), **metrics},
        data=data,
        outputs=tuple(outputs),
        files={path: content for path, content in files.items() if path not in cached},
        written=(*written, *renewed),
        problems=tuple(problems),
    )


def _is_written(top: Path, start: Start, path: str) -> bool:
    now = stamp(top / path)
    return now not in {"", start.stamps.get(path, "")}


def _renewed_pointers(
    repository: Repository, top: Path, start: Start, record: Record, problems: list[str]
) -> tuple[tuple[Pointer, ...], dict[str, bytes]]:
    """All pointers as they are now, and the pointer files that the command wrote."""
    files: dict[str, bytes] = {}
    kept = {pointer.path: pointer for pointer in record.data}
    for path in start.pointer_files:
        if _is_written(top, start, path):
            with suppress(OSError):
                files[path] = (top / path).read_bytes()
            kept = {key: pointer for key, pointer in kept.items() if pointer.source != path}
            kept |= {pointer.path: pointer for pointer in read_pointers(top, path, problems)}
    data = tuple(kept[path] for path in sorted(kept))
    if not data:
        return (), files
    root = dvc.find_root(top / record.project, top)
    try:
        known = dvc.StatCache(repository.shared / "cache" / "digests")
        looked = dvc.look(data, top, dvc.cache_dir(root) if root else None, known)
        known.save()
    except (DataError, OSError) as error:
        problems.append(f"data could not be compared with its pointers: {error}")
        return data, files
    return tuple(
        replace(now, modified=now.modified or before.modified) for before, now in zip(data, looked, strict=True)
    ), files


def _keep_output(top: Path, start: Start, path: str, problems: list[str]) -> Pointer | None:
    if not _is_written(top, start, path):
        problems.append(
            f"-o {path}: {'was not written by this run' if (top / path).exists() else 'is not there'}; nothing was kept of it"
        )
        return None
    root = dvc.find_root(top / start.record.project, top)
    if root is None:
        problems.append(f"-o {path}: there is no DVC project any more; nothing was kept of it")
        return None
    try:
        return replace(dvc.add_to_cache(root, top / path, top), source=f"{path}.dvc")
    except (DataError, OSError) as error:
        problems.append(f"-o {path}: {error}")
        return None


def _enter_pointer(repository: Repository, start: Start, top: Path, pointer: Pointer, files: dict[str, bytes]) -> None:
    """Add a `.dvc` file and the ignore line that keeps the data itself out of Git, unless DVC answers for the path already."""
    if any(known.path == pointer.path and known.source != pointer.source for known in start.record.data):
        return
    path = PurePosixPath(pointer.path)
    files[pointer.source] = dvc.dvc_file_text(pointer).encode()
    ignore = str(path.with_name(".gitignore"))
    before = files.get(ignore)
    if before is None:
        before = runs.read_files(repository, start.snapshot, [ignore]).get(ignore, b"")
    line = dvc.ignore_line(path.name).encode()
    if line not in before.split(b"\n"):
        files[ignore] = before + (b"\n" if before and not before.endswith(b"\n") else b"") + line + b"\n"


def _params_file(repository: Repository, start: Start, record: Record) -> dict[str, bytes]:
    """`params.yaml`, if the project has none in the snapshot or the command line gave more than it says."""
    path = below(record.project, "params.yaml")
    before = runs.read_files(repository, start.snapshot, [path]).get(path)
    told = record.params.get("args", {})
    own = {**record.params.get("params.yaml", {}), **({"args": told} if told else {})}
    if before is None:
        others = {source: tree for source, tree in record.params.items() if source not in {"params.yaml", "args"}}
        return {path: dump_yaml({**own, **others}).encode(errors="replace")}
    if not told and not start.overridden:
        return {}
    return {path: update_yaml(before.decode(errors="replace"), own).encode(errors="replace")}


def _our_files(
    record: Record, environment: bytes | None, points: Mapping[str, Sequence[history.Point]], folder: Path
) -> dict[str, bytes]:
    files = {
        f"{_OUR_FOLDER}/run.json": encode_record(record),
        f"{_OUR_FOLDER}/output.log": mask(decode_log(read_output(folder))).encode(errors="replace"),
    }
    if environment is not None:
        decoded = decode_environment(environment)
        files[f"{_OUR_FOLDER}/environment.json"] = environment
        files[f"{_OUR_FOLDER}/requirements.txt"] = format_requirements(decoded.packages, decoded.interpreter).encode()
    for metric, series in points.items():
        files[f"{_OUR_FOLDER}/history/{history.path_of(metric)}"] = history.format_history(metric, series)
    return files


def _write(
    repository: Repository, start: Start, index: Path, files: Mapping[str, bytes | None], message: str
) -> tuple[str, tuple[str, ...]]:
    """The run commit, signed if the user's Git says so and the signer works."""
    if is_true(read_config(repository).get("commit.gpgsign")):
        with suppress(RepositoryError):
            return runs.write_run(repository, start.snapshot, index, files, message, signed=True), ()
        warning = ("commit.gpgSign is set, but signing failed: the run is recorded unsigned",)
    else:
        warning = ()
    return runs.write_run(repository, start.snapshot, index, files, message, signed=False), warning
