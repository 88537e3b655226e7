"""The project's DVC pipeline in place of a command: what to start, what it came to, and what it needs that nobody keeps."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from exptrack.analysis.dvcyaml import Stage
from exptrack.backends import dvc
from exptrack.errors import DataError, ExptrackError
from exptrack.model.data import Omission
from exptrack.model.pipeline import StageRun
from exptrack.operations.context import Context
from exptrack.operations.recording.request import Place, Request
from exptrack.operations.sources import Sources, is_at
from exptrack.store.private_index import Survey

_EVENTS = "events"


def check_pipeline(context: Context, request: Request) -> None:
    """Raise ExptrackError if there is no pipeline to run."""
    root = dvc.find_root(request.directory.resolve(), context.repository.top.resolve())
    if root is None or not dvc.find_pipeline(root, request.directory.resolve()):
        raise ExptrackError(
            "no command given, and no DVC pipeline here to run without one: `exptrack run -- COMMAND`, or write stages into dvc.yaml"
        )


def driver(place: Place, journal: Path) -> tuple[str, ...]:
    """The words that run the pipeline."""
    directory = place.request.directory
    root = dvc.find_root(directory, place.context.repository.top)
    if root is None:
        raise DataError(f"{directory} lies in no DVC project: run `exptrack init` first")
    return dvc.driver_command(root, journal / _EVENTS, force=place.request.is_forced)


def as_shell(stages: Sequence[Stage], top: Path) -> tuple[str, ...]:
    """What all stages run as one command, for who asks which Python that is."""
    lines = [
        line
        for stage in stages
        for line in (f"cd {shlex.quote(os.path.normpath(top / stage.folder))}", *stage.commands)
        if "${" not in line
    ]
    return ("sh", "-c", "\n".join(lines))


def find_unversioned(
    sources: Sources, found: Survey, omissions: Sequence[Omission], links: Sequence[str], top: Path
) -> tuple[str, ...]:
    """Dependencies of the pipeline that lie in no commit and that DVC does not know: linked, ignored, left out, outside."""
    known = [*sources.outs, *(pointer.path for pointer in sources.pointers)]
    named = (dep for stage in sources.stages for dep in stage.deps if "${" not in dep)
    # DVC names what lies outside by its whole path.
    deps = dict.fromkeys(os.path.normpath(top.resolve() / dep) if dep.startswith("../") else dep for dep in named)
    return tuple(
        dep
        for dep in deps
        if os.path.lexists(top / dep)
        and not is_at(dep, known)
        and not any(is_at(one, [dep]) for one in known)
        and (
            dep.startswith("/")
            or is_at(dep, links)
            or not found.is_captured(f"{dep}/" if (top / dep).is_dir() else dep, omissions)
        )
    )


def read_stages(journal: Path) -> tuple[StageRun, ...]:
    """The stages that the pipeline has come to."""
    return dvc.read_events(journal / _EVENTS)


def last_event(journal: Path) -> float:
    """When the last of them began or ended (Unix time); 0 if none did."""
    try:
        return (journal / _EVENTS).stat().st_mtime
    except OSError:
        return 0.0


def find_refusal(journal: Path, omissions: Sequence[Omission] = ()) -> str | None:
    """Why no stage began; None if one did. `omissions` are what the user's work tree has and the run's own has not."""
    refusal = dvc.read_refusal(journal / _EVENTS)
    if refusal is None:
        return None
    for stage, path in refusal.missing:
        reason = next((one.reason for one in omissions if _is_about(one, path)), None)
        if reason is not None:
            return (
                f"stage '{stage}' needs {path}, which is not in the run's own work tree ({reason}): `dvc add` it, or name it "
                "under capture.links in exptrack.yaml"
            )
    return refusal.reason


def _is_about(omission: Omission, path: str) -> bool:
    left = omission.path.rstrip("/")
    return is_at(path, [left]) or is_at(left, [path])


def describe_stages(stages: Sequence[StageRun], unversioned: Sequence[str]) -> list[str]:
    """Lines on what was wrong with them that the pipeline itself did not say."""
    needs = {path: stage.name for stage in reversed(stages) for path in stage.deps}
    lines = []
    for path in unversioned:
        if path in needs:
            place, verb = (
                ("outside of the repository", "import-url")
                if path.startswith("/")
                else ("neither in Git nor in DVC", "add")
            )
            lines.append(
                f"{path}, which stage '{needs[path]}' needs, is {place}: who does not have it cannot reproduce the run; `dvc {verb}` it"
            )
    lines += [f"the pipeline was ended in stage '{stage.name}'" for stage in stages if stage.duration is None]
    return lines
