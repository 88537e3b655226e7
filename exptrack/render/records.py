"""Runs for other programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from exptrack.analysis.codec import encode_record
from exptrack.model.run import Run


def format_records(runs: Iterable[Run]) -> str:
    """A JSON list, one mapping a run: `oid`, `ref`, what its record holds, and `tags` and `notes` as they stand now.

    Values are written as in the record; everything that is not ASCII is an escape, so that no terminal obeys it.
    """
    return json.dumps([_fields(run) for run in runs], indent=2, allow_nan=False)


def _fields(run: Run) -> dict[str, Any]:
    fields = json.loads(encode_record(run.record))
    return {"oid": run.oid, "ref": run.ref, **fields, "tags": run.tags, "notes": run.notes}
