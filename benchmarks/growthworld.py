"""What growth is measured on: repositories that are kept from one measurement to the next, and copies of them that may be written to."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from hashlib import md5
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.invent import invent_records
from benchmarks.populate import add_runs, make_runs
from benchmarks.studies import Study, make_study
from benchmarks.worlds import ask, call, program
from exptrack.model.run import Record, Status
from exptrack.model.tree import flatten

STORE = Path(__file__).resolve().with_name("growthstore.py")
_ADDED = "later"
_MAKERS = ("populate", "studies", "invent", "streams", "worlds")
_STATUS = {Status.COMPLETED: "FINISHED", Status.INTERRUPTED: "KILLED"}


class World(NamedTuple):
    """Where it is measured: a folder that goes afterwards, one that may stay, the environment, and a Python that has MLflow."""

    folder: Path
    kept: Path
    environ: Mapping[str, str]
    mlflow: str | None = None


def keep_runs(world: World, number: int) -> Path:
    """A repository with that many runs, which nothing may be written to."""
    return _keep(world, f"runs-{number}", lambda folder: make_runs(folder, number, world.environ))


def keep_study(world: World, number: int, seeds: int) -> Path:
    """The same of a study with so many seeds a configuration."""
    study = Study(number, max(2, number // seeds), is_declared=True)
    return _keep(world, f"study-{number}", lambda folder: make_study(folder, study, world.environ))


def copy(world: World, kept: Path, name: str) -> Path:
    """A repository like a kept one, at once: objects are linked, since git never writes to them; on another disk they are copied."""

    def place(source: str, target: str) -> str:
        if f"{os.sep}objects{os.sep}" in source:
            try:
                os.link(source, target)
            except OSError:
                pass
            else:
                return target
        return shutil.copy2(source, target)

    folder = world.folder / name
    shutil.copytree(kept, folder, copy_function=place)
    call(folder, world.environ, "git", "update-index", "-q", "--refresh")
    return folder


def rebuild(world: World, folder: Path) -> Callable[[], None]:
    """What removes the index, and the runs that were added."""

    def prepare() -> None:
        _take_back(world, folder)
        for path in (folder / ".git" / "exptrack").glob("index.sqlite*"):
            path.unlink()

    return prepare


def add_more(world: World, folder: Path, number: int) -> Callable[[], None]:
    """What records that many runs more than the index holds."""

    def prepare() -> None:
        _take_back(world, folder)
        call(folder, world.environ, *program("exptrack"), "ls", "-n", "1")
        add_runs(folder, _ADDED, number, world.environ)

    return prepare


def _take_back(world: World, folder: Path) -> None:
    format_ = "--format=delete %(refname)"
    told = ask(folder, world.environ, "git", "for-each-ref", format_, f"refs/exptrack/runs/*/{_ADDED}-*")
    call(folder, world.environ, "git", "update-ref", "--stdin", stdin=f"{told}\n".encode() if told else b"")


def name_of(world: World, folder: Path) -> str:
    """The name of a run in the middle."""
    refs = ask(folder, world.environ, "git", "for-each-ref", "--format=%(refname:lstrip=-1)", "refs/exptrack/runs/")
    names = refs.splitlines()
    return names[len(names) // 2]


def make_store(world: World, number: int) -> Path:
    """The same runs in a store of MLflow on SQLite: made by MLflow, and filled by bulk inserts."""
    assert world.mlflow is not None
    store, rows = world.folder / f"mlflow-{number}.db", world.folder / f"mlflow-{number}.jsonl"
    with rows.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(row)}\n" for row in map(_row, invent_records(number)))
    call(world.folder, world.environ, world.mlflow, "-P", str(STORE), "fill", str(store), str(rows))
    rows.unlink()
    return store


def _row(record: Record) -> Mapping[str, Any]:
    ended = record.ended or record.started
    return {
        "name": record.name,
        "status": _STATUS.get(record.status, "FAILED"),
        "started": int(record.started.timestamp() * 1000),
        "ended": int(ended.timestamp() * 1000),
        "params": {key: str(value) for key, value in flatten(record.params["params.yaml"]).items()},
        "metrics": {key.replace(".", "/"): value for key, value in flatten(record.metrics).items()},
    }


def _keep(world: World, name: str, make: Callable[[Path], object]) -> Path:
    """Made by other code, it is made again."""
    digest = md5(b"".join(_sources()), usedforsecurity=False).hexdigest()[:10]
    kept = world.kept / f"{name}-{digest}"
    if not kept.exists():
        new = world.kept / f"{name}.new"
        shutil.rmtree(new, ignore_errors=True)
        make(new)
        new.rename(kept)
    return kept


def _sources() -> Iterator[bytes]:
    return (Path(__file__).with_name(f"{name}.py").read_bytes() for name in _MAKERS)
