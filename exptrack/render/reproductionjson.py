"""What came of executing runs again, as JSON; its keys are in `docs/json.md`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from exptrack.analysis.fields import finite
from exptrack.model.reproduction import Reproduction
from exptrack.model.run import Run
from exptrack.render import differencejson

SCHEMA = 1


def format_json(reproductions: Sequence[Reproduction]) -> str:
    """`schema` and the `reproductions`, keys in alphabetical order; everything that is not ASCII is an escape."""
    document = {"schema": SCHEMA, "reproductions": [encode(one) for one in reproductions]}
    return json.dumps(finite(document), indent=2, sort_keys=True, allow_nan=False)


def encode(reproduction: Reproduction) -> dict[str, Any]:
    """What came of one run, as a mapping; numbers that are not finite as they are."""
    divergence = reproduction.divergence
    return {
        "run": {"name": reproduction.original.name, "oid": reproduction.original.oid},
        "reached": reproduction.reached,
        "levels": [level._asdict() for level in reproduction.levels],
        "nondeterministic": reproduction.nondeterministic,
        "divergence": None if divergence is None else divergence._asdict(),
        "at": reproduction.at,
        "environment": reproduction.environment,
        "differs": json.loads(differencejson.format_json(reproduction.difference)),
        "notes": reproduction.notes,
        "reruns": [_rerun(run) for run in reproduction.reruns],
    }


def _rerun(run: Run) -> dict[str, Any]:
    return {"name": run.name, "oid": run.oid, "status": run.status, "duration": run.record.duration}
