"""How far an experiment has come, out of its declaration and its runs."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

from exptrack.analysis.experiments.declaration import (
    canonical,
    configuration_of,
    find_missing,
    find_outside,
    is_configuration,
)
from exptrack.analysis.wording import name_few
from exptrack.model.experiment import Experiment, Pairing
from exptrack.model.experimentstate import ConfigurationState, ExperimentState, Outside, Progress
from exptrack.model.run import Record, Status
from exptrack.model.tree import Tree, Value, flatten, unite

MOST_PLANNED = 1000  # configurations of which none needs to have a run
_NAMED = 3
_KEYED = frozenset({Pairing.FOLD, Pairing.DATASET, Pairing.SPLIT})

_Key = tuple[tuple[str, str], ...]


def describe_experiment(
    experiment: Experiment, records: Sequence[Record], running: Sequence[Record] = ()
) -> ExperimentState:
    """The state of a declared experiment; `records` are its runs, `running` those that have not ended. The runs stand in the order of their start."""
    grid = math.prod(len(values) for values in experiment.variables.values())
    groups: dict[_Key, Mapping[str, Value]] = {}
    if grid <= MOST_PLANNED:
        groups = {_key(params): params for params in _list_grid(experiment)}
    members: defaultdict[_Key, list[Record]] = defaultdict(list)
    alive: Counter[_Key] = Counter()
    outside: list[Outside] = []
    for record, is_running in (*((one, False) for one in _sort(records)), *((one, True) for one in _sort(running))):
        params = unite("params.yaml", record.params)
        reason = _find_reason(experiment, params)
        if reason is not None:
            outside.append(Outside(record.name, reason))
            continue
        own = configuration_of(experiment, params)
        key = _key(own)
        groups.setdefault(key, own)
        if is_running:
            alive[key] += 1
        else:
            members[key].append(record)
    planned = _plan(experiment, [record for some in members.values() for record in some])
    found = tuple(
        _count(experiment, params, members[key])._replace(planned=planned, running=alive[key])
        for key, params in groups.items()
    )
    state = ExperimentState(
        experiment.name, Progress.NOT_STARTED, experiment, found, tuple(outside), grid, len(records)
    )
    return state._replace(progress=_find_progress(state, is_running=bool(running)))


def _sort(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda one: (one.started, one.name))


def _list_grid(experiment: Experiment) -> Iterator[Mapping[str, Value]]:
    names = tuple(experiment.variables)
    for values in product(*experiment.variables.values()):
        yield dict(zip(names, values, strict=True))


def _key(params: Mapping[str, Value]) -> _Key:
    return tuple((key, canonical(value)) for key, value in params.items())


def _find_reason(experiment: Experiment, params: Tree) -> str | None:
    outside = find_outside(experiment, params)
    if outside:
        return name_few(outside, _NAMED)
    missing = find_missing(experiment, params)
    return f"{name_few(missing, _NAMED)} is not among its parameters" if missing else None


def _count(experiment: Experiment, params: Mapping[str, Value], some: Sequence[Record]) -> ConfigurationState:
    completed = [one for one in some if one.status is Status.COMPLETED]
    usable = [one for one in completed if experiment.metric is None or _has_metric(one, experiment.metric)]
    units = {_unit(experiment, one) for one in usable}
    baseline = experiment.baseline
    return ConfigurationState(
        params=params,
        recorded=len(units),
        repeated=len(usable) - len(units),
        missing=len(completed) - len(usable),
        failed=len(some) - len(completed),
        is_baseline=isinstance(baseline, Mapping) and is_configuration(baseline, params),
        runs=tuple(one.name for one in some),
    )


def _plan(experiment: Experiment, records: Iterable[Record]) -> int | None:
    """The planned runs of a configuration: where they are paired by dataset, as many on each dataset that there is."""
    if experiment.seeds is None or experiment.pair_by is not Pairing.DATASET:
        return experiment.seeds
    units = (_unit(experiment, one) for one in records)
    return experiment.seeds * max(1, len({name for kind, name, *_ in units if kind == "unit"}))


def _has_metric(record: Record, metric: str) -> bool:
    value = flatten(record.metrics).get(metric)
    return isinstance(value, (int, float)) and math.isfinite(value)


def _unit(experiment: Experiment, record: Record) -> tuple[str, ...]:
    """What is counted once: a fold or split, a seed on a dataset, else a seed; a run without one is one by itself."""
    seed = ("run", record.name) if record.seed is None else ("seed", str(record.seed))
    if experiment.pair_by in _KEYED and experiment.pair_key is not None:
        value = flatten(unite("params.yaml", record.params)).get(experiment.pair_key)
        if value is None:
            return ("run", record.name)
        return ("unit", canonical(value), *(seed if experiment.pair_by is Pairing.DATASET else ()))
    return seed


def _find_progress(state: ExperimentState, *, is_running: bool) -> Progress:
    if is_running:
        return Progress.RUNNING
    if not state.runs:
        return Progress.NOT_STARTED
    if state.declared is None or state.declared.seeds is None:
        return Progress.OPEN
    have = sum(one.recorded >= (one.planned or 0) for one in state.configurations)
    return Progress.COMPLETE if have == len(state.configurations) >= state.grid else Progress.INCOMPLETE
