"""From the journal of a run whose command has ended (or whose recorder has died) to its commit and ref."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from signal import Signals
from time import strftime, time
from typing import NamedTuple

from exptrack.analysis import history
from exptrack.analysis.codec import encode_metrics, encode_record
from exptrack.analysis.message import format_message
from exptrack.analysis.output import decode_log
from exptrack.analysis.secrets import mask
from exptrack.analysis.yaml12 import dump_yaml
from exptrack.backends.git import refs
from exptrack.backends.git.index import find_ignored
from exptrack.backends.git.objects import resolve
from exptrack.backends.git.repository import Repository
from exptrack.errors import RecordError, RepositoryError
from exptrack.model.run import Ending, Record, Run, Status
from exptrack.model.tree import Value
from exptrack.operations.observe import Found, read_found
from exptrack.operations.results import Results, collect
from exptrack.operations.sources import below
from exptrack.store import runs
from exptrack.store.journal import Journal, last_sign, read_stream
from exptrack.store.outputlog import read_output
from exptrack.store.recorded import note_recorded
from exptrack.store.snapshot import second_look
from exptrack.store.start import Start, last_written, read_start

_FOLDER = ".exptrack"
_MOST_NAMESAKES = 100
_CLOCKS = 2.0  # seconds by which the clocks of a file system and of a host may differ


class Finished(NamedTuple):
    """A recorded run, and what the user should hear of."""

    run: Run
    warnings: tuple[str, ...]


def finish(repository: Repository, journal: Journal, start: Start, *, until: float | None = None) -> Finished:
    """Record the run that the journal tells of.

    Safe against a kill at any instant: objects first, then the ref, which is created once; then the journal goes, and the ref in
    `active/`. Raises RepositoryError or OSError, and the journal stays.

    What was written after `until` (Unix time) is not this run's: somebody else's work, if it is recorded only later.

    Another run may have come by the name meanwhile (a fetch brings them): then this one is recorded as `<name>-2`, and says so.
    """
    record, files, executable = _compose(repository, journal, start, until)
    active = runs.ACTIVE + record.name
    for name in _names(record):
        renamed = record if name == record.name else _rename(record, name)
        files[f"{_FOLDER}/run.json"] = encode_record(renamed)
        message = format_message(renamed, start.primary)
        oid, warnings = _write(repository, start, files, message, executable)
        ref = runs.ref_of(name, start.record.started)
        is_created, is_tidy = refs.create_and_delete(repository, (ref, oid), (active, start.snapshot), f"record {name}")
        # What went wrong is told by trying the one step again, alone.
        if is_created or refs.create_ref(repository, ref, oid, f"record {name}"):
            note_recorded(repository.shared, name)
            journal.remove()
            warnings += () if start.is_isolated else _advise(repository, record)
            if not is_tidy:
                warnings += _tidy_ref(repository, active, start.snapshot)
            return Finished(Run(renamed, oid, ref, start.snapshot), (*renamed.problems, *warnings))
    raise RepositoryError(f"'{record.name}' and all its namesakes are taken; the journal is kept in {journal.folder}")


def _advise(repository: Repository, record: Record) -> tuple[str, ...]:
    """Data that was used without being versioned, and what lies in the work tree from now on and the next run would take for code."""
    outputs = [pointer.path for pointer in record.outputs]
    ignored = find_ignored(repository, outputs) if outputs else set()
    return (
        *(
            f"{pointer.path} was not what {pointer.source} stands for: `dvc add` or `dvc commit` it, and the next run names it rightly"
            for pointer in record.data
            if pointer.modified and not (record.is_pipeline and pointer.stage)
        ),
        *(
            f"{path} is not ignored by Git: add it to .gitignore, or the next run takes it for code"
            for path in outputs
            if path not in ignored
        ),
    )


def _rename(record: Record, name: str) -> Record:
    return record._replace(
        name=name, problems=(*record.problems, f"the name '{record.name}' was taken by another run while this one ran")
    )


def finish_dead(repository: Repository, journal: Journal) -> Finished | None:
    """As `finish`, for a run whose recorder died; None if it died before its command could start, and nothing is left of it then.

    A run that has its ref already is finished, and only tidied up.
    """
    start = read_start(journal.folder)
    is_pipeline = start is not None and start.record.is_pipeline
    if start is None and (journal.folder / "start.json").exists():
        raise RecordError(f"{journal.folder / 'start.json'} is damaged, or of a later version of exptrack")
    has_started = any(entry["kind"] == "starting" for entry in read_stream(journal.folder))
    if start is None or not has_started or (is_pipeline and _was_refused(journal.folder)):
        discard(repository, journal)
        return None
    run = _find_own(repository, start)
    if run is None:
        until = _last_sign(journal.folder, list(read_stream(journal.folder)), start.record)
        return finish(repository, journal, start, until=until + _CLOCKS)
    note_recorded(repository.shared, run.name)
    journal.remove()
    return Finished(run, _tidy_ref(repository, runs.ACTIVE + journal.folder.name, start.snapshot))


def _was_refused(folder: Path) -> bool:
    from exptrack.operations.pipeline import find_refusal

    return find_refusal(folder) is not None


def _last_sign(folder: Path, entries: Sequence[Mapping[str, Value]], record: Record) -> float:
    """When a run gave its last sign of life; a pipeline goes on to write down its stages when its recorder is dead."""
    sign = last_sign(folder, entries)
    if not record.is_pipeline or any(entry["kind"] == "ended" for entry in entries):
        return sign
    from exptrack.operations.pipeline import last_event

    return max(sign, last_event(folder))


def _names(record: Record) -> list[str]:
    return [record.name, *(f"{record.name}-{number}" for number in range(2, _MOST_NAMESAKES))]


def _find_own(repository: Repository, start: Start) -> Run | None:
    """The run that stands on this snapshot, by its name or that of a namesake; another run of the same name does not."""
    candidates = [runs.ref_of(name, start.record.started) for name in _names(start.record)]
    found = resolve(repository, [word for ref in candidates for word in (ref, f"{ref}^1")])
    own = [
        (ref, oid)
        for ref, oid, parent in zip(candidates, found[::2], found[1::2], strict=True)
        if parent == start.snapshot
    ]
    run = next(runs.read_runs(repository, {ref: oid for ref, oid in own[:1] if oid}), None)
    return run if isinstance(run, Run) else None


def discard(repository: Repository, journal: Journal) -> None:
    """Forget a run whose command never started."""
    ref = runs.ACTIVE + journal.folder.name
    if oid := refs.list_refs(repository, ref).get(ref):
        refs.delete_ref(repository, ref, oid)
    journal.remove()


def _tidy_ref(repository: Repository, active: str, snapshot: str) -> tuple[str, ...]:
    """Delete the ref of a run under way. If it cannot be deleted now, that is harmless: a name in both places is finished."""
    if refs.delete_ref(repository, active, snapshot):
        return ()
    locks = " and ".join(str(lock) for lock in refs.find_locks(repository))
    return (f"recorded, but git could not tidy up: if no git is running, remove {locks}",) if locks else ()


def _compose(
    repository: Repository, journal: Journal, start: Start, until: float | None
) -> tuple[Record, dict[str, bytes], frozenset[str]]:
    """The final record and the files of the run commit, and which of those are executable."""
    folder = journal.folder
    found = read_found(folder)
    record = start.record
    if seen := found.record:
        record = record._replace(data=seen.data, not_captured=seen.not_captured, problems=seen.problems)
    if record.is_pipeline:
        record = _with_stages(record, start, folder)
    entries = list(read_stream(folder))
    points = history.collect(entries)
    looking = repository._replace(index_file=folder / "index")
    results = collect(
        looking, start, record, {name: series[-1].value for name, series in points.items()}, found.large, until
    )
    top = Path(start.top)
    changed = second_look(looking._replace(top=top), looking.index_file)
    if until is not None:
        changed = tuple(path for path in changed if last_written(top / path) <= until)
    problems = [*record.problems, *results.problems, *_own_problems(journal, found, entries)]
    record = _complete(_end(record, entries, folder), start, results, entries, changed, problems)
    files = dict(results.files)
    files |= _params_file(start, record)
    path = below(record.project, "metrics.json")
    # An out of the pipeline is what the stage made of it: DVC would take anything else for a change.
    if not (record.is_pipeline and path in start.own):
        files[path] = encode_metrics(record.metrics)
    files |= _our_files(record, found, points, read_output(folder))
    return record, files, results.executable


def _with_stages(record: Record, start: Start, folder: Path) -> Record:
    from exptrack.operations.pipeline import describe_stages, read_stages

    stages = read_stages(folder)
    return record._replace(stages=stages, problems=(*record.problems, *describe_stages(stages, start.unversioned)))


def _own_problems(journal: Journal, found: Found, entries: Sequence[Mapping[str, Value]]) -> list[str]:
    problems = []
    if any(entry.get("timed_out") for entry in entries if entry["kind"] == "ended"):
        problems.append("its time was over, so it was ended")
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
    left_out = {omission.path for omission in record.not_captured}
    met = (str(entry["name"]) for entry in entries if entry["kind"] == "concurrent")
    concurrent = tuple(dict.fromkeys([*record.concurrent, *met]))
    return record._replace(
        metrics=results.metrics,
        data=results.data,
        outputs=results.outputs,
        changed=tuple(path for path in changed if path not in {*results.written, *left_out}),
        concurrent=concurrent,
        ambiguous=tuple(path for path in results.written if path in start.metric_files) if concurrent else (),
        problems=tuple(dict.fromkeys(problems)),
    )


def _end(record: Record, entries: Sequence[Mapping[str, Value]], folder: Path) -> Record:
    """Status, exit code and times out of the journal; without an end in it the run crashed, at its last sign of life."""
    last = next((entry for entry in reversed(entries) if entry["kind"] == "ended"), None)
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
    ended = datetime.fromtimestamp(max(_last_sign(folder, entries, record), record.started.timestamp()), UTC)
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
    told = record.params.get("args", {})
    own = {**record.params.get("params.yaml", {}), **({"args": told} if told else {})}
    if start.params_text is None:
        others = {source: tree for source, tree in record.params.items() if source not in {"params.yaml", "args"}}
        return {path: dump_yaml({**own, **others}).encode(errors="replace")}
    if not told and not start.is_overridden:
        return {}
    from exptrack.analysis.yamledit import update_yaml

    return {path: update_yaml(start.params_text, own).encode(errors="replace")}


def _our_files(
    record: Record, found: Found, points: Mapping[str, Sequence[history.Point]], output: bytes
) -> dict[str, bytes]:
    log = mask(decode_log(output)).encode(errors="replace")
    files = {**found.environment, "run.json": encode_record(record), "output.log": log}
    for metric, series in points.items():
        files[f"history/{history.path_of(metric)}"] = history.format_history(metric, series)
    return {f"{_FOLDER}/{name}": content for name, content in files.items()}


def _write(
    repository: Repository, start: Start, files: Mapping[str, bytes], message: str, executable: frozenset[str]
) -> tuple[str, tuple[str, ...]]:
    """The run commit, signed if the user's Git says so and the signer works."""
    now = strftime(f"{int(time())} %z")
    people = f"author {start.author} {now}\ncommitter {start.committer} {now}\n".encode(errors="surrogateescape")
    oid = runs.write_run(repository, start.snapshot, files, message, people, executable)
    if not start.is_signing:
        return oid, ()
    try:
        return runs.sign_run(repository, oid, start.snapshot, message), ()
    except RepositoryError:
        return oid, ("commit.gpgSign is set, but signing failed: the run is recorded unsigned",)
