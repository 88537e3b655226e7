"""What came of checking claims as JSON; its keys are in `docs/json.md`."""

from __future__ import annotations

import json
from typing import Any

from exptrack.analysis.fields import finite
from exptrack.model.checking import Checked, CheckedClaim
from exptrack.render import differencejson, reproductionjson
from exptrack.render.comparisonjson import encode_verdict

SCHEMA = 1


def format_json(checked: Checked) -> str:
    """A mapping, keys in alphabetical order; everything that is not ASCII is an escape."""
    document = {
        "schema": SCHEMA,
        "verdict": checked.verdict,
        "base": _commit(checked.base, checked.base_oid),
        "head": _commit(checked.head, checked.head_oid),
        "at": checked.at,
        "environment": checked.environment,
        "bar": {**checked.bar._asdict(), "of": checked.bar_of},
        "changes": [
            {"key": change.key, "kind": change.kind, "old": change.old, "new": change.new} for change in checked.changes
        ],
        "baseline": checked.baseline,
        "claims": [_claim(checked, one) for one in checked.claims],
        "broken": [{"line": one.line, "commit": one.commit or None} for one in checked.broken],
        "notes": checked.notes,
    }
    return json.dumps(finite(document), indent=2, sort_keys=True, allow_nan=False)


def _commit(name: str | None, oid: str | None) -> dict[str, str | None] | None:
    return None if name is None else {"name": name, "oid": oid}


def _claim(checked: Checked, one: CheckedClaim) -> dict[str, Any]:
    record = one.run.record if one.run else None
    difference, beside = one.difference, one.beside
    return {
        "name": one.claim.name,
        "oid": one.claim.oid or None,
        "commit": one.claim.commit or None,
        "author": one.claim.author or None,
        "recorded_by": record.author if record and record.author else None,
        "verdict": one.verdict,
        "required": checked.bar_for(one).require,
        "reason": one.reason,
        "reached": one.reproduction.reached if one.reproduction else None,
        "files": [file._asdict() for file in one.files],
        "notes": one.notes,
        "reproduction": reproductionjson.encode(one.reproduction) if one.reproduction else None,
        "differs": json.loads(differencejson.format_json(difference._replace(patch=""))) if difference else None,
        "compared": {**beside._asdict(), "verdict": encode_verdict(beside.verdict)} if beside else None,
    }
