"""What a query can ask of a run: its fields, metrics and parameters, each under one name."""

from __future__ import annotations

from collections.abc import Mapping

from exptrack.analysis.query import Fact
from exptrack.model.run import Run
from exptrack.model.tree import flatten


def facts_of(run: Run) -> Mapping[str, Fact]:
    """Fields by name, metrics as `metrics.<key>`, parameters as `params.<key>`; `tag` is all tags, `note` all notes together."""
    record = run.record
    facts: dict[str, Fact] = {
        "name": record.name,
        "status": str(record.status),
        "experiment": record.experiment,
        "author": record.author,
        "host": record.host,
        "seed": record.seed,
        "duration": record.duration,
        "started": record.started,
        "tag": run.tags,
        "note": "\n".join(run.notes) or None,
    }
    if record.ended is not None:
        facts["ended"] = record.ended
    facts |= {f"metrics.{key}": value for key, value in flatten(run.metrics).items()}
    return facts | {f"params.{key}": value for key, value in flatten(run.params).items()}
