"""The curves of metrics: which runs and metrics are meant, read from commits and from the journals of runs under way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from exptrack.analysis.curves import Axis, Band, Curve, Series, are_drawable, draw_one, is_drawable, make_series
from exptrack.analysis.fieldnames import find_nearest, shown
from exptrack.analysis.holdout import find_holdouts, is_holdout
from exptrack.analysis.points import Points
from exptrack.analysis.wording import counted, name_few
from exptrack.errors import ExptrackError
from exptrack.model.tree import Value, flatten
from exptrack.operations.context import Context
from exptrack.operations.plotting.sources import Source, complete, find_sources, read_points

_NAMED = 5
_LISTED = 8
_VARIED = 3  # parameters in the label of a run
_PATTERN = frozenset("*?[")
_OWN = "system/"  # what exptrack itself samples


class Asked(NamedTuple):
    """What is to be drawn. `words` are revs, ranges, queries and names of runs under way (none: what runs now, else the latest run).

    `metrics` are names or patterns (`val/*`; none: the first that is declared, or the only one). `smoothing` is in [0, 1). With a `band`
    the replicates of a configuration become one curve.
    """

    words: tuple[str, ...] = ()
    experiment: str | None = None
    metrics: tuple[str, ...] = ()
    axis: Axis = Axis.STEP
    smoothing: float = 0.0
    band: Band | None = None
    is_log: bool = False


class Panel(NamedTuple):
    """The curves of one metric."""

    metric: str
    unit: str | None
    curves: tuple[Curve, ...]


class Plot(NamedTuple):
    """What is drawn, a panel a metric, and lines on what is not."""

    panels: tuple[Panel, ...]
    axis: Axis
    smoothing: float
    band: Band | None
    is_log: bool = False
    notes: tuple[str, ...] = ()


def plot(context: Context, asked: Asked) -> Plot:
    """The curves that are asked for. Only reads. Raises ExptrackError, RevError, QueryError."""
    sources, notes = find_sources(context, asked.words, asked.experiment)
    metrics, points = _choose(context, sources, asked.metrics)
    panels = []
    for metric in metrics:
        if asked.smoothing or asked.band is not None:
            notes += complete(context, sources, metric, points)
        series, told = _make_all(sources, points, metric, asked)
        notes += told
        curves, told = _draw(context, asked, [one for one in sources if one.name in series], series, metric)
        notes += told
        declared = context.settings.metrics.get(metric)
        panels.append(Panel(metric, declared.unit if declared else None, tuple(curves)))
    return Plot(tuple(panels), asked.axis, asked.smoothing, asked.band, asked.is_log, tuple(dict.fromkeys(notes)))


_Points = dict[str, dict[str, Points]]  # by run and metric


def _choose(context: Context, sources: Sequence[Source], asked: Sequence[str]) -> tuple[list[str], _Points]:
    """The metrics that are meant, and their points; raises ExptrackError for one that none of the runs has, or that is sealed."""
    primary = next(iter(name for name, one in context.settings.metrics.items() if not one.holdout), None)
    exact = list(asked) or ([primary] if primary else [])
    if exact and not any(_PATTERN & set(name) for name in exact):
        for name in exact:
            _refuse_sealed(context, sources, name)
        found = read_points(context, sources, exact)
        if all(any(name in one for one in found.values()) for name in exact):
            return list(dict.fromkeys(exact)), found
    whole = read_points(context, sources, None)
    known = sorted({name for one in whole.values() for name in one})
    open_ones = [name for name in known if not _is_sealed(context, sources, name)]
    if not open_ones:
        who = f"run '{sources[0].name}' has" if len(sources) == 1 else f"the {len(sources)} runs have"
        raise ExptrackError(f"{who} no histories to plot: no metric was logged meanwhile")
    names = [name for one in asked for name in _match(one, open_ones)] if asked else [_only(open_ones)]
    return list(dict.fromkeys(names)), whole


def _refuse_sealed(context: Context, sources: Sequence[Source], name: str) -> None:
    if _is_sealed(context, sources, name):
        raise ExptrackError(f"metric {shown(name)} is sealed: `exptrack unseal` shows it once the choice is made")


def _is_sealed(context: Context, sources: Sequence[Source], name: str) -> bool:
    holdouts = {*find_holdouts(context.settings.metrics), *(key for one in sources for key in one.sealed)}
    return is_holdout(name, holdouts)


def _match(asked: str, known: Sequence[str]) -> list[str]:
    if asked in known:
        return [asked]
    found = [name for name in known if fnmatchcase(name, asked)]
    if not found:
        close = find_nearest(asked, known)
        there = f"did you mean {shown(close)}?" if close else f"there is {name_few([*map(shown, known)], _LISTED)}"
        what = "a history that matches" if _PATTERN & set(asked) else "a history of"
        raise ExptrackError(f"no run that is plotted has {what} {shown(asked)}: {there}")
    return found


def _only(known: Sequence[str]) -> str:
    own = [name for name in known if not name.startswith(_OWN)] or list(known)
    if len(own) > 1:
        raise ExptrackError(f"which metric? Name one with --metric: there is {name_few([*map(shown, own)], _LISTED)}")
    return own[0]


def _make_all(
    sources: Sequence[Source], points: _Points, metric: str, asked: Asked
) -> tuple[dict[str, Series], list[str]]:
    """The series by run, and lines on the runs that have none, or none that can be drawn."""
    series = {one.name: make_series(points[one.name].get(metric) or Points(), asked.axis) for one in sources}
    lacking = [name for name in series if metric not in points[name]]
    unplaced = [name for name, one in series.items() if name not in lacking and not one.xs]
    least = 0.0 if asked.is_log else -math.inf
    undrawn = [name for name, one in series.items() if one.xs and not any(is_drawable(y) and y > least for y in one.ys)]
    never = "a number above 0, as --log-y wants it" if asked.is_log else "a finite number"
    told = [
        f"left out: {name_few(names, _NAMED)}, {why}"
        for names, why in (
            (lacking, f"without a history of {metric}"),
            (unplaced, f"where no value of {metric} has a number as its {asked.axis}"),
            (undrawn, f"where {metric} is never {never}"),
        )
        if names
    ]
    kept = {name: one for name, one in series.items() if name not in {*lacking, *unplaced, *undrawn}}
    if not kept:
        advice = ": take --x step or --x time" if unplaced else ""
        raise ExptrackError(
            f"there is nothing to plot of {metric}: {'; '.join(told).removeprefix('left out: ')}{advice}"
        )
    return kept, [*told, *_tell_broken(kept, metric, is_log=asked.is_log)]


def _tell_broken(series: Mapping[str, Series], metric: str, *, is_log: bool) -> list[str]:
    values = [y for one in series.values() if is_log or not are_drawable(one.ys) for y in one.ys]
    broken = sum(not is_drawable(y) for y in values)
    below = sum(is_drawable(y) and y <= 0 for y in values) if is_log else 0
    return [
        f"{counted(count, 'value')} of {metric} cannot be drawn: {why}"
        for count, why in ((broken, "not finite, or beyond 1e60"), (below, "not above 0, as --log-y wants it"))
        if count
    ]


def _draw(
    context: Context, asked: Asked, sources: Sequence[Source], series: Mapping[str, Series], metric: str
) -> tuple[list[Curve], list[str]]:
    if asked.band is not None:
        from exptrack.operations.plotting.replicates import draw_bands

        return draw_bands(context, asked, sources, series, metric)
    labels = _label(sources)
    return [draw_one(labels[one.name], one.name, series[one.name], asked.smoothing) for one in sources], []


def _label(sources: Sequence[Source]) -> dict[str, str]:
    """The name of each run, and the parameters in which it differs from the others, if these are few."""
    from exptrack.analysis.experiments.labels import tell_values

    params = {one.name: flatten(one.params) for one in sources}
    keys = sorted({key for one in params.values() for key in one})
    varied = [key for key in keys if len({repr(one.get(key)) for one in params.values()}) > 1]
    labels = {}
    for one in sources:
        own: dict[str, Value] = {key: params[one.name][key] for key in varied if key in params[one.name]}
        told = f" ({tell_values(own)})" if own and len(varied) <= _VARIED else ""
        labels[one.name] = f"{one.name}{told}{', under way' if one.is_active else ''}"
    return labels
