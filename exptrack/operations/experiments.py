"""Which experiments there are, and how far each has come."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from exptrack.analysis.experiments.states import describe_experiment
from exptrack.errors import ExptrackError
from exptrack.model.experiment import Experiment
from exptrack.model.experimentstate import ExperimentState, Progress
from exptrack.model.run import Record, Run
from exptrack.model.selection import Answer
from exptrack.operations.active import list_active
from exptrack.operations.comparing.counting import leave_out
from exptrack.operations.comparing.past import find_choices, find_conclusions, find_unsealings
from exptrack.operations.comparing.removed import count_removed
from exptrack.operations.context import SETTINGS, Context
from exptrack.operations.listing import Runs, list_runs


def list_experiments(
    context: Context, name: str | None = None, listed: Runs | None = None
) -> tuple[ExperimentState, ...]:
    """The experiments that `exptrack.yaml` declares, in its order, then others that runs are filed under; with a `name` that one alone.

    Runs count as in `compare`; of removed ones the number alone is told. `listed` are all runs, if they were read before. Raises ExptrackError, with the nearest name, if there is none of that name.
    """
    found: defaultdict[str, list[Run]] = defaultdict(list)
    listed = list_runs(context) if listed is None else listed
    for run in listed:
        if run.record.experiment is not None:
            found[run.record.experiment].append(run)
    running: defaultdict[str, list[Record]] = defaultdict(list)
    for one in list_active(context):
        if one.is_alive and one.record is not None and one.record.experiment is not None:
            running[one.record.experiment].append(one.record)
    declared = context.settings.experiments
    filed = {name for name, some in found.items() if not all(run.is_removed for run in some)}
    names = tuple(dict.fromkeys([*declared, *sorted({*filed, *running})]))
    if name is not None and name not in names:
        raise _unknown(name, names)
    wanted = names if name is None else (name,)
    removed = count_removed(context, listed)
    return tuple(
        _describe(one, declared.get(one), leave_out(found[one])[0], running[one])._replace(
            removed=removed.get(one, Counter()).total()
        )
        for one in wanted
    )


def write_commands(context: Context, name: str, command: Sequence[str] = ()) -> tuple[str, ...]:
    """The command lines of the runs that an experiment still lacks; see `analysis.experiments.planning`. Raises ExptrackError."""
    from exptrack.analysis.experiments.planning import write_missing

    listed = list_runs(context)
    [state] = list_experiments(context, name, listed)
    own, _ = leave_out([one for one in listed if one.record.experiment == name])
    records = {one.name: one.record for one in own}
    return write_missing(state, records, command, context.settings.seed)


def _describe(
    name: str, declared: Experiment | None, runs: Sequence[Run], running: Sequence[Record]
) -> ExperimentState:
    if declared is None:
        state = ExperimentState(name, Progress.NOT_DECLARED, runs=len(runs))
    else:
        state = describe_experiment(declared, [run.record for run in runs], running)
    choices, conclusions = find_choices(runs, name), find_conclusions(runs, name)
    unsealings = find_unsealings(runs, name, declared.holdout) if declared and declared.holdout else ()
    answer = conclusions[-1].answer if conclusions else None
    if answer not in {None, Answer.NOT_YET} and state.progress not in {Progress.RUNNING, Progress.NOT_DECLARED}:
        state = state._replace(progress=Progress.CONCLUDED)
    return state._replace(
        chosen=choices[-1].label if choices else None,
        answer=answer,
        unsealed=len(unsealings),
    )


def _unknown(name: str, names: Sequence[str]) -> ExptrackError:
    from exptrack.analysis.fieldnames import find_nearest, shown
    from exptrack.analysis.wording import name_few

    if not names:
        return ExptrackError(f"no experiment {shown(name)} in {SETTINGS}: declare it below `experiments`")
    near = find_nearest(name, names)
    advice = f"did you mean {shown(near)}?" if near else f"there is {name_few([*map(shown, names)], 5)}"
    return ExptrackError(f"no experiment {shown(name)} in {SETTINGS}: {advice}")
