"""What a reproduction is judged by: what came of a run, which runs are its replicates, what differs between it and its rerun."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from exptrack.analysis.artifacts import FOLDER as ARTIFACTS
from exptrack.analysis.configurations import code_digest, configuration_key
from exptrack.analysis.points import Points
from exptrack.analysis.seeds import SEEDS
from exptrack.analysis.terms import matches_path
from exptrack.backends.git import objects
from exptrack.model.data import Pointer
from exptrack.model.difference import Area, Difference
from exptrack.model.pipeline import StageRun, StageState
from exptrack.model.reproduction import Outcome, Replicates
from exptrack.model.run import Record, Run, Status
from exptrack.model.tree import flatten, merge
from exptrack.operations.context import Context
from exptrack.operations.files import Committed
from exptrack.operations.histories import load_points
from exptrack.operations.listing import Runs, list_runs
from exptrack.operations.sources import Reader, is_at
from exptrack.store.holdout import read_holdout
from exptrack.store.private_index import is_dvc_file

_FEW = 20  # runs that are rather read than told apart
_MACHINE = "system/"  # how the histories of what a run used of the machine begin
# What an output could not be kept for, other than that the command did not write it.
_UNKEPT = re.compile(r"-o (.+?): (?!was not written by this run|is not there).*", re.DOTALL)


def gather_outcome(context: Context, run: Run) -> Outcome:
    """What came of a run: its declared outputs and its metrics, those that are sealed among them. Metric files count by their values, not as outputs."""
    record = run.record
    made = {one.path: f"{one.algorithm}:{one.digest}" for one in record.outputs}
    # Pointers in dvc.lock may stand for what an earlier run left: only what a stage of this one made or had counts.
    for stage in record.stages or ():
        made |= stage.outs
    metric_files = _metric_files(context, run) if record.stages else frozenset()
    outputs = {path: digest for path, digest in made.items() if path not in metric_files}
    metrics = merge(record.metrics, read_holdout(context.repository, run))
    return Outcome(run.name, record.status, record.seed, metrics, outputs)


def without_idle(
    original: Outcome, outcomes: Sequence[Outcome], reruns: Sequence[Run]
) -> tuple[list[Outcome], tuple[str, ...]]:
    """The original and its reruns without the outs of stages that DVC did not run again, since they are frozen; a line for each such.

    They were not made again, so that they agree says nothing.
    """
    idle = {
        stage.name: stage.outs
        for rerun in reruns
        for stage in rerun.record.stages or ()
        if stage.state in {StageState.SKIPPED, StageState.RESTORED}
    }
    left = {path for outs in idle.values() for path in outs}
    kept = [
        one._replace(outputs={path: digest for path, digest in one.outputs.items() if path not in left})
        for one in (original, *outcomes)
    ]
    return kept, tuple(
        f"stage {name} did not run again (frozen in dvc.yaml?): its outputs are not compared" for name in idle
    )


def describe_unrun(run: Run, reruns: Sequence[Run]) -> tuple[str, ...]:
    """Lines on stages that the run did not run itself, and whose outs differ in a rerun.

    Of what they ran in, the record of the run says nothing: its environment is that of the stages that it ran.
    """
    how = {StageState.SKIPPED: "nothing had changed", StageState.RESTORED: "restored from an earlier run"}
    again = [{stage.name: stage.outs for stage in rerun.record.stages or ()} for rerun in reruns]
    return tuple(
        f"stage '{stage.name}' was not run by {run.name} ({how[stage.state]}): its environment is not known"
        for stage in run.record.stages or ()
        if stage.state in how and any(outs.get(stage.name, stage.outs) != stage.outs for outs in again)
    )


def without_unkept(outcomes: Sequence[Outcome], found_in: Sequence[Run]) -> tuple[list[Outcome], tuple[str, ...]]:
    """The outcomes without the outputs that one of the runs wrote, but that could not be kept; a line for each."""
    found = {
        match[1]: f"{one.name}: {problem}"
        for one in found_in
        for problem in one.record.problems
        if (match := _UNKEPT.fullmatch(problem))
    }
    kept = [
        one._replace(outputs={path: digest for path, digest in one.outputs.items() if path not in found})
        for one in outcomes
    ]
    return kept, tuple(found.values())


def without_metrics(difference: Difference, hidden: Collection[str]) -> Difference:
    """A difference that does not show the values of these metrics."""
    shown = tuple(one for one in difference.changes if one.area != Area.METRICS or ".".join(one.key) not in hidden)
    return difference._replace(changes=shown)


def gather_histories(context: Context, run: Run, hidden: Collection[str] = ()) -> Mapping[str, Points]:
    """The history of each metric of a run, by name, but for those `hidden`, and without what it used of the machine."""
    return {
        name: points
        for name, points in load_points(context, run).items()
        if name not in hidden and not name.startswith(_MACHINE)
    }


def find_replicates(context: Context, run: Run, seed_name: str | None, without: Collection[str]) -> Replicates:
    """The completed runs of the same configuration on the same data, the run itself among them, but for those named `without`.

    Reproductions are none: one that went wrong would widen the interval, so that trying often enough would make any result pass. Nor
    are runs whose metrics an earlier run had made: they are the same draw. That holds of the original, too, in whose place that run does
    not count.
    """
    key, inputs = configuration_key(run.record, seed_name), input_data(run.record)
    candidates = [
        one
        for one in sorted(_find_alike(context, run, seed_name), key=lambda one: one.ref)
        if one.name not in without and configuration_key(one.record, seed_name) == key
    ]
    digests = _digest_code(context, candidates)
    metric_files = _metric_files(context, run) if run.record.is_pipeline else frozenset()
    source = _find_source(run, candidates, metric_files)
    left: Counter[str] = Counter()
    outcomes = []
    for one in candidates:
        if one.record.links.reproduces is not None and one.name != run.name:
            left["made by `reproduce`"] += 1
        elif digests.get(one.name) != digests.get(run.name):
            left["other code"] += 1
        elif input_data(one.record) != inputs:
            left["other data"] += 1
        elif one.status is not Status.COMPLETED:
            left[str(one.status)] += 1
        elif one.name == source:
            left[f"its result is what {run.name} has"] += 1
        elif one.name != run.name and not _is_made_anew(one.record, metric_files):
            left["nothing was run anew"] += 1
        else:
            record = one.record
            outcomes.append(Outcome(one.name, record.status, record.seed, record.metrics))
    return Replicates(tuple(outcomes), dict(left))


def _find_alike(context: Context, run: Run, seed_name: str | None) -> Runs:
    """The runs that may be of the same configuration: those with the same values of all parameters but what may be a seed."""
    found = list_runs(context)
    seeds = [f".{name}." for name in (*SEEDS, seed_name) if name]
    for key, value in flatten(run.params).items():
        if len(found) <= _FEW:
            break
        if value == value and not any(seed in f".{key}." for seed in seeds):  # noqa: PLR0124 - NaN is told apart later
            column = found.rows.column(f"params.{key}")
            found = found.pick([place for place, other in enumerate(column) if other == value])
    return found


def _is_made_anew(record: Record, metric_files: Collection[str]) -> bool:
    """Whether the run made its metrics itself: one of the stages that hold them ran, or if none does, any."""
    stages = record.stages
    return stages is None or any(one.state is StageState.RAN for one in _find_judged(stages, metric_files))


def _find_judged(stages: Sequence[StageRun], metric_files: Collection[str]) -> list[StageRun]:
    """The stages whose outs hold metric files; all, if none does."""
    return [one for one in stages if any(is_at(path, one.outs) for path in metric_files)] or list(stages)


def _find_source(run: Run, found: Sequence[Run], metric_files: Collection[str]) -> str | None:
    """The name of the run whose metrics this one has, if it made none itself: the last before it that made the same, reproductions aside."""
    if _is_made_anew(run.record, metric_files):
        return None
    results = _list_results(run.record, metric_files)
    earlier = [
        one
        for one in found
        if one.started < run.started
        and one.record.is_pipeline
        and one.record.links.reproduces is None
        and _is_made_anew(one.record, metric_files)
        and _list_results(one.record, metric_files) == results
    ]
    return max(earlier, key=lambda one: one.started).name if earlier else None


def _list_results(record: Record, metric_files: Collection[str]) -> dict[str, tuple[Mapping[str, str], ...]]:
    return {stage.name: (stage.deps, stage.outs) for stage in _find_judged(record.stages or (), metric_files)}


def input_data(record: Record) -> dict[str, str]:
    """The data that a run did not make itself: digests by path. What was modified is not what another run had."""
    return {
        one.path: f"{one.algorithm}:{one.digest}{' modified' if one.modified else ''}"
        for one in record.data
        if not _is_made(record, one)
    }


def name_differences(difference: Difference, ignored: Sequence[str] = ()) -> tuple[str, ...]:
    """What was executed otherwise than recorded, a line each: files of code, input data, parameters.

    Files that match one of the patterns `ignored` may differ; see `analysis.terms.matches_path`.
    """
    run = difference.old.run
    made = set(gather_made(run.record)) if run else set()
    lines = []
    for file in difference.files:
        if matches_path(file.path, ignored):
            continue
        counts = "" if file.added is None else f" (+{file.added} −{file.removed} lines)"  # noqa: RUF001 - a minus sign
        lines.append(f"code: {file.path} {file.kind}{counts}")
    for change in difference.changes:
        key = ".".join(change.key)
        if change.area == Area.DATA and change.key[0] not in made and not change.key[0].startswith(ARTIFACTS):
            lines.append(f"data: {change.key[0]} {change.kind}")
        elif change.area == Area.PARAMS:
            lines.append(f"parameter: {key} {change.old} → {change.new}")
    return tuple(lines)


def gather_made(record: Record) -> tuple[str, ...]:
    """Paths of what a run made itself."""
    made = [one.path for one in record.pointers if _is_made(record, one)]
    return tuple(dict.fromkeys([*made, *(path for stage in record.stages or () for path in stage.outs)]))


def _is_made(record: Record, pointer: Pointer) -> bool:
    """Whether a pointer stands for something that the run made: an output, or what a stage of its pipeline wrote."""
    if pointer in record.outputs:
        return True
    return record.stages is not None and pointer.stage is not None


def _metric_files(context: Context, run: Run) -> frozenset[str]:
    if run.snapshot is None:
        return frozenset()
    files = Committed(context.repository, run.snapshot)
    reader = Reader(files, run.record.project, context.yaml.load)
    sources = reader.find_sources([path for path in files.paths if is_dvc_file(path)], run.record.directory)
    return frozenset(sources.metrics)


def _digest_code(context: Context, found: Sequence[Run]) -> dict[str, str]:
    """The state of the code of each run by name. Snapshots that are equal are read once."""
    trees = objects.resolve(context.repository, [f"{one.oid}^^{{tree}}" for one in found])
    known: dict[str, dict[str, str]] = {}
    digests = {}
    for one, tree in zip(found, trees, strict=True):
        if tree is None:
            continue
        if tree not in known:
            known[tree], _ = objects.list_blobs(context.repository, tree)
        digests[one.name] = code_digest(one.record, known[tree], context.settings.compare)
    return digests
