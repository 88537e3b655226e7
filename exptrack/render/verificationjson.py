"""What was found when runs were verified, for other programs: `docs/json.md` names the keys."""

from __future__ import annotations

import json

from exptrack.model.verification import Finding, Verification

_SCHEMA = 1


def format_json(verification: Verification) -> str:
    """A JSON mapping with all findings, the worst first; everything that is not ASCII is an escape."""
    return json.dumps(
        {
            "schema": _SCHEMA,
            "well": verification.is_well,
            "runs": verification.runs,
            "runs_with_findings": len(verification.named),
            "signed": verification.signed,
            "data": verification.data._asdict(),
            "hashed": verification.hashed,
            "findings": [_fields(one) for one in verification.findings],
        },
        indent=2,
    )


def _fields(finding: Finding) -> dict[str, object]:
    return {
        "severity": finding.severity,
        "check": finding.check,
        "subject": finding.subject,
        "problem": finding.problem,
        "advice": finding.advice,
        "runs": list(finding.runs),
    }
