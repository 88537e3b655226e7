"""What recording is measured on: start-up, `exptrack run` over the bare command, and beside `dvc exp run`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.measure import Case, Group, Target
from benchmarks.sizes import Sizes
from benchmarks.worlds import (
    EMPTY_STAGE,
    SCRIPT_STAGE,
    call,
    change,
    make_dvc_repository,
    make_repository,
    program,
)

_SMALL = 20
_MODIFIED, _UNTRACKED = 50, 200
_RUNS = 10
# Seconds that may be added to the bare command.
_IMPORT, _ON_SMALL, _ON_LARGE = (Target(most, is_added=True) for most in (0.03, 0.15, 0.3))
_BESIDE_DVC = Target(0.1, of="dvc exp run", is_added=True)


def start(place: Path, environ: Mapping[str, str], _sizes: Sizes) -> Iterator[Group]:
    """The start of Python, of the package and of the command."""
    folder = make_repository(place / "small", _SMALL, environ)
    exptrack = program("exptrack")
    for _ in range(_RUNS):
        call(folder, environ, *exptrack, "run", "--", "true")
    yield Group(
        "start-up",
        (
            Case("python -c pass", (sys.executable, "-c", "pass"), folder),
            Case("import exptrack", (sys.executable, "-c", "import exptrack"), folder, targets=(_IMPORT,)),
            Case("exptrack --version", (*exptrack, "--version"), folder),
            Case(f"exptrack ls ({_RUNS} runs)", (*exptrack, "ls"), folder),
        ),
    )


def small(place: Path, environ: Mapping[str, str], _: Sizes) -> Iterator[Group]:
    """Recording in a small repository."""
    folder = make_repository(place / "small", _SMALL, environ)
    yield Group(f"{_SMALL} files", _run_cases(folder, _ON_SMALL))


def large(place: Path, environ: Mapping[str, str], sizes: Sizes) -> Iterator[Group]:
    """Recording in a large repository."""
    folder = make_repository(place / "large", sizes.files, environ)
    yield Group(f"{sizes.files:,} files", _run_cases(folder, _ON_LARGE))


def changed(place: Path, environ: Mapping[str, str], sizes: Sizes) -> Iterator[Group]:
    """Recording in a large repository with changed and new files."""
    folder = make_repository(place / "changed", sizes.files, environ)
    modified = min(_MODIFIED, sizes.files)
    change(folder, sizes.files, modified=modified, untracked=_UNTRACKED)
    yield Group(f"{sizes.files:,} files, {modified} changed, {_UNTRACKED} new", _run_cases(folder, _ON_LARGE))


def dvc(place: Path, environ: Mapping[str, str], _: Sizes) -> Iterator[Group]:
    """Recording beside `dvc exp run` of a stage that does nothing."""
    yield _beside_dvc(place, environ, "an empty stage", EMPTY_STAGE, ("true",))


def script(place: Path, environ: Mapping[str, str], _: Sizes) -> Iterator[Group]:
    """Recording beside `dvc exp run` of a small script."""
    yield _beside_dvc(place, environ, "a script", SCRIPT_STAGE, (sys.executable, "train.py"))


def _beside_dvc(place: Path, environ: Mapping[str, str], what: str, stages: str, command: tuple[str, ...]) -> Group:
    ours, theirs = (make_dvc_repository(place / name, _SMALL, stages, environ) for name in ("ours", "theirs"))
    return Group(
        f"beside dvc, {what}",
        (
            Case(" ".join(command).replace(sys.executable, "python"), command, ours),
            Case("exptrack run", (*program("exptrack"), "run", "--", *command), ours, targets=(_BESIDE_DVC,)),
            Case("dvc exp run", (*program("dvc"), "exp", "run"), theirs),
        ),
    )


def _run_cases(folder: Path, target: Target) -> tuple[Case, ...]:
    """Cold: the private index is made anew, as after a commit. Warm, which comes right after it: it is reused."""
    argv = (*program("exptrack"), "run", "--", "true")

    def forget() -> None:
        for name in ("index", "index.json"):
            (folder / ".git" / "exptrack" / name).unlink(missing_ok=True)

    return (
        Case("true", ("true",), folder),
        Case("exptrack run, cold", argv, folder, forget, (target,)),
        Case("exptrack run, warm", argv, folder, targets=(target,)),
    )
