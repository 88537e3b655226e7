"""Runs put together to configurations: those with the same parameters but for the seed, and one state of the code, are replicates."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from statistics import median
from typing import NamedTuple

from exptrack.analysis.experiments.declaration import canonical, is_configuration
from exptrack.analysis.experiments.labels import Named, label_all, shorten_code, sort_key, tell_value, tell_values
from exptrack.analysis.fieldnames import find_nearest, shown
from exptrack.analysis.stats import deviation, is_constant, mean, quantile
from exptrack.analysis.wording import counted, name_few
from exptrack.model.comparison import Configuration, Interval, Sample
from exptrack.model.experiment import Pairing
from exptrack.model.run import Status
from exptrack.model.settings import Goal
from exptrack.model.tree import Value, flatten

_CONFIDENCE = 0.95
_FEWEST = 3
_NAMED = 3
_MOST = 5
_SCALARS = frozenset({str, int, float})
_KEYED = frozenset({Pairing.FOLD, Pairing.DATASET, Pairing.SPLIT})


class Row(NamedTuple):
    """What grouping takes from a run. `params` are flat and without the seed; `value` is the metric's, None if it has none.

    `code` and `environment` are digests, `data` and `evaluated` digests by path (of all data, and of what the metric is declared to be
    evaluated on), `command` the words of the command that gave no parameter.
    """

    name: str
    status: Status
    seed: int | str | None
    params: Mapping[str, Value]
    value: float | None
    code: str = ""
    command: str = ""
    environment: str = ""
    data: Mapping[str, str] = {}
    evaluated: Mapping[str, str] = {}


class Grouping(NamedTuple):
    """By what runs are put together. `by` are parameters that alone count (None: all). `pair_key` is the parameter that is the fold, dataset or split."""

    by: tuple[str, ...] | None = None
    pair_by: Pairing = Pairing.NONE
    pair_key: str | None = None
    is_code_merged: bool = False
    is_strict: bool = False


class Grouped(NamedTuple):
    """Configurations by their parameters, what all runs have in common, and lines on what was left out."""

    configurations: tuple[Configuration, ...]
    shared: Mapping[str, Value] = {}
    notes: tuple[str, ...] = ()


_Part = tuple[str, Value]
_Key = tuple[frozenset[tuple[str, object]], str, str]


def group(rows: Sequence[Row], grouping: Grouping | None = None) -> Grouped:
    """Rows as configurations, in whatever order they come. Failed runs are counted, reruns of a seed averaged.

    A configuration is named by the parameters in which it differs from others, and by its code where that is needed to tell it apart.
    `mixed` says what differs inside of one; with `is_strict` such a one is left out, and named in a line.
    """
    chosen = grouping or Grouping()
    groups: defaultdict[_Key, list[Row]] = defaultdict(list)
    for row in rows:
        groups[_key(row, chosen)].append(row)
    members = [sorted(some, key=lambda row: row.name) for some in groups.values()]
    params = [_own_params(some, chosen) for some in members]
    shared = _in_common(params)
    own = [{key: value for key, value in one.items() if key not in shared} for one in params]
    named = [Named(one, some[0].code, some[0].command) for one, some in zip(own, members, strict=True)]
    order = sorted(range(len(members)), key=lambda place: (sort_key(own[place]), *named[place][1:]))
    codes = {row.code for row in rows}
    labels = label_all([named[place] for place in order])
    found = [
        _configuration(label, own[place], members[place], chosen, has_codes=len(codes) > 1)
        for label, place in zip(labels, order, strict=True)
    ]
    kept = [one for one in found if not chosen.is_strict or not one.mixed]
    notes = [
        f"left out: {one.label} mixes {name_few(one.mixed, _NAMED)}" for one in found if chosen.is_strict and one.mixed
    ]
    return Grouped(tuple(kept), {**shared, **_in_common([row.data for row in rows])}, tuple(notes))


def sort_best(configurations: Iterable[Configuration], goal: Goal | None) -> tuple[Configuration, ...]:
    """Best mean first, by the metric's goal (highest first without one); those without a usable run last."""
    sign = 1 if goal is Goal.MINIMIZE else -1
    return tuple(sorted(configurations, key=lambda one: (one.mean is None, sign * (one.mean or 0.0), one.label)))


def find_configurations(grouped: Grouped, wanted: Mapping[str, Value]) -> tuple[Configuration, ...]:
    """Those that have all the wanted parameter values; more than one where other parameters or the code differ. A list counts item by item."""
    flat = flatten(wanted)
    return tuple(one for one in grouped.configurations if is_configuration(flat, {**grouped.shared, **one.params}))


def tell_lacking(grouped: Grouped, wanted: Mapping[str, Value]) -> str:
    """Why no configuration has the wanted values: a parameter that none has, with the nearest, or the values that there are."""
    told = f"no baseline: no configuration has {tell_values(wanted)}"
    params = [{**grouped.shared, **one.params} for one in grouped.configurations]
    known = {key for one in params for key in one}
    for key, value in flatten(wanted).items() if params else ():
        if key not in known:
            near = find_nearest(key, known)
            return f"{told}: none has the parameter {shown(key)}" + (f", did you mean {shown(near)}?" if near else "")
        values = {canonical(one[key]): one[key] for one in params if key in one}
        if canonical(value) not in values:
            return f"{told}: {key} is {name_few([*map(tell_value, values.values())], _MOST, ' or ')}"
    there = name_few([one.label for one in grouped.configurations], _MOST, " or ")
    return f"{told}; there is {there or 'none, all are left out'}"


def _key(row: Row, grouping: Grouping) -> _Key:
    code = "" if grouping.is_code_merged else row.code
    if grouping.by is not None:
        chosen = {key: row.params[key] for key in grouping.by if key in row.params}
        return frozenset(_hashed(chosen)), code, ""
    params = row.params
    if grouping.pair_key in params:
        params = {key: value for key, value in params.items() if key != grouping.pair_key}
    return frozenset(_hashed(params)), code, row.command


def _hashed(params: Mapping[str, Value]) -> list[tuple[str, object]]:
    """Pairs that are equal if the values are: 1 is 1.0 to Python, too, but True and lists need another form."""
    return [(key, value if type(value) in _SCALARS else (canonical(value),)) for key, value in params.items()]


def _own_params(some: Sequence[Row], grouping: Grouping) -> Mapping[str, Value]:
    """What names a configuration: the parameters by which it was grouped."""
    params = some[0].params
    if grouping.by is not None:
        return {key: params[key] for key in grouping.by if key in params}
    return {key: value for key, value in params.items() if key != grouping.pair_key}


def _in_common(trees: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    """What all have, with the same value."""
    if not trees:
        return {}
    common = dict(trees[0])
    for tree in {id(one): one for one in trees}.values():  # runs may share one mapping
        for key in [key for key, value in common.items() if key not in tree or not _is_alike(tree[key], value)]:
            del common[key]
    return dict(sorted(common.items()))


def _is_alike(old: Value, new: Value) -> bool:
    if type(old) is type(new) and type(old) in _SCALARS:
        return old == new
    return canonical(old) == canonical(new)


def _configuration(
    label: str, own: Mapping[str, Value], some: Sequence[Row], grouping: Grouping, *, has_codes: bool
) -> Configuration:
    sample = _sample(label, some, grouping)
    values = tuple(sample.values.values())
    states = sorted({row.code for row in some})
    configuration = Configuration(
        label=label,
        params=dict(sorted(own.items())),
        code=name_few([*map(shorten_code, states)], _NAMED) if has_codes else "",
        runs=tuple(row.name for row in some),
        sample=sample,
        mixed=_mixed(some, grouping),
    )
    if not values:
        return configuration
    return configuration._replace(
        mean=mean(values),
        sd=deviation(values) if len(values) > 1 else None,
        low=min(values),
        median=median(values),
        high=max(values),
        interval=_interval(values),
    )


def _interval(values: Sequence[float]) -> Interval | None:
    """The 95 % interval mean +- t(n-1) * sd/sqrt(n), for three values or more that vary."""
    if len(values) < _FEWEST or is_constant(values):
        return None
    reach = _quantile(len(values) - 1) * deviation(values) / math.sqrt(len(values))
    return Interval(mean(values) - reach, mean(values) + reach, _CONFIDENCE)


@lru_cache(maxsize=1024)
def _quantile(df: int) -> float:
    return quantile(df, (1 + _CONFIDENCE) / 2)


def _sample(label: str, some: Sequence[Row], grouping: Grouping) -> Sample:
    usable = list_values(some, grouping)
    evaluated: defaultdict[str, set[str]] = defaultdict(set)
    completed = [row for row in some if row.status is Status.COMPLETED]
    good = [row for row in completed if _is_usable(row)]
    for row in good:
        unit = _unit(row, grouping)
        for path, digest in row.evaluated.items():
            evaluated[path if unit is None else f"{path} of {unit}"].add(digest)
    return Sample(
        label=label,
        # Reruns of a seed first, then the seeds of a fold or dataset.
        values={unit: mean([mean(one) for one in usable[unit].values()]) for unit in sorted(usable)},
        failed=len(some) - len(completed),
        missing=len(completed) - len(good),
        collapsed=sum(len(one) - 1 for seeds_of in usable.values() for one in seeds_of.values()),
        unseeded=sum(row.seed is None for row in good),
        evaluated={path: tuple(sorted(found)) for path, found in sorted(evaluated.items())},
    )


def list_values(some: Sequence[Row], grouping: Grouping) -> Mapping[str, Mapping[str, Sequence[float]]]:
    """The finite values of the completed runs of a configuration, by unit (fold, dataset, split, else the seed) and by seed."""
    usable: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    seeds = {str(row.seed) for row in some if row.seed is not None}
    for row in filter(_is_usable, some):
        seed, unit = _name_seed(row, seeds), _unit(row, grouping)
        usable[seed if unit is None else unit][seed].append(row.value or 0.0)
    return usable


def _is_usable(row: Row) -> bool:
    return row.status is Status.COMPLETED and row.value is not None and math.isfinite(row.value)


def name_unit(row: Row, some: Iterable[Row], grouping: Grouping) -> str:
    """By which name the value of a run stands in the sample of its configuration, of which `some` are the runs."""
    unit = _unit(row, grouping)
    return _name_seed(row, {str(one.seed) for one in some if one.seed is not None}) if unit is None else unit


def _name_seed(row: Row, seeds: Collection[str]) -> str:
    """The seed, or the name of a run without one, so that it is none of the seeds."""
    return str(row.seed) if row.seed is not None else f"run {row.name}" if row.name in seeds else row.name


def _unit(row: Row, grouping: Grouping) -> str | None:
    """The fold, dataset or split of a run; None where the seed is the unit."""
    if grouping.pair_by not in _KEYED or grouping.pair_key is None:
        return None
    return tell_value(row.params[grouping.pair_key]) if grouping.pair_key in row.params else row.name


def _mixed(some: Sequence[Row], grouping: Grouping) -> tuple[str, ...]:
    """What differs inside a configuration; data of a fold or dataset only among the runs of the same one."""
    lines = []
    for noun in ("code", "environment"):
        states = len({getattr(row, noun) for row in some})
        if states > 1:
            lines.append(f"{noun} ({counted(states, 'state')})")
    data: defaultdict[tuple[str | None, str], set[str]] = defaultdict(set)
    for row in some:
        for path, digest in row.data.items():
            data[_unit(row, grouping), path].add(digest)
    most: Counter[str] = Counter()
    for (_, path), found in data.items():
        most[path] = max(most[path], len(found))
    lines += [f"{path} ({counted(states, 'state')})" for path, states in sorted(most.items()) if states > 1]
    if grouping.by is not None:
        values: defaultdict[str, set[str]] = defaultdict(set)
        for row in some:
            for key, value in row.params.items():
                values[key].add(canonical(value))
        lines += [
            f"{key} ({counted(len(found), 'value')})"
            for key, found in sorted(values.items())
            if len(found) > 1 and key != grouping.pair_key
        ]
    return tuple(lines)
