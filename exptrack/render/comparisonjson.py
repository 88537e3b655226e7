"""A comparison as JSON; its keys are in `docs/json.md`. And as a table for other programs."""

from __future__ import annotations

import json
from typing import Any

from exptrack.analysis.fields import finite
from exptrack.model.comparison import Comparison, Configuration, Interval, Verdict
from exptrack.model.tree import Value
from exptrack.render.text import inert

SCHEMA = 1
_FORMULA = ("=", "+", "-", "@", "\t")
COLUMNS = (
    "configuration", "code", "baseline", "n", "failed", "missing", "mean", "sd", "min", "median", "max", "low", "high", "word",
    "difference", "difference_low", "difference_high", "confidence", "test", "p", "adjusted", "among", "alpha", "hedges_g",
    "better_share", "more", "detectable", "flags", "line", "runs",
)  # fmt: skip


def format_json(comparison: Comparison) -> str:
    """A mapping, keys in alphabetical order; everything that is not ASCII is an escape."""
    return json.dumps(finite(encode(comparison)), indent=2, sort_keys=True, allow_nan=False)


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

    keys = sorted({key for one in comparison.configurations for key in one.params})
    verdicts = {one.label: one for one in comparison.verdicts}
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, *(inert(f"params.{key}") for key in keys)])
    for one in comparison.configurations:
        cells = tabulate(one, verdicts.get(one.label))
        writer.writerow([_cell(cells[name]) for name in COLUMNS] + [_cell(one.params.get(key)) for key in keys])
    return out.getvalue()


def tabulate(one: Configuration, verdict: Verdict | None) -> dict[str, Value]:
    """What a table says of a configuration and its verdict, by the names of `COLUMNS`."""
    interval = one.interval or (None, None, None)
    facts: tuple[Value, ...] = (
        one.label, one.code or None, one.is_baseline, len(one.sample.values), one.sample.failed, one.sample.missing, one.mean, one.sd,
        one.low, one.median, one.high, interval[0], interval[1],
    )  # fmt: skip
    if verdict is None:
        return {**dict.fromkeys(COLUMNS), **dict(zip(COLUMNS, facts, strict=False)), "runs": " ".join(one.runs)}
    between = verdict.interval or (None, None, None)
    facts += (
        str(verdict.word), verdict.difference, *between, verdict.test or None, verdict.p, verdict.adjusted, verdict.among, verdict.alpha,
        verdict.hedges_g, verdict.better_share, verdict.more, verdict.detectable, " ".join(verdict.flags), verdict.line, " ".join(one.runs),
    )  # fmt: skip
    return dict(zip(COLUMNS, facts, strict=True))


def _interval(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [*interval]


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        text = inert(value)
        return f"'{text}" if text.startswith(_FORMULA) else text
    known = finite(value)
    return known if isinstance(known, str) else json.dumps(known)
