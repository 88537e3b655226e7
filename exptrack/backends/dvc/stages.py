"""A DVC pipeline as the command of a run: what to start, and what it wrote down of its stages. Nothing here imports dvc.

The command is `driver.py`, in a process of its own. For each stage it appends two JSON lines to a file of events: one when the stage
begins (`"state": "running"`), and one when it has ended. If nothing ran since nothing could, the last line says why (`"refused"`).
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from exptrack.model.pipeline import StageRun, StageState

RUNNING: Final = "running"
REFUSED: Final = "refused"

# `stages` at the top of a dvc.yaml, in block or flow style. DVC alone can say whether the file is right.
_STAGES = re.compile(rb"""^(?:\{\s*)?["']?stages["']?\s*:""", re.MULTILINE)
_COMMAND = re.compile(rb"^cmd\s*:", re.MULTILINE)
_NOT_OURS = frozenset({".git", ".hg", ".dvc", "node_modules", "__pycache__"})


def driver_command(
    root: Path, events: Path, *, force: bool = False, single_item: bool = False, targets: Sequence[str] = ()
) -> tuple[str, ...]:
    """What runs the pipeline of the DVC project at `root`, to be started in the folder of the project (see `driver.py`).

    Without `targets` (as `dvc repro` takes them, from that folder) all stages at or below that folder run, and what they depend on.
    `force` runs stages that have not changed, too, and leaves the run cache aside; `single_item` runs the targets alone.
    """
    # Not `-I`: exptrack may lie in the user's own site-packages. But `-P`: a folder `dvc` in the project is not the library.
    command = [sys.executable, "-P", "-m", "exptrack.backends.dvc.driver", "--events", str(events), "--root", str(root)]
    if force:
        command.append("--force")
    if single_item:
        command.append("--single-item")
    return (*command, *(("--", *targets) if targets else ()))


def read_events(file: Path) -> tuple[StageRun, ...]:
    """The stages that the driver has come to, in their order; none if the file is not there.

    A stage that began and has no end counts as failed: the driver died in it. Lines that cannot be read (the last one may be torn) are
    skipped.
    """
    found: dict[str, StageRun] = {}
    with suppress(OSError):
        for line in file.read_bytes().splitlines():
            with suppress(ValueError, TypeError, KeyError, AttributeError):
                stage = _stage(json.loads(line))
                found[stage.name] = stage
    return tuple(found.values())


class Refusal(NamedTuple):
    """Why a pipeline did not begin; `missing` are stages, and the dependencies that they lack (from the root of the repository)."""

    reason: str
    missing: tuple[tuple[str, str], ...] = ()


def read_refusal(file: Path) -> Refusal | None:
    """Why nothing ran; None if something did, or the driver died before it could say so."""
    with suppress(OSError, ValueError, TypeError, KeyError, IndexError):
        fields = json.loads(file.read_bytes().splitlines()[-1])
        if fields["state"] == REFUSED:
            return Refusal(str(fields["reason"]), tuple((str(stage), str(path)) for stage, path in fields["missing"]))
    return None


def _stage(fields: Mapping[str, Any]) -> StageRun:
    state = fields["state"]
    duration = fields.get("duration")
    return StageRun(
        name=str(fields["stage"]),
        state=StageState.FAILED if state == RUNNING else StageState(state),
        command=str(fields.get("command", "")),
        started=float(fields["started"]),
        duration=None if duration is None else float(duration),
        deps={str(path): str(digest) for path, digest in fields.get("deps", {}).items()},
        outs={str(path): str(digest) for path, digest in fields.get("outs", {}).items()},
    )


def find_pipeline(root: Path, folder: Path) -> bool:
    """Whether the DVC project at `root` has a stage to run at or below `folder` (in all of it, if `folder` is not inside of `root`).

    What is wrong with it, the driver will say. It takes a millisecond where `folder` holds a `dvc.yaml`, else all folders are looked
    through. Other DVC projects below, and virtual environments, do not count.
    """
    start = folder if folder.is_relative_to(root) else root
    return _holds(start / "dvc.yaml", _STAGES) or any(
        _holds(file, _STAGES if file.name == "dvc.yaml" else _COMMAND) for file in _dvc_files(start)
    )


def _dvc_files(top: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(top):
        folders[:] = [name for name in folders if name not in _NOT_OURS and not _is_apart(os.path.join(here, name))]  # noqa: PTH118 - many folders
        for name in files:
            if name == "dvc.yaml" or name.endswith(".dvc"):
                yield Path(here, name)


def _is_apart(folder: str) -> bool:
    return os.path.lexists(f"{folder}/.dvc") or os.path.lexists(f"{folder}/pyvenv.cfg")


def _holds(file: Path, pattern: re.Pattern[bytes]) -> bool:
    try:
        return pattern.search(file.read_bytes()) is not None
    except OSError:
        return False
