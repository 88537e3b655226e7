"""What is looked at beside the verdicts, if it is asked for: which parameter the metric goes with, and predictions example by example."""

from __future__ import annotations

from typing import NamedTuple

from exptrack.analysis.experiments.parameters import Association, associate
from exptrack.errors import RevError
from exptrack.model.comparison import Comparison
from exptrack.model.run import Run
from exptrack.operations.comparing.past import find_decided
from exptrack.operations.comparing.predictions import Examined, examine
from exptrack.operations.context import Context
from exptrack.operations.listing import list_runs
from exptrack.operations.ranges import is_query
from exptrack.operations.sides import find


class Beside(NamedTuple):
    """What was looked at, each None where it was not asked for. None of it changes a verdict."""

    associations: tuple[Association, ...] | None = None
    examined: Examined | None = None


def look_beside(
    context: Context, comparison: Comparison, words: tuple[str, ...] = (), *, by_parameter: bool, predictions: bool
) -> Beside:
    """The metric beside each parameter in which configurations differ and each variable of the experiment; and the predictions files.

    `words` are those that the comparison was asked for with: where they name two runs, these two are compared as models. Raises
    ExptrackError, DataError as `examine` does.
    """
    associations = _associate(context, comparison) if by_parameter else None
    if not predictions:
        return Beside(associations)
    listed = list_runs(context)
    names = {name for one in comparison.configurations for name in one.runs}
    decided = find_decided(context.repository)  # whether the predictions may be looked at
    facts = zip(listed.rows.column("name"), listed.rows.column("commit"), strict=True)
    runs = tuple(listed.pick([place for place, (name, oid) in enumerate(facts) if name in names or oid in decided]))
    return Beside(associations, examine(context, comparison, runs, _find_named(context, words)))


def _associate(context: Context, comparison: Comparison) -> tuple[Association, ...]:
    experiment = context.settings.experiments.get(comparison.experiment or "")
    variables = list(experiment.variables) if experiment else []
    different = sorted({key for one in comparison.configurations for key in one.params})
    return associate(comparison.configurations, tuple(dict.fromkeys([*variables, *different])))


def _find_named(context: Context, words: tuple[str, ...]) -> tuple[Run, ...]:
    """The two runs that the words name; none if they say anything else."""
    if len(words) != 2 or any(is_query(word) or ".." in word for word in words):
        return ()
    try:
        found = [find(context, word).run for word in words]
    except RevError:
        return ()
    runs = tuple(run for run in found if run is not None)
    return runs if len({run.name for run in runs}) == 2 else ()
