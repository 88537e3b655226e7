"""Which parameter the metric goes with, over all configurations. What goes together need not be cause and effect."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exptrack.analysis.experiments.declaration import canonical
from exptrack.analysis.stats import is_constant
from exptrack.analysis.stats.association import Strength, eta_squared, spearman
from exptrack.analysis.wording import counted
from exptrack.model.comparison import Configuration, Interval
from exptrack.model.tree import Value

SPEARMAN = "spearman"
ETA_SQUARED = "eta squared"
CAVEAT = "what goes together among these runs; not what causes what"
_CONFIDENCE = 0.95
_FEWEST = 3


class Association(NamedTuple):
    """How closely a metric goes with one parameter. `measure` is `spearman` (-1 to 1) or `eta squared` (0 to 1), empty if there is none.

    `n` is the number of values that it rests on, one for each seed of each configuration, `levels` that of the parameter's values.
    `note` says why there is no number, or no interval.
    """

    parameter: str
    measure: str
    value: float | None
    interval: Interval | None
    n: int
    levels: int
    note: str = ""


def associate(configurations: Sequence[Configuration], variables: Sequence[str] = ()) -> tuple[Association, ...]:
    """The metric beside each parameter in which configurations differ, the strongest first; `variables` choose among them, and may add others.

    Numbers by Spearman's rank correlation, everything else by eta squared, where a parameter that is not set is a value, too. Sizes are
    in the metric's own sign: a positive correlation means that the metric grows with the parameter.
    """
    names = variables or sorted({key for one in configurations for key in one.params})
    found = [_associate(name, configurations) for name in names]
    return tuple(sorted(found, key=lambda one: (one.value is None, -_strength(one), one.parameter)))


def describe(association: Association) -> str:
    """One line: `lr: rank correlation +0.81 [95% CI +0.43, +0.95], 12 values`."""
    about = f"{counted(association.n, 'value')}, {counted(association.levels, 'level')}"
    if association.value is None:
        return f"{association.parameter}: {association.note}, {about}"
    sign = "+" if association.measure == SPEARMAN else ""
    name = "rank correlation" if association.measure == SPEARMAN else "eta squared"
    told = f"{association.parameter}: {name} {association.value:{sign}.2f}"
    if association.interval is None:
        return f"{told} ({association.note}), {about}"
    low, high, _ = association.interval
    return f"{told} [95% CI {low:{sign}.2f}, {high:{sign}.2f}], {about}"


def _associate(name: str, configurations: Sequence[Configuration]) -> Association:
    found = [
        (one.params.get(name), name in one.params, value)
        for one in configurations
        for value in one.sample.values.values()
        if math.isfinite(value)
    ]
    known = [(value, metric) for value, is_set, metric in found if is_set]
    if known and all(_is_number(value) for value, _ in known):
        pairs = [(float(value), metric) for value, metric in known]  # type: ignore[arg-type]
        levels = len({value for value, _ in pairs})
        return _measure(Association(name, SPEARMAN, None, None, len(pairs), levels), pairs, {})
    groups: defaultdict[str, list[float]] = defaultdict(list)
    for value, is_set, metric in found:
        groups[canonical(value) if is_set else ""].append(metric)
    return _measure(Association(name, ETA_SQUARED, None, None, len(found), len(groups)), [], groups)


def _measure(
    empty: Association, pairs: Sequence[tuple[float, float]], groups: Mapping[str, Sequence[float]]
) -> Association:
    metrics = [metric for _, metric in pairs] or [metric for some in groups.values() for metric in some]
    lack = _find_lack(empty, metrics)
    if lack:
        return empty._replace(measure="", note=lack)
    if pairs:
        strength = spearman([value for value, _ in pairs], metrics, _CONFIDENCE)
    else:
        strength = eta_squared([groups[key] for key in sorted(groups)], _CONFIDENCE)
    return empty._replace(
        value=strength.value,
        interval=_interval(strength),
        note=""
        if strength.low is not None
        else "too few values for an interval"
        if pairs
        else "no value varies by itself",
    )


def _find_lack(empty: Association, metrics: Sequence[float]) -> str:
    if empty.n < _FEWEST:
        return f"it takes {_FEWEST} values or more"
    if empty.levels < 2:
        return "it has one value"
    if is_constant(metrics):
        return "the metric does not vary"
    if empty.measure == ETA_SQUARED and empty.n <= empty.levels:
        return "each of its values was run once"
    return ""


def _interval(strength: Strength) -> Interval | None:
    if strength.low is None or strength.high is None:
        return None
    return Interval(strength.low, strength.high, _CONFIDENCE)


def _strength(association: Association) -> float:
    """Correlations beside shares: the square of a rank correlation is the share of the variance of the ranks."""
    value = association.value or 0.0
    return value * value if association.measure == SPEARMAN else value


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -1e300 < value < 1e300
