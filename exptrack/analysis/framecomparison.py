"""A comparison as a pandas DataFrame: one row a configuration, with its verdict beside it."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any, TypeAlias

from exptrack.analysis.frame import make_column
from exptrack.model.comparison import Comparison, Configuration, Verdict

if TYPE_CHECKING:
    from pandas import DataFrame

Frame: TypeAlias = "DataFrame"

TEXTS = ("configuration", "code", "word", "test", "line")
NUMBERS = (
    "mean", "sd", "min", "median", "max", "low", "high", "difference", "difference_low", "difference_high", "confidence", "p", "adjusted",
    "alpha", "hedges_g", "better_share", "cliffs_delta", "detectable",
)  # fmt: skip
COUNTS = ("n", "failed", "missing", "among", "more")


def make_frame(comparison: Comparison) -> DataFrame:
    """One row a configuration, best first, numbered from 0. Of the baseline, and where there is none, what belongs to a verdict is missing.

    Texts are `string`, numbers `float64`, counts `Int64`, `baseline` is `bool`, `flags` and `runs` are tuples, and each parameter in which
    the configurations differ is a column `params.KEY`, typed as in a frame of runs. `low` and `high` are the 95 % interval of the mean.
    """
    import pandas as pd

    verdicts = {one.label: one for one in comparison.verdicts}
    rows = [tabulate(one, verdicts.get(one.label)) for one in comparison.configurations]
    index = pd.RangeIndex(len(rows))
    columns: dict[str, Any] = {}
    for name in rows[0] if rows else ():
        values = [row[name] for row in rows]
        if name in NUMBERS:
            columns[name] = pd.Series([nan if value is None else value for value in values], index, "float64")
        elif name in TEXTS:
            columns[name] = pd.Series(values, index, pd.StringDtype("python"))
        else:
            columns[name] = pd.Series(
                values, index, "Int64" if name in COUNTS else "bool" if name == "baseline" else object
            )
    for key in sorted({key for one in comparison.configurations for key in one.params}):
        columns[f"params.{key}"] = make_column([one.params.get(key) for one in comparison.configurations])
    return pd.DataFrame(columns, index=index)


def tabulate(one: Configuration, verdict: Verdict | None) -> dict[str, Any]:
    """What a table says of a configuration and of its verdict, by name; what belongs to a verdict is None without one."""
    low, high = one.interval[:2] if one.interval else (None, None)
    known = {
        "configuration": one.label, "code": one.code or None, "baseline": one.is_baseline, "n": len(one.sample.values),
        "failed": one.sample.failed, "missing": one.sample.missing, "mean": one.mean, "sd": one.sd, "min": one.low, "median": one.median,
        "max": one.high, "low": low, "high": high,
    }  # fmt: skip
    interval = (verdict.interval if verdict else None) or (None, None, None)
    names = (
        "test",
        "p",
        "adjusted",
        "among",
        "alpha",
        "hedges_g",
        "better_share",
        "cliffs_delta",
        "more",
        "detectable",
        "flags",
        "line",
    )
    return {
        **known,
        "word": str(verdict.word) if verdict else None,
        "difference": verdict.difference if verdict else None,
        **dict(zip(("difference_low", "difference_high", "confidence"), interval, strict=True)),
        **{
            name: (getattr(verdict, name) or None if name == "test" else getattr(verdict, name)) if verdict else None
            for name in names
        },
        "runs": one.runs,
    }
