"""Repositories with the runs of a study: so many configurations, each with several seeds, in exptrack's own format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from benchmarks.invent import AUTHOR, BEGAN, environment_of
from benchmarks.populate import format_params
from benchmarks.streams import Commit, format_blob, format_commit, format_shared, import_stream, pack
from benchmarks.worlds import call
from exptrack.analysis.codec import encode_environment, encode_holdout, encode_metrics, encode_record
from exptrack.analysis.message import format_message
from exptrack.backends.git.importing import format_files
from exptrack.model.run import Record, Status
from exptrack.store.runs import ref_of

EXPERIMENT = "sweep"
BASELINE = {"model.depth": 1, "model.width": 16}
_DEPTHS = 10
_MAIN = "refs/heads/main"
_FAILED = 50  # one run of so many


class Shape(StrEnum):
    """Where the parameters of the runs stand: in `params.yaml`, or in the words of the command, so that each has its own."""

    FILE = "params.yaml"
    WORDS = "the command"


class Study(NamedTuple):
    """How many runs in how many configurations. A declared one is an experiment, with a holdout in each run."""

    runs: int
    configurations: int
    shape: Shape = Shape.FILE
    is_declared: bool = False


def make_study(folder: Path, study: Study, environ: Mapping[str, str]) -> Path:
    """A new repository with the runs of a study, packed as after a fetch. The same study gives the same commits; BenchmarkError if git fails."""
    call(folder.parent, environ, "git", "init", "--quiet", "--initial-branch=main", str(folder))
    import_stream(folder, environ, _stream(study))
    call(folder, environ, "git", "reset", "--quiet", "--hard", "main")
    pack(folder, environ)
    return folder


def invent_study(study: Study) -> Iterator[tuple[Record, Mapping[str, Any]]]:
    """Its records, one after the other, and the sealed metrics of each: every configuration once with each seed."""
    random = Random(study.runs)
    gains = [random.gauss(0, 0.01) for _ in range(study.configurations)]
    for place in range(study.runs):
        seed, configuration = divmod(place, study.configurations)
        width, depth = divmod(configuration, _DEPTHS)
        params: Mapping[str, Any] = {
            "model": {"depth": depth + 1, "width": 16 * (width + 1), "dropout": 0.1},
            "optimizer": {"name": "adam", "lr": 0.001, "weight_decay": 0.01},
            "train": {"epochs": 20, "batch_size": 64, "augment": True, "seed": seed},
        }
        accuracy = round(0.85 + gains[configuration] + random.gauss(0, 0.01), 6)
        test = round(accuracy - 0.01 + random.gauss(0, 0.01), 6)
        is_failed = place % _FAILED == _FAILED - 1
        started = BEGAN + timedelta(minutes=10 * place)
        record = Record(
            name=f"run-{place:05}",
            status=Status.FAILED if is_failed else Status.COMPLETED,
            started=started,
            ended=started + timedelta(minutes=9),
            duration=540.0,
            exit_code=1 if is_failed else 0,
            author=AUTHOR,
            host=f"node{random.randrange(4)}",
            command=("python", "train.py"),
            experiment=EXPERIMENT if study.is_declared else None,
            seed=seed,
            params={"params.yaml": params},
            metrics={} if is_failed else {"accuracy": accuracy, "loss": round(1.2 * (1 - accuracy), 6)},
            sealed=("test",) if study.is_declared and not is_failed else (),
        )
        if study.shape is Shape.WORDS:
            words = [word for key, value in _list_words(params) for word in (f"--{key}", value)]
            record = record._replace(command=("python", "train.py", *words), params={"args": params})
        yield record, {"test": test}


def _list_words(params: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in params.items():
        if isinstance(value, Mapping):
            yield from _list_words(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value).lower()


def _stream(study: Study) -> Iterator[bytes]:
    marks = count(1)
    environment, base = next(marks), next(marks)
    yield format_blob(environment, encode_environment(environment_of(0)))
    shared = format_shared(".exptrack/environment.json", environment)
    files = {
        "exptrack.yaml": _declare(study).encode(),
        "train.py": b"train()\n",
        **{f"digits/part{number}.py": b"value = %d\n" % number for number in range(20)},
    }
    yield format_commit(Commit(_MAIN, base, AUTHOR, BEGAN, "begin\n", None, format_files(files)))
    for record, sealed in invent_study(study):
        snapshot, run = next(marks), next(marks)
        ref = ref_of(record.name, record.started)
        params = {"params.yaml": format_params(record)} if study.shape is Shape.FILE else {}
        text = f"snapshot of {record.name}\n"
        yield format_commit(Commit(ref, snapshot, AUTHOR, record.started, text, f":{base}", format_files(params)))
        results = {".exptrack/run.json": encode_record(record), "metrics.json": encode_metrics(record.metrics)}
        if record.sealed:
            results[".exptrack/holdout.json"] = encode_holdout(sealed, {})
        ended = record.ended or record.started
        message = format_message(record, "accuracy")
        changes = format_files(results) + shared
        yield format_commit(Commit(ref, run, AUTHOR, ended, message, f":{snapshot}", changes))


def _declare(study: Study) -> str:
    lines = ["metrics:", "  accuracy: {goal: maximize, min_effect: 0.005}", "  loss: {goal: minimize}"]
    if study.is_declared:
        depths = [*range(1, min(_DEPTHS, study.configurations) + 1)]
        widths = [16 * (width + 1) for width in range(-(-study.configurations // _DEPTHS))]
        lines += [
            "  test: {goal: maximize, holdout: true}",
            "experiments:",
            f"  {EXPERIMENT}:",
            "    hypothesis: a deeper or wider model is better",
            "    metric: accuracy",
            "    secondary: [loss]",
            "    variables:",
            f"      model.depth: {depths}",
            f"      model.width: {widths}",
            f"    seeds: {study.runs // study.configurations}",
            f"    baseline: {{{', '.join(f'{key}: {value}' for key, value in BASELINE.items())}}}",
            "    holdout: test",
        ]
    return "\n".join([*lines, ""])
