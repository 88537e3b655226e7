"""What reading is measured on: repositories with many runs, and the same as experiments of DVC."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.experiments import forget, make_experiments
from benchmarks.measure import Case, Group, Target
from benchmarks.populate import make_runs, tag_of
from benchmarks.sizes import Sizes
from benchmarks.worlds import ask, program

QUERY = "metrics.accuracy > 0.9 and params.model.depth <= 4"
_REFS = ("git", "for-each-ref", "--format=%(objectname) %(refname)")
# Seconds, where they were promised.
_LIST = {1_000: (Target(0.2),), 10_000: (Target(0.25),)}
_ONE = (Target(0.2),)
_SHORT = 12  # digits of an oid
# DVC takes minutes for more.
_MOST_OF_DVC = 1_000
_COLD_ROUNDS = 3
_COLD, _WARM, _WARM_TABLE = "dvc exp show --json, cold", "dvc exp show --json, warm", "dvc exp show, warm"
_SHARES = {1_000: (Target(1 / 80, of=_COLD), Target(1 / 8, of=_WARM), Target(of=_WARM_TABLE))}
_UNPROMISED = (Target(of=_COLD), Target(of=_WARM), Target(of=_WARM_TABLE))


def read(place: Path, environ: Mapping[str, str], sizes: Sizes) -> Iterator[Group]:
    """Reading as the runs become more."""
    for number in sizes.runs:
        folder = place / str(number)
        names = make_runs(folder, number, environ)
        yield Group(f"{number:,} runs", tuple(_cases(folder, names, environ)))
        shutil.rmtree(folder, ignore_errors=True)


def _cases(folder: Path, names: tuple[str, ...], environ: Mapping[str, str]) -> Iterator[Case]:
    exptrack, targets = program("exptrack"), _LIST.get(len(names), ())
    yield Case("git for-each-ref", (*_REFS, "refs/exptrack/runs/"), folder)
    yield Case("exptrack ls", (*exptrack, "ls"), folder, targets=targets)
    yield Case("exptrack ls -n 20", (*exptrack, "ls", "-n", "20"), folder, targets=targets)
    yield Case("exptrack ls QUERY", (*exptrack, "ls", QUERY), folder, targets=targets)
    yield Case("exptrack log --oneline", (*exptrack, "log", "--oneline"), folder)
    for kind, rev in _revs(folder, names, environ):
        yield Case(f"exptrack show {kind}", (*exptrack, "show", rev), folder, targets=_ONE)
    yield Case("exptrack diff A B", (*exptrack, "diff", names[0], names[-1]), folder, targets=_ONE)


def _revs(folder: Path, names: tuple[str, ...], environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The ways to name a run in the middle, and the latest."""
    middle = len(names) // 2
    refs = ask(folder, environ, *_REFS, "refs/exptrack/runs/").splitlines()
    yield "NAME", names[middle]
    yield "TAG", tag_of(middle)
    yield "OID", next(line[:_SHORT] for line in refs if line.endswith(f"/{names[middle]}"))
    yield "@", "@"


def read_dvc(place: Path, environ: Mapping[str, str], sizes: Sizes) -> Iterator[Group]:
    """Reading beside DVC."""
    for number in sizes.runs:
        if number <= _MOST_OF_DVC:
            ours, theirs = place / f"{number}-runs", place / f"{number}-experiments"
            names, _ = make_runs(ours, number, environ), make_experiments(theirs, number, environ)
            cases = (*_our_cases(ours, names), *_their_cases(theirs, names, environ))
            yield Group(f"{number:,} runs, beside dvc", cases)
            shutil.rmtree(ours, ignore_errors=True)
            shutil.rmtree(theirs, ignore_errors=True)


def _our_cases(folder: Path, names: tuple[str, ...]) -> Iterator[Case]:
    exptrack = program("exptrack")
    yield Case("git for-each-ref", (*_REFS, "refs/exptrack/runs/"), folder)
    yield Case("exptrack ls", (*exptrack, "ls"), folder, targets=_SHARES.get(len(names), _UNPROMISED))
    diff = (*exptrack, "diff", names[0], names[-1])
    yield Case("exptrack diff A B", diff, folder, targets=(Target(of="dvc exp diff A B"),))


def _their_cases(folder: Path, names: tuple[str, ...], environ: Mapping[str, str]) -> Iterator[Case]:
    """Each warm case finds what the cold one before it has cached."""
    show = (*program("dvc"), "exp", "show")
    yield Case(_COLD, (*show, "--json"), folder, forget(folder, environ), rounds=_COLD_ROUNDS)
    yield Case(_WARM, (*show, "--json"), folder)
    yield Case(_WARM_TABLE, show, folder)
    yield Case("dvc exp list", (*program("dvc"), "exp", "list"), folder)
    yield Case("dvc exp diff A B", (*program("dvc"), "exp", "diff", names[0], names[-1]), folder)
