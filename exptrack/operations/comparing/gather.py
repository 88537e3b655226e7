"""What a comparison takes from each run: parameters, the value of the metric, the state of code, environment and data."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from exptrack.analysis.codec import decode_environment
from exptrack.analysis.comparable import environment_tree
from exptrack.analysis.configurations import configuration_command
from exptrack.analysis.experiments.declaration import canonical
from exptrack.analysis.experiments.grouping import Row
from exptrack.analysis.history import Point, path_of
from exptrack.analysis.seeds import find_seed_key
from exptrack.backends.git import objects
from exptrack.errors import RecordError
from exptrack.model.run import Record, Run
from exptrack.model.settings import Goal
from exptrack.model.tree import Value, flatten
from exptrack.operations.comparing.codestates import digest_code
from exptrack.operations.context import Context
from exptrack.operations.histories import FOLDER, load_history, parse_history
from exptrack.operations.reproducing.evidence import input_data
from exptrack.operations.sources import below, is_at
from exptrack.store import runs

FINAL, BEST = "final", "best"
# Variables that differ from run to run by their nature, and say nothing of the environment.
_OWN = frozenset({"EXPTRACK_SEED", "PYTHONHASHSEED", "RANK", "LOCAL_RANK", "SLURM_JOB_ID", "CUDA_VISIBLE_DEVICES"})


def gather(context: Context, chosen: Sequence[Run], metric: str, step: str | float = FINAL) -> list[Row]:
    """The runs as rows, in their order. `step` is `final`, `best` (by the metric's declared goal) or the step whose value counts.

    A metric that is no number counts as missing. What the metric is declared to be evaluated on is looked up among the run's data, and
    if it is none, in its snapshot.
    """
    codes, environments = digest_code(context, chosen), _digest_environments(context, chosen)
    evaluated = _find_evaluated(context, chosen, metric)
    values = read_values(context, chosen, metric, step)
    rows = []
    for one, value in zip(chosen, values, strict=True):
        record = one.record
        key = find_seed_key(record.params, context.settings.seed)
        rows.append(
            Row(
                name=one.name,
                status=record.status,
                seed=record.seed if record.seed is not None else _find_seed(record, key),
                params=_without_seed(one, key),
                value=value,
                code=codes.get(one.oid, ""),
                command=configuration_command(record),
                environment=environments.get(one.oid, ""),
                data=input_data(record),
                evaluated=evaluated.get(one.oid, {}),
            )
        )
    return rows


def read_values(context: Context, chosen: Sequence[Run], metric: str, step: str | float = FINAL) -> list[float | None]:
    """The metric of each run: its final value, the best of its history, or the value at a step; None where there is none."""
    if step == FINAL:
        return [_take_number(_find_metric(one, metric)) for one in chosen]
    declared = context.settings.metrics.get(metric)
    goal = declared.goal if declared else None
    names = [f"{one.oid}:{FOLDER}{path_of(metric)}" for one in chosen]
    contents = objects.read_many(context.repository, names)
    return [
        # A thinned history has its best, but not every step.
        _take_point(load_history(context, one, metric), step, goal)
        if content and step != BEST and metric in one.record.thinned
        else _take_point(parse_history(content or b""), step, goal)
        for one, content in zip(chosen, contents, strict=True)
    ]


def _find_metric(run: Run, metric: str) -> Value:
    if metric in run.metrics and not isinstance(run.metrics[metric], Mapping):
        return run.metrics[metric]
    return flatten(run.metrics).get(metric)


def _take_number(value: Value) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _take_point(points: Sequence[Point], step: str | float, goal: Goal | None) -> float | None:
    if step == BEST:
        finite = [point.value for point in points if math.isfinite(point.value)]
        return (min if goal is Goal.MINIMIZE else max)(finite, default=None)
    found = [point.value for point in points if not isinstance(point.step, str) and point.step == step]
    return found[-1] if found else None


def _find_seed(record: Record, key: str | None) -> int | str | None:
    for tree in record.params.values() if key else ():
        value = flatten(tree).get(str(key))
        if isinstance(value, (int, str)):
            return value
    return None


def _without_seed(run: Run, key: str | None) -> dict[str, Value]:
    params = flatten(run.params)
    if key is not None:
        params.pop(key, None)
        for source in run.record.params:
            params.pop(f"{source}.{key}", None)
    return params


def _digest_environments(context: Context, chosen: Sequence[Run]) -> dict[str, str]:
    """By the oid of each run what its environment was, in short: interpreter, packages, platform, hardware and most variables."""
    blobs = objects.resolve(context.repository, [f"{one.oid}:{runs.ENVIRONMENT}" for one in chosen])
    different = [*dict.fromkeys(blob for blob in blobs if blob)]
    known = {
        blob: _tell_environment(content)
        for blob, content in zip(different, objects.read_many(context.repository, different), strict=True)
    }
    return {one.oid: known[blob] for one, blob in zip(chosen, blobs, strict=True) if blob}


def _tell_environment(content: bytes | None) -> str:
    try:
        tree = dict(environment_tree(decode_environment(content or b"")))
    except RecordError:
        return "unreadable"
    variables = tree.pop("variables", None)
    if isinstance(variables, Mapping):
        tree["variables"] = {name: value for name, value in variables.items() if name not in _OWN}
    return canonical(tree)


def _find_evaluated(context: Context, chosen: Sequence[Run], metric: str) -> dict[str, dict[str, str]]:
    """By the oid of each run the digests of what the metric is declared to be evaluated on, by path."""
    declared = context.settings.metrics.get(metric)
    paths = declared.evaluated_on if declared else ()
    asked = [(one, path, below(one.record.project, path.rstrip("/"))) for one in chosen for path in paths]
    oids = objects.resolve(context.repository, [f"{one.oid}^:{place}" for one, _, place in asked]) if asked else []
    found: dict[str, dict[str, str]] = {}
    for (one, path, place), oid in zip(asked, oids, strict=True):
        digest = _find_digest(one.record, place) or (f"git:{oid}" if oid else "")
        if digest:
            found.setdefault(one.oid, {})[path] = digest
    return found


def _find_digest(record: Record, place: str) -> str:
    """What the pointers at a path, below it or above it stand for; the one above it may be a folder of which it is a part."""
    data = {
        pointer.path: f"{pointer.algorithm}:{pointer.digest}{' modified' if pointer.modified else ''}"
        for pointer in record.pointers
    }
    if place in data:
        return data[place]
    inside = sorted(path for path in data if is_at(path, [place]))
    if inside:
        return " ".join(f"{path}={data[path]}" for path in inside)
    return next((digest for path, digest in data.items() if is_at(place, [path])), "")


def known_metrics(chosen: Collection[Run]) -> set[str]:
    """The metrics that some of the runs have, by dotted name."""
    return {name for one in chosen for name in flatten(one.metrics)}
