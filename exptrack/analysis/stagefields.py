"""The stages of a pipeline in a record, as fields and back."""

from __future__ import annotations

from typing import Any

from exptrack.analysis.fields import (
    WrongFieldError,
    find_number,
    find_text,
    read_choice,
    read_mapping,
    read_text,
    without,
)
from exptrack.model.pipeline import StageRun, StageState

_STATES = {state.value: state for state in StageState}


def encode(stage: StageRun) -> dict[str, Any]:
    """One of `stages`, as `docs/format.md` has it."""
    fields = {"command": stage.command, "duration": stage.duration, "deps": dict(stage.deps), "outs": dict(stage.outs)}
    return {"name": stage.name, "state": stage.state.value, "started": stage.started, **without(fields, command="")}


def decode(fields: dict[str, Any]) -> StageRun:
    """The stage in these fields; raises WrongFieldError."""
    return StageRun(
        name=read_text(fields, "name"),
        state=read_choice(fields, "state", _STATES),
        command=find_text(fields, "command") or "",
        started=find_number(fields, "started") or 0.0,
        duration=find_number(fields, "duration"),
        deps=_texts(fields, "deps"),
        outs=_texts(fields, "outs"),
    )


def _texts(fields: dict[str, Any], key: str) -> dict[str, str]:
    found = read_mapping(fields, key)
    for name, value in found.items():
        if type(value) is not str:
            raise WrongFieldError(f"{key}.{name}", "is not a text")
    return found
