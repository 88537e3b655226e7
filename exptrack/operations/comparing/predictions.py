"""The predictions files of runs: two models example by example, and where the noise of configurations comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exptrack.analysis.experiments.predictions import (
    Examples,
    Models,
    Split,
    compare_models,
    make_examples,
    parse_examples,
    split_variance,
)
from exptrack.analysis.framefile import read_rows
from exptrack.analysis.wording import name_few
from exptrack.errors import ExptrackError
from exptrack.model.comparison import Comparison, Configuration
from exptrack.model.experiment import Predictions
from exptrack.model.run import Run, Status
from exptrack.operations.comparing.past import find_unsealings
from exptrack.operations.content import find_content
from exptrack.operations.context import SETTINGS, Context
from exptrack.operations.sources import below

_FEWEST = 3
_NAMED = 3


class Examined(NamedTuple):
    """What predictions say: of pairs of models, and of the noise of configurations with three runs or more. `notes` are lines on what is missing."""

    models: tuple[Models, ...] = ()
    splits: tuple[Split, ...] = ()
    notes: tuple[str, ...] = ()


def examine(context: Context, comparison: Comparison, runs: Sequence[Run], asked: Sequence[Run] = ()) -> Examined:
    """The predictions of the runs that are compared. `runs` are all of them, `asked` those that were named one by one.

    Two runs that were named, or that are all there is, are compared as models; else each candidate of one run beside a baseline of one
    run. Whatever runs a configuration has, what is said of two models never changes its verdict.

    Raises ExptrackError if no predictions file is declared, or they are of a holdout that was not unsealed; DataError for one that cannot be used, and for other examples.
    """
    columns = find_columns(context, comparison.experiment)
    _check_open(context, columns, runs)
    by_name = {one.name: one for one in runs if one.record.status is Status.COMPLETED}
    used = {
        one.label: tuple(by_name[name] for name in one.runs if name in by_name) for one in comparison.configurations
    }
    splits, notes = _split_all(context, columns, used)
    models = tuple(
        compare_models(
            read_examples(context, first, columns), read_examples(context, second, columns), (first.name, second.name)
        )
        for first, second in _find_pairs(comparison.configurations, used, asked)
    )
    if not models and not splits and not notes:
        notes = (f"no two models to compare: name two runs, or have {_FEWEST} runs of a configuration",)
    return Examined(models, splits, notes)


def find_columns(context: Context, experiment: str | None) -> Predictions:
    """The predictions file that the experiment declares; without one, the only one that is declared. Raises ExptrackError if there is none."""
    declared = context.settings.experiments
    chosen = [one for one in declared.values() if experiment in {None, one.name}]
    found = {one.predictions for one in chosen if one.predictions is not None}
    if len(found) == 1:
        return found.pop()
    if found:
        names = name_few([one.name for one in chosen if one.predictions is not None], _NAMED)
        raise ExptrackError(f"which predictions file? Experiments declare different ones ({names}): name one with -e")
    where = f"experiments.{experiment or 'NAME'}.predictions"
    raise ExptrackError(f"no predictions file is declared: name it in {SETTINGS}, {where}")


def _check_open(context: Context, columns: Predictions, runs: Sequence[Run]) -> None:
    """Raise ExptrackError if the predictions are of a holdout that nobody unsealed yet: their accuracy is what is sealed."""
    names = [one.name for one in context.settings.experiments.values() if one.predictions == columns]
    if columns.holdout and not any(find_unsealings(runs, name) for name in names):
        raise ExptrackError(
            f"the predictions in {columns.path} are sealed, they are of a holdout: open it with `exptrack unseal -e {names[0]}` once the choice is made"
        )


def read_examples(context: Context, run: Run, columns: Predictions) -> Examples:
    """What a run predicted. A path that ends in `.parquet` is Parquet, any other CSV. Raises ExptrackError, DataError."""
    path = below(run.record.project, columns.path)
    content = find_content(context, run, path)
    if content.names is not None:
        raise ExptrackError(f"'{path}' of run '{run.name}' is a folder: name the predictions file in {SETTINGS}")
    data = content.data if content.file is None else content.file.read_bytes()
    source = f"{columns.path} of {run.name}"
    if path.endswith(".parquet"):
        return make_examples(read_rows(data, (columns.id, columns.label, columns.prediction), source), columns, source)
    return parse_examples(data, columns, source)


def _find_pairs(
    configurations: Sequence[Configuration], used: Mapping[str, Sequence[Run]], asked: Sequence[Run]
) -> list[tuple[Run, Run]]:
    """Baseline and candidate; of two runs that were named, the first that is not the baseline's comes last."""
    baselines = [run for one in configurations if one.is_baseline for run in used[one.label]]
    everything = list(asked) if len(asked) == 2 else [run for runs in used.values() for run in runs]
    if len(everything) == 2:
        base = {run.name for run in baselines}
        first, second = sorted(everything, key=lambda run: run.name not in base)
        return [(first, second)]
    if len(baselines) != 1:
        return []
    candidates = [used[one.label] for one in configurations if not one.is_baseline]
    return [(baselines[0], runs[0]) for runs in candidates if len(runs) == 1]


def _split_all(
    context: Context, columns: Predictions, used: Mapping[str, Sequence[Run]]
) -> tuple[tuple[Split, ...], tuple[str, ...]]:
    """Where the noise of each configuration comes from; one of which runs have no file, or none of the same examples, is a line."""
    splits, notes = [], []
    for label, runs in used.items():
        if len(runs) < _FEWEST:
            continue
        try:
            split = split_variance(label, [read_examples(context, run, columns) for run in runs])
        except ExptrackError as error:
            notes.append(f"{label}: {error}")
            continue
        if split is None:
            notes.append(f"{label}: its predictions are numbers, of which no accuracy is split")
        else:
            splits.append(split)
    return tuple(splits), tuple(notes)
