"""A run of a pipeline, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class StageState(StrEnum):
    """What happened to a stage: its command ran, nothing had changed, its outs came from the run cache, or it went wrong."""

    RAN = "ran"
    SKIPPED = "skipped"
    RESTORED = "restored"
    FAILED = "failed"


class StageRun(NamedTuple):
    """One stage of a pipeline as one run had it.

    `name` is the stage's address, with the path of its `dvc.yaml` from the root of the DVC project unless it lies there
    (`train@a`, `sub/dvc.yaml:train`). `started` is Unix time; `duration` is in seconds, with DVC's own work (hashing, the cache), and
    None where the pipeline died in this stage.

    `deps` and `outs` map paths from the root of the Git repository to digests, `md5:…` or for a folder `md5:….dir`. A parameter is a
    dependency `<file>:<key>` with its value as JSON, credentials masked. A stage that failed has no outs.
    """

    name: str
    state: StageState
    command: str = ""
    started: float = 0.0
    duration: float | None = None
    deps: Mapping[str, str] = {}
    outs: Mapping[str, str] = {}
