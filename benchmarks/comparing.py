"""What a comparison costs: of many runs in many configurations, beyond importing SciPy, and of a few."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks.measure import Case, Group, Target
from benchmarks.sizes import Sizes
from benchmarks.studies import BASELINE, EXPERIMENT, Shape, Study, make_study
from benchmarks.worlds import call, program

_SEEDS, _FEW_SEEDS = 20, 5  # runs of each configuration
_FEWEST = 6  # of fewer in two configurations none can be selected
_SMALL = Study(10, 2)
_ROUNDS = 3
_PROMISED = Target(3.0, is_added=True)
_IMPORT = "import scipy.special"
_UNDECLARED = ("compare", "-m", "accuracy", "-b", ",".join(f"{key}={value}" for key, value in BASELINE.items()))


def compare(place: Path, environ: Mapping[str, str], sizes: Sizes) -> Iterator[Group]:
    """As many runs as there are to read, with 20 seeds each and with 5; and ten runs."""
    number = max(*sizes.runs, _FEWEST)
    many, more = (_count(number, seeds) for seeds in (_SEEDS, _FEW_SEEDS))
    plain = make_study(place / "plain", Study(number, many), environ)
    words = make_study(place / "words", Study(number, many, Shape.WORDS), environ)
    declared = make_study(place / "declared", Study(number, many, is_declared=True), environ)
    wide = make_study(place / "wide", Study(number, more), environ)
    everything = ("compare", "-e", EXPERIMENT, "--json", "--by-parameter")
    forget = _forget(declared, environ)
    yield Group(
        f"{number:,} runs in {many:,} configurations",
        (
            Case(_IMPORT, (sys.executable, "-c", _IMPORT), plain),
            _case("exptrack compare", plain, *_UNDECLARED, targets=(_PROMISED,)),
            _case("exptrack compare, by words", words, *_UNDECLARED, targets=(_PROMISED,)),
            _case("exptrack compare -e, all of it", declared, *everything),
            _case("exptrack select", declared, "select", "-e", EXPERIMENT, prepare=forget),
            _case("exptrack conclude", declared, "conclude", "-e", EXPERIMENT, prepare=forget),
            _case(f"exptrack compare, in {more:,}", wide, *_UNDECLARED),
        ),
    )
    few = make_study(place / "few", _SMALL, environ)
    yield Group(
        f"{_SMALL.runs} runs in {_SMALL.configurations} configurations",
        (
            Case(_IMPORT, (sys.executable, "-c", _IMPORT), few),
            Case("exptrack compare", (*program("exptrack"), *_UNDECLARED), few),
        ),
    )


def _count(runs: int, seeds: int) -> int:
    return max(2, runs // seeds)


def _case(
    name: str, folder: Path, *words: str, prepare: Callable[[], None] | None = None, targets: tuple[Target, ...] = ()
) -> Case:
    return Case(name, (*program("exptrack"), *words), folder, prepare, targets, _ROUNDS)


def _forget(folder: Path, environ: Mapping[str, str]) -> Callable[[], None]:
    """What takes away all annotations, the choice and the conclusion among them, so that each is the first."""
    return lambda: call(folder, environ, "git", "update-ref", "-d", "refs/notes/exptrack")
