"""What the commit of a run holds: the final record, and the files beside it, out of the journal and the work tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING, NamedTuple

from exptrack.analysis.codec import encode_holdout, encode_metrics, encode_record
from exptrack.analysis.history import Logged
from exptrack.analysis.holdout import is_holdout, list_names, seal_file, seal_output, split
from exptrack.analysis.output import decode_log
from exptrack.analysis.secrets import mask
from exptrack.analysis.seeds import find_seed
from exptrack.backends.git.repository import Repository
from exptrack.model.run import Ending, Record, Status
from exptrack.model.tree import Tree, Value
from exptrack.operations.recording import dvclive
from exptrack.operations.recording.histories import compose_histories, read_logged
from exptrack.operations.recording.observe import Found, read_found
from exptrack.operations.recording.results import Results, collect
from exptrack.operations.recording.told import LOGGED, add_told
from exptrack.operations.sources import below, is_at
from exptrack.store.holdout import HOLDOUT
from exptrack.store.journal import ARTIFACTS, Journal, last_sign
from exptrack.store.outputlog import read_output
from exptrack.store.snapshot import second_look
from exptrack.store.start import Start, last_written

if TYPE_CHECKING:
    from exptrack.analysis.points import Points
    from exptrack.operations.recording.artifacts import Artifacts

_FOLDER = ".exptrack"
RECORD = f"{_FOLDER}/run.json"
NOTEBOOK = "notebook.py"  # the cells that ran, in the journal and in the run's commit
_APART = "have the stage write it to a file of its own"
TIMED_OUT = "ended by --timeout"


class Composed(NamedTuple):
    """The final record, and the files of the run commit, of which a text is the oid of a blob; `executable` are those of them that are.

    `measured` are metric files that were written meanwhile, as far as can be told by this run.
    """

    record: Record
    files: dict[str, bytes | str]
    executable: frozenset[str]
    measured: tuple[str, ...] = ()


def compose(
    repository: Repository, journal: Journal, start: Start, until: float | None, logged: Logged | None = None
) -> Composed:
    """Read what the journal and the work tree say; what was written after `until` (Unix time) does not count.

    `logged` is what its stream says, if it was read before.
    """
    folder = journal.folder
    found = read_found(folder)
    record = start.record
    if seen := found.record:
        record = record._replace(data=seen.data, not_captured=seen.not_captured, problems=seen.problems)
    if record.is_pipeline:
        record = _with_stages(record, start, folder)
    logged = logged or read_logged(folder)
    entries = logged.others
    record = add_told(record, entries)
    start, record, logged = dvclive.take(start, record, logged, until)
    # What the script logged, too, may say what the seed is.
    record = record if record.seed is not None else record._replace(seed=find_seed(record.params, start.seed_name))
    looking = repository._replace(index_file=folder / "index")
    results = collect(looking, start, record, logged.metrics, found.large, until)
    results, sealed = _seal(results, start, record.project)
    changed = _find_changed(looking, Path(start.top), until)
    histories, sealed_points = _split_histories(logged, start)
    told = compose_histories(start, folder, histories)
    artifacts = _collect_artifacts(repository, start, folder)
    problems = [
        *record.problems,
        *results.problems,
        *told.problems,
        *(artifacts.problems if artifacts else ()),
        *_own_problems(journal, found, entries),
    ]
    record = _complete(_end(record, logged, folder), start, results, entries, changed, problems)
    record = record._replace(
        sealed=list_names(sealed),
        thinned=told.thinned,
        kept=(*told.kept, *(artifacts.kept if artifacts else ())),
        artifacts=artifacts.names if artifacts else (),
    )
    files: dict[str, bytes | str] = {**results.files, **_params_file(start, record)}
    path = below(record.project, "metrics.json")
    # An out of the pipeline is what the stage made of it: DVC would take anything else for a change.
    if not (record.is_pipeline and path in start.own):
        files[path] = encode_metrics(record.metrics)
    files |= _our_files(record, start, found, journal) | {**told.files, **(artifacts.files if artifacts else {})}
    if sealed:
        files[HOLDOUT] = encode_holdout(sealed, sealed_points)
    return Composed(record, files, results.executable, _list_metric_files(start, results))


def _collect_artifacts(repository: Repository, start: Start, folder: Path) -> Artifacts | None:
    """Those that the script logged; few do, and the others pay nothing for it."""
    if not (folder / ARTIFACTS).exists():
        return None
    from exptrack.operations.recording.artifacts import collect_artifacts

    return collect_artifacts(repository, start, folder)


def _find_changed(looking: Repository, top: Path, until: float | None) -> tuple[str, ...]:
    changed = second_look(looking._replace(top=top), looking.index_file)
    return changed if until is None else tuple(path for path in changed if last_written(top / path) <= until)


def _split_histories(logged: Logged, start: Start) -> tuple[dict[str, Points], dict[str, Points]]:
    """The histories that may be seen, and those of holdouts."""
    sealed = {name: points for name, points in logged.histories.items() if is_holdout(name, start.holdouts)}
    return {name: points for name, points in logged.histories.items() if name not in sealed}, sealed


def _seal(results: Results, start: Start, project: str) -> tuple[Results, Tree]:
    """The results without holdouts, which are gone from files of metrics, too, and the holdouts."""
    if not start.holdouts:
        return results, {}
    short = [path if project == "." else path.removeprefix(f"{project}/") for path in start.metric_files]
    metrics, sealed = split(results.metrics, start.holdouts, short)
    if not sealed:
        return results, {}
    files, problems = dict(results.files), list(results.problems)
    for path in start.metric_files:
        content = seal_file(path, files[path], start.holdouts) if path in files else None
        if content is not None:
            files[path] = content
            if path in start.own:
                problems.append(f"{path} is recorded without its holdout, so DVC will take it for changed: {_APART}")
    cached = {one.path for one in results.data}
    problems += [
        f"{path} is in the DVC cache, holdout and all: {_APART}"
        for path in start.metric_files
        if is_at(path, cached) and _holds_holdout(start, path)
    ]
    return results._replace(metrics=metrics, files=files, problems=tuple(problems)), sealed


def _holds_holdout(start: Start, path: str) -> bool:
    with suppress(OSError):
        return seal_file(path, (Path(start.top) / path).read_bytes(), start.holdouts) is not None
    return False


def _with_stages(record: Record, start: Start, folder: Path) -> Record:
    from exptrack.operations.recording.pipeline import describe_stages, read_stages

    stages = read_stages(folder)
    return record._replace(stages=stages, problems=(*record.problems, *describe_stages(stages, start.unversioned)))


def _own_problems(journal: Journal, found: Found, entries: Sequence[Mapping[str, Value]]) -> list[str]:
    problems = []
    if any(entry.get("timed_out") for entry in entries if entry["kind"] == "ended"):
        problems.append(TIMED_OUT)
    if journal.failure is not None:
        problems.append(f"some of the output and its metrics could not be written down: {journal.failure.strerror}")
    if not found.environment:
        problems.append("the environment was not captured: the run ended too early for that")
    return problems


def _complete(
    record: Record,
    start: Start,
    results: Results,
    entries: Sequence[Mapping[str, Value]],
    changed: Sequence[str],
    problems: Sequence[str],
) -> Record:
    own = {*results.written, *(omission.path for omission in record.not_captured)}
    made = (*start.own, *start.plain, *start.live)  # results of the pipeline, those of a stage that failed among them
    strangers, ambiguous = _find_concurrent(record, _list_metric_files(start, results), entries)
    return record._replace(
        metrics=results.metrics,
        data=results.data,
        outputs=results.outputs,
        changed=tuple(path for path in changed if path not in own and not is_at(path, made)),
        concurrent=strangers,
        ambiguous=ambiguous,
        problems=tuple(dict.fromkeys(problems)),
    )


def _list_metric_files(start: Start, results: Results) -> tuple[str, ...]:
    return tuple(path for path in results.written if path in start.metric_files)


def _find_concurrent(
    record: Record, written: Sequence[str], entries: Sequence[Mapping[str, Value]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Runs that were there meanwhile, and which metric files they may have `written`.

    A run inside of this one counts if it says that it has written such a file, too.
    """
    names, ambiguous = list(record.concurrent), set(written if record.concurrent else ())
    for entry in entries:
        if entry["kind"] == "concurrent":
            theirs = set(written) & set(_texts(entry.get("files"))) if "files" in entry else set(written)
            names += [str(entry["name"])] if theirs or "files" not in entry else []
            ambiguous |= theirs
    return tuple(dict.fromkeys(names)), tuple(path for path in written if path in ambiguous)


def _texts(value: Value) -> list[str]:
    return list(map(str, value)) if isinstance(value, list) else []


def _end(record: Record, logged: Logged, folder: Path) -> Record:
    """Status, exit code and times out of the journal; without an end in it the run crashed, at its last sign of life."""
    last = next((entry for entry in reversed(logged.others) if entry["kind"] == "ended"), None)
    if last is None:
        record = record._replace(status=Status.CRASHED)
    else:
        ending = Ending(
            _integer(last["exit_code"]),
            _integer(last["signal"]),
            interrupted=bool(last["interrupted"]),
            timed_out=bool(last.get("timed_out")),
        )
        record = record._replace(status=ending.status, exit_code=ending.exit_code, signal=_signal_name(ending.signal))
    ended = datetime.fromtimestamp(max(find_last_sign(folder, logged, record), record.started.timestamp()), UTC)
    return record._replace(ended=ended, duration=round((ended - record.started).total_seconds(), 6))


def _integer(value: Value) -> int | None:
    return value if isinstance(value, int) else None


def _signal_name(number: int | None) -> str | None:
    with suppress(ValueError):
        return None if number is None else Signals(number).name
    return f"signal {number}"


def _params_file(start: Start, record: Record) -> dict[str, bytes]:
    """`params.yaml`, if the project has none in the snapshot or the command line gave more than it says."""
    path = below(record.project, "params.yaml")
    told = {source: tree for source in ("args", LOGGED) if (tree := record.params.get(source))}
    own = {**record.params.get("params.yaml", {}), **told}
    if start.params_text is None:
        from exptrack.analysis.yaml12 import dump_yaml

        others = {source: tree for source, tree in record.params.items() if source not in {"params.yaml", *told}}
        return {path: dump_yaml({**own, **others}).encode(errors="replace")}
    if not told and not start.is_overridden:
        return {}
    from exptrack.analysis.editing.yamledit import update_yaml

    return {path: update_yaml(start.params_text, own).encode(errors="replace")}


def _our_files(record: Record, start: Start, found: Found, journal: Journal) -> dict[str, bytes]:
    log = seal_output(mask(decode_log(read_output(journal.folder))), start.patterns, start.holdouts)
    files = {**found.environment, "run.json": encode_record(record), "output.log": log.encode(errors="replace")}
    with suppress(OSError):  # only a notebook has it
        cells = mask((journal.folder / NOTEBOOK).read_text(encoding="utf-8", errors="replace"))
        files[NOTEBOOK] = cells.encode(errors="replace")
    return {f"{_FOLDER}/{name}": content for name, content in files.items()}


def find_last_sign(folder: Path, logged: Logged, record: Record) -> float:
    """When a run gave its last sign of life; a pipeline goes on to write down its stages when its recorder is dead."""
    sign = last_sign(folder, logged.others, logged.last)
    if not record.is_pipeline or any(entry["kind"] == "ended" for entry in logged.others):
        return sign
    from exptrack.operations.recording.pipeline import last_event

    return max(sign, last_event(folder))
