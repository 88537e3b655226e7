"""What a run is asked to be, and where it takes place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from exptrack.model.data import Omission
from exptrack.operations.context import Context


class Request(NamedTuple):
    """What the user asks for. `directory` is where the command runs; `outputs` are paths as typed there.

    `overrides` are words such as `lr=0.1`, for files of parameters; a run that needs them, or a `seed` that is a parameter, or
    `is_isolated`, gets a work tree of its own.
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


class Place(NamedTuple):
    """Where the command works, as the request has it or in a slot: see `isolate.Place`."""

    context: Context
    request: Request
    omissions: tuple[Omission, ...] = ()
    links: tuple[str, ...] = ()
    locks: tuple[int, ...] = ()
