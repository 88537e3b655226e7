"""What a query can ask of a run: its fields, metrics and parameters, each under one name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exptrack.analysis.patterns import flatten
from exptrack.analysis.query import Fact
from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import Run, Value


def facts_of(run: Run, annotations: Sequence[Annotation]) -> Mapping[str, Fact]:
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
        "tag": tuple(str(one.value) for one in annotations if one.kind is AnnotationKind.TAG),
        "note": "\n".join(str(one.value) for one in annotations if one.kind is AnnotationKind.NOTE) or None,
    }
    if record.ended is not None:
        facts["ended"] = record.ended
    facts |= {f"metrics.{key}": value for key, value in flatten(record.metrics).items()}
    return facts | {f"params.{key}": value for key, value in flatten_params(run).items()}


def flatten_params(run: Run) -> dict[str, Value]:
    """Parameters of all sources under one dotted key each; `params.yaml` first, and what another source adds."""
    flat: dict[str, Value] = {}
    for source in sorted(run.record.params, key=lambda name: (name != "params.yaml", name)):
        for key, value in flatten(run.record.params[source]).items():
            flat.setdefault(key, value)
    return flat
