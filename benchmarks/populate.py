"""Repositories with many runs in exptrack's own format (`docs/format.md`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from hashlib import md5
from itertools import count
from pathlib import Path

from benchmarks.invent import AUTHOR, PER_BASE, content_of, curve_of, data_of, environment_of, invent_records, output_of
from benchmarks.streams import Commit, format_blob, format_commit, format_shared, import_stream, pack
from benchmarks.worlds import ask, call
from exptrack.analysis.annotationlines import encode_annotation
from exptrack.analysis.codec import encode_environment, encode_metrics, encode_record
from exptrack.analysis.history import format_history, path_of
from exptrack.analysis.message import format_message
from exptrack.analysis.requirements import format_requirements
from exptrack.backends.git.importing import format_files, format_notes
from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import Record
from exptrack.store.annotation import NOTES
from exptrack.store.runs import ref_of

_ANNOTATED = 50  # one run of so many
_MAIN = "refs/heads/main"
_SCRIPT = "import json\nimport pathlib\n\n# state {state}\nmetrics = train(load(pathlib.Path('params.yaml')))\npathlib.Path('metrics.json').write_text(json.dumps(metrics))\n"


def make_runs(folder: Path, number: int, environ: Mapping[str, str]) -> tuple[str, ...]:
    """A new repository with that many runs, packed as after a fetch; gives their names, oldest first.

    10,000 runs take some ten seconds. The same number gives the same commits. Raises BenchmarkError if git fails.
    """
    call(folder.parent, environ, "git", "init", "--quiet", "--initial-branch=main", str(folder))
    names: list[str] = []
    import_stream(folder, environ, _stream(number, names))
    call(folder, environ, "git", "reset", "--quiet", "--hard", "main")
    pack(folder, environ)
    return tuple(names)


def add_runs(folder: Path, word: str, number: int, environ: Mapping[str, str]) -> None:
    """That many runs more on the last base of such a repository, named after a word, with loose refs: as if they had just been recorded."""
    base = ask(folder, environ, "git", "rev-parse", "main")
    import_stream(folder, environ, _more(word, number, base))


def _more(word: str, number: int, base: str) -> Iterator[bytes]:
    marks = count(1)
    environment, requirements = next(marks), next(marks)
    yield from _environment(0, environment, requirements)
    shared = _shared(environment, requirements)
    for place, record in enumerate(invent_records(number)):
        later = record.started + timedelta(days=200)
        ended = later + timedelta(seconds=record.duration or 0)
        named = record._replace(name=f"{word}-{place:03}", started=later, ended=ended)
        yield from _commits(named, next(marks), next(marks), base, shared)


def store_data(folder: Path, number: int) -> None:
    """Put the data of a repository with that many runs into its DVC cache."""
    for state in range(-(-number // PER_BASE)):
        digest = data_of(state).digest
        place = folder / ".dvc" / "cache" / "files" / "md5" / digest[:2] / digest[2:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content_of(state))


def _stream(number: int, names: list[str]) -> Iterator[bytes]:
    marks = count(1)
    base, shared = 0, b""
    notes: dict[str, str] = {}
    for place, record in enumerate(invent_records(number)):
        if place % PER_BASE == 0:
            state = place // PER_BASE
            environment, requirements, before, base = next(marks), next(marks), base, next(marks)
            yield from _environment(state, environment, requirements)
            yield format_commit(_base(state, base, before, record))
            shared = _shared(environment, requirements)
        snapshot, run = next(marks), next(marks)
        yield from _commits(record, snapshot, run, f":{base}", shared)
        names.append(record.name)
        if place % _ANNOTATED == 0:
            notes[f":{run}"] = _note(record, tag_of(place))
    if notes:
        yield format_commit(Commit(NOTES, next(marks), AUTHOR, record.started, "annotate\n", None, format_notes(notes)))


def _commits(record: Record, snapshot: int, run: int, base: str, shared: bytes) -> Iterator[bytes]:
    yield format_commit(_snapshot(record, snapshot, base))
    yield format_commit(_run(record, run, snapshot, shared))


def _shared(environment: int, requirements: int) -> bytes:
    return format_shared(".exptrack/environment.json", environment) + format_shared(
        ".exptrack/requirements.txt", requirements
    )


def _environment(state: int, environment: int, requirements: int) -> Iterator[bytes]:
    found = environment_of(state)
    yield format_blob(environment, encode_environment(found))
    yield format_blob(requirements, format_requirements(found.packages, found.interpreter).encode())


def _base(state: int, mark: int, before: int, first: Record) -> Commit:
    data = data_of(state)
    pointer = f"outs:\n- md5: {data.digest}\n  size: {data.size}\n  hash: md5\n  path: train.csv\n"
    files = {
        ".gitignore": b"/metrics.json\n",
        "README.md": b"# Digits\n",
        "data/.gitignore": b"/train.csv\n",
        data.source: pointer.encode(),
        "params.yaml": format_params(first),
        "train.py": _SCRIPT.format(state=state).encode(),
        **{f"digits/part{number}.py": b"value = %d\n" % number for number in range(20)},
    }
    parent = f":{before}" if before else None
    return Commit(_MAIN, mark, AUTHOR, first.started, f"state {state}\n", parent, format_files(files))


def _snapshot(record: Record, mark: int, base: str) -> Commit:
    changes = format_files({"params.yaml": format_params(record)})
    return Commit(_ref(record), mark, AUTHOR, record.started, f"snapshot of {record.name}\n", base, changes)


def _run(record: Record, mark: int, snapshot: int, shared: bytes) -> Commit:
    files = {
        "metrics.json": encode_metrics(record.metrics),
        ".exptrack/run.json": encode_record(record),
        ".exptrack/output.log": output_of(record).encode(),
        f".exptrack/history/{path_of('accuracy')}": format_history("accuracy", curve_of(record)),
    }
    changes = format_files(files) + shared
    ended = record.ended or record.started
    return Commit(_ref(record), mark, AUTHOR, ended, format_message(record, "accuracy"), f":{snapshot}", changes)


def _ref(record: Record) -> str:
    return ref_of(record.name, record.started)


def tag_of(place: int) -> str:
    """The tag that was put on the run at this place, or on the last before it that has one."""
    return f"figure-{place // _ANNOTATED + 1}"


def _note(record: Record, tag: str) -> str:
    """A tag and a note, put on the run an hour after it ended."""
    told = ((AnnotationKind.TAG, tag), (AnnotationKind.NOTE, "looked at, and kept for the talk"))
    when = (record.ended or record.started) + timedelta(hours=1)
    lines = (
        Annotation(
            md5(f"{record.name} {kind}".encode(), usedforsecurity=False).hexdigest()[:16], kind, when, AUTHOR, text
        )
        for kind, text in told
    )
    return "".join(f"{encode_annotation(line)}\n" for line in lines)


def format_params(record: Record) -> bytes:
    """The parameters of a made-up run as `params.yaml`: scalars in sections."""
    lines = []
    for section, values in record.params["params.yaml"].items():
        assert isinstance(values, Mapping)
        lines.append(f"{section}:\n")
        lines += (f"  {key}: {_scalar(value)}\n" for key, value in values.items())
    return "".join(lines).encode()


def _scalar(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
