"""What `apply` brings into the work tree."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from exptrack.model.change import Kind


class Part(StrEnum):
    """What of a run is applied: files of parameters, code, and data, to which its results belong."""

    PARAMS = "params"
    CODE = "code"
    DATA = "data"


class Applied(NamedTuple):
    """What was changed in the work tree, or would be: files, and paths of data, each with what happened to it."""

    name: str
    files: tuple[tuple[str, Kind], ...] = ()
    data: tuple[tuple[str, Kind], ...] = ()
