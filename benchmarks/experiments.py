"""The twin of `populate` for DVC: the same parameters and metrics, laid out as `dvc exp run` of DVC 3 leaves them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from hashlib import md5
from itertools import count
from pathlib import Path

from benchmarks.invent import AUTHOR, invent_records
from benchmarks.populate import format_params
from benchmarks.streams import Commit, format_commit, import_stream, pack
from benchmarks.worlds import ask, call, program
from exptrack.analysis.codec import encode_metrics
from exptrack.backends.git.importing import format_files
from exptrack.model.run import Record

_SECTIONS = ("model", "optimizer", "train")
_SCRIPT = b"print('train')\n"
_PIPELINE = """\
stages:
  train:
    cmd: python train.py
    deps: [train.py]
    params: [model, optimizer, train]
    metrics: [{metrics.json: {cache: false}}]
"""


def make_experiments(folder: Path, number: int, environ: Mapping[str, str]) -> tuple[str, ...]:
    """A new repository with a DVC pipeline and that many experiments on its one baseline, packed; gives their names, oldest first.

    What a run that failed had measured stands there as well, although DVC would have dropped it. Raises BenchmarkError.
    """
    call(folder.parent, environ, "git", "init", "--quiet", "--initial-branch=main", str(folder))
    call(folder, environ, *program("dvc"), "init", "--quiet")
    first = next(invent_records(number))
    files = {"dvc.yaml": _PIPELINE.encode(), "train.py": _SCRIPT, **_files(first)}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    call(folder, environ, "git", "add", ".")
    call(folder, environ, "git", "commit", "--quiet", "-m", "a pipeline")
    names: list[str] = []
    import_stream(folder, environ, _stream(number, ask(folder, environ, "git", "rev-parse", "HEAD"), names))
    pack(folder, environ)
    return tuple(names)


def forget(folder: Path, environ: Mapping[str, str]) -> Callable[[], None]:
    """What removes all that DVC 3 keeps between two commands: what it read of each experiment, its state, its indexes."""
    kept = (folder / ".dvc" / "tmp", Path(environ["DVC_SITE_CACHE_DIR"]))

    def remove() -> None:
        for path in kept:
            shutil.rmtree(path, ignore_errors=True)

    return remove


def _stream(number: int, baseline: str, names: list[str]) -> Iterator[bytes]:
    marks = count(1)
    for record in invent_records(number):
        ref = f"refs/exps/{baseline[:2]}/{baseline[2:]}/{record.name}"
        changes = _files(record)
        message = f"dvc: commit experiment {md5(changes['dvc.lock'], usedforsecurity=False).hexdigest() * 2}"
        yield format_commit(Commit(ref, next(marks), AUTHOR, record.started, message, baseline, format_files(changes)))
        names.append(record.name)


def _files(record: Record) -> dict[str, bytes]:
    params, metrics = format_params(record), encode_metrics(record.metrics)
    return {"params.yaml": params, "metrics.json": metrics, "dvc.lock": _lock(params.decode(), metrics)}


def _lock(params: str, metrics: bytes) -> bytes:
    indented = "".join(f"        {line}\n" for line in params.splitlines())
    return (
        "schema: '2.0'\nstages:\n  train:\n    cmd: python train.py\n    deps:\n"
        + _dependency("train.py", _SCRIPT)
        + f"    params:\n      params.yaml:\n{indented}    outs:\n"
        + _dependency("metrics.json", metrics)
    ).encode()


def _dependency(path: str, content: bytes) -> str:
    digest = md5(content, usedforsecurity=False).hexdigest()
    return f"    - path: {path}\n      hash: md5\n      md5: {digest}\n      size: {len(content)}\n"
