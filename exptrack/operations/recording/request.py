"""What a run is asked to be, and where it takes place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from exptrack.model.data import Omission
from exptrack.operations.context import Context
from exptrack.store.outset import Outset

if TYPE_CHECKING:
    from exptrack.operations.recording.held import Held


class Request(NamedTuple):
    """What the user asks for. `directory` is where the command runs; `outputs` are paths as typed there.

    `reproduces` is the name of the run that this one executes again, `resumes` of the one that it continues, `timeout` is in seconds. `overrides` are words
    such as `lr=0.1`, for files of parameters; a run that needs them, or a `seed` for which there is a parameter, or `is_isolated`, gets a work tree
    of its own.

    `executed` are the words that run in place of `command`, which is what is recorded; empty: the same.

    `holdouts` are metrics that are sealed besides those of `exptrack.yaml`.

    `is_anyway`: a run that is filed under an experiment may have other parameters than that declares.

    Without a command the DVC pipeline runs, as `dvc repro` does it in `directory`; `is_forced`: stages that have not changed, too.
    """

    command: tuple[str, ...]
    directory: Path
    environ: Mapping[str, str]
    name: str | None = None
    note: str | None = None
    experiment: str | None = None
    tags: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    seed: int | None = None
    is_isolated: bool = False
    reproduces: str | None = None
    resumes: str | None = None
    timeout: float | None = None
    is_forced: bool = False
    is_anyway: bool = False
    holdouts: tuple[str, ...] = ()
    executed: tuple[str, ...] = ()


class Place(NamedTuple):
    """Where the command works, as the request has it or in a slot (see `isolate.Place`), and on which base the snapshot stands.

    `held` has the lines that the user of a pipeline hears only once a stage has begun.
    """

    context: Context
    request: Request
    outset: Outset
    omissions: tuple[Omission, ...] = ()
    links: tuple[str, ...] = ()
    locks: tuple[int, ...] = ()
    problems: tuple[str, ...] = ()
    held: Held | None = None


# Gives the place for the run of this name, whose journal exists.
Arrange: TypeAlias = Callable[[str, Outset, Request], AbstractContextManager[Place]]
