"""What is measured as the runs become more: reading, changing and comparing, by exptrack, git, DVC and MLflow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.experiments import forget, make_experiments
from benchmarks.growthworld import (
    STORE,
    World,
    add_more,
    copy,
    keep_runs,
    keep_study,
    make_store,
    name_of,
    rebuild,
)
from benchmarks.measure import Case
from benchmarks.populate import tag_of
from benchmarks.studies import EXPERIMENT
from benchmarks.worlds import program

QUERY = "metrics.accuracy > 0.5 and params.model.depth <= 4"
FLOOR = "git for-each-ref"
LATEST, BEST, ALL = "exptrack ls -n 20", "exptrack ls -n 20 --sort KEY QUERY", "exptrack ls"
UNINDEXED, BUILD, REFRESH = "exptrack ls, no index", "exptrack ls -n 20, first build", "exptrack ls -n 20, 100 new"
NAME, TAG, LOG = "exptrack show NAME", "exptrack show TAG", "exptrack log --oneline -n 20"
RECORD, COMPARE = "exptrack run -- true", "exptrack compare -e"
WARM, COLD = "dvc exp show --json, warm", "dvc exp show --json, cold"
IMPORT, SEARCH = "import mlflow", "MLflow search_runs"
SEARCHES = {f"{SEARCH}, 20 latest": "latest", f"{SEARCH}, 20 best": "best", f"{SEARCH}, all": "all"}
INDEXED = (LATEST, BEST, ALL, BUILD, REFRESH, TAG, LOG)
_MANY = 10_000  # from here on, what takes seconds has fewer rounds
_SEEDS = 20  # runs of each configuration
_NEW = 100


class Sizes(NamedTuple):
    """The numbers of runs, the most that DVC and MLflow read, the rounds of all, and of what takes seconds."""

    runs: tuple[int, ...] = (100, 1_000, 10_000, 100_000)
    dvc: int = 1_000
    mlflow: int = 10_000
    rounds: int = 7
    few: int = 3


class Placed(NamedTuple):
    """A case, and where it stands: the point of a curve."""

    command: str
    number: int
    case: Case


def read_cases(world: World, sizes: Sizes) -> Iterator[Placed]:
    """Reading what does not change."""
    for number in sizes.runs:
        folder = copy(world, keep_runs(world, number), f"read-{number}")
        floor = ("git", "for-each-ref", "--format=%(objectname) %(refname)", "refs/exptrack/runs/")
        yield _place(FLOOR, number, Case("", floor, folder))
        for command, words in _reading(world, folder, number).items():
            yield _place(command, number, Case("", (*program("exptrack"), *words), folder))
        unindexed = ("env", "EXPTRACK_NO_INDEX=1", *program("exptrack"), "ls")
        yield _place(UNINDEXED, number, Case("", unindexed, folder, rounds=_rounds(number, sizes)))
        if number <= sizes.dvc:
            yield from _dvc(world, number)
        if number <= sizes.mlflow and world.mlflow:
            yield from _mlflow(world, world.mlflow, number, sizes)


def _reading(world: World, folder: Path, number: int) -> dict[str, tuple[str, ...]]:
    return {
        LATEST: ("ls", "-n", "20"),
        BEST: ("ls", "-n", "20", "--sort", "-metrics.accuracy", QUERY),
        ALL: ("ls",),
        NAME: ("show", name_of(world, folder)),
        TAG: ("show", tag_of(number // 2)),
        LOG: ("log", "--oneline", "-n", "20"),
    }


def _dvc(world: World, number: int) -> Iterator[Placed]:
    """The warm case finds what the cold one before it has cached, or, in the round that does not count, itself."""
    folder = world.folder / f"dvc-{number}"
    make_experiments(folder, number, world.environ)
    words = (*program("dvc"), "exp", "show", "--json")
    yield _place(COLD, number, Case("", words, folder, forget(folder, world.environ), rounds=1))
    yield _place(WARM, number, Case("", words, folder))


def _mlflow(world: World, python: str, number: int, sizes: Sizes) -> Iterator[Placed]:
    store = make_store(world, number)
    yield _place(IMPORT, number, Case("", (python, "-c", "import mlflow"), world.folder, rounds=sizes.few))
    for command, what in SEARCHES.items():
        words = (python, "-P", str(STORE), what, str(store))
        yield _place(command, number, Case("", words, world.folder, rounds=sizes.few))


def change_cases(world: World, sizes: Sizes) -> Iterator[Placed]:
    """A new index, and one that is behind by 100 runs; and recording, into a repository of its own."""
    words = (*program("exptrack"), "ls", "-n", "20")
    for number in sizes.runs:
        kept = keep_runs(world, number)
        folder, other = copy(world, kept, f"change-{number}"), copy(world, kept, f"record-{number}")
        build = Case("", words, folder, rebuild(world, folder), rounds=_rounds(number, sizes))
        yield _place(BUILD, number, build)
        yield _place(REFRESH, number, Case("", words, folder, add_more(world, folder, _NEW)))
        yield _place(RECORD, number, Case("", (*program("exptrack"), "run", "--", "true"), other))


def compare_cases(world: World, sizes: Sizes) -> Iterator[Placed]:
    """Studies with as many runs, of which 20 have the same configuration."""
    for number in sizes.runs:
        folder = copy(world, keep_study(world, number, _SEEDS), f"study-{number}")
        words = (*program("exptrack"), "compare", "-e", EXPERIMENT)
        rounds = 1 if number > _MANY else sizes.few
        yield _place(COMPARE, number, Case("", words, folder, rounds=rounds))


def _rounds(number: int, sizes: Sizes) -> int | None:
    return sizes.few if number >= _MANY else None


def _place(command: str, number: int, case: Case) -> Placed:
    return Placed(command, number, case._replace(name=f"{command}, {number:,}"))
