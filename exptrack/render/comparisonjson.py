"""A comparison for other programs: as JSON, whose keys are in `docs/json.md`, and as a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from exptrack.analysis.fields import finite
from exptrack.analysis.framecomparison import tabulate
from exptrack.model.comparison import Comparison, Configuration, Interval, Verdict
from exptrack.model.tree import Value
from exptrack.render.text import inert

SCHEMA = 1
_FORMULA = ("=", "+", "-", "@", "\t")


def format_json(comparison: Comparison, more: Mapping[str, Any] | None = None) -> str:
    """A mapping, keys in alphabetical order, those of `more` among them; everything that is not ASCII is an escape."""
    return json.dumps(finite({**encode(comparison), **(more or {})}), indent=2, sort_keys=True, allow_nan=False)


def encode(comparison: Comparison) -> dict[str, Any]:
    """The comparison as JSON has it, but for numbers that are not finite."""
    return {
        "schema": SCHEMA,
        "experiment": comparison.experiment,
        "rules": {
            **comparison.rules._asdict(),
            "looks": [*comparison.rules.looks],
            "changed": [*comparison.rules.changed],
        },
        "baseline": comparison.baseline,
        "configurations": [*map(encode_configuration, comparison.configurations)],
        "verdicts": [*map(encode_verdict, comparison.verdicts)],
        "secondary": {metric: [*map(encode_verdict, table)] for metric, table in comparison.secondary.items()},
        "described": [*comparison.described],
        "shared": dict(comparison.shared),
        "tried": comparison.tried,
        "winner": comparison.winner or None,
        "notes": [*comparison.notes],
    }


def encode_configuration(one: Configuration) -> dict[str, Any]:
    """A configuration with the names of its runs and the value of each unit."""
    sample = one.sample
    return {
        "label": one.label,
        "params": dict(one.params),
        "code": one.code or None,
        "runs": [*one.runs],
        "values": dict(sample.values),
        "n": len(sample.values),
        "failed": sample.failed,
        "missing": sample.missing,
        "collapsed": sample.collapsed,
        "unseeded": sample.unseeded,
        "evaluated": {path: [*found] for path, found in sample.evaluated.items()},
        "mixed": [*one.mixed],
        "is_baseline": one.is_baseline,
        "mean": one.mean,
        "sd": one.sd,
        "min": one.low,
        "median": one.median,
        "max": one.high,
        "interval": _interval(one.interval),
    }


def encode_verdict(one: Verdict) -> dict[str, Any]:
    """A verdict with all that it rests on."""
    return {
        **one._asdict(),
        "n": [*one.n],
        "interval": _interval(one.interval),
        "simultaneous": _interval(one.simultaneous),
        "equivalence": _interval(one.equivalence),
        "beside": dict(one.beside),
        "min_effect": one.min_effect or None,
        "test": one.test or None,
        "flags": [*one.flags],
        "notes": [*one.notes],
    }


def format_csv(comparison: Comparison) -> str:
    """A table by RFC 4180, one line a configuration, numbers in full precision; each parameter in which they differ is a column."""
    import csv
    import io

    verdicts = {one.label: one for one in comparison.verdicts}
    rows = [tabulate(one, verdicts.get(one.label)) for one in comparison.configurations]
    keys = sorted({key for one in comparison.configurations for key in one.params})
    names = [*(rows[0] if rows else ()), *(f"params.{key}" for key in keys)]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(map(inert, names))
    for one, row in zip(comparison.configurations, rows, strict=True):
        writer.writerow(map(_cell, [*row.values(), *(one.params.get(key) for key in keys)]))
    return out.getvalue()


def _interval(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [*interval]


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str | tuple):
        text = inert(value if isinstance(value, str) else " ".join(map(str, value)))
        return f"'{text}" if text.startswith(_FORMULA) else text
    known = finite(value)
    return known if isinstance(known, str) else json.dumps(known)
