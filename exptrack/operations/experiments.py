"""Which experiments there are, and how far each has come."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence

from exptrack.analysis.experiments.states import describe_experiment
from exptrack.errors import ExptrackError
from exptrack.model.experiment import Experiment
from exptrack.model.experimentstate import ExperimentState, Progress
from exptrack.model.run import PIPELINE, Record, Run
from exptrack.model.selection import Answer
from exptrack.operations.active import list_active
from exptrack.operations.comparing.counting import leave_out
from exptrack.operations.comparing.past import find_choices, find_conclusions, find_decided, find_unsealings
from exptrack.operations.comparing.removed import count_removed
from exptrack.operations.context import SETTINGS, Context
from exptrack.operations.listing import Runs, list_runs


def list_experiments(context: Context, name: str | None = None) -> tuple[ExperimentState, ...]:
    """The experiments that `exptrack.yaml` declares, in its order, then others that runs are filed under; with a `name` that one alone.

    Runs count as in `compare`; of removed ones the number alone is told. Raises ExptrackError, with the nearest name, if there is none of that name.
    """
    return tuple(state for state, _ in _look(context, name))


def write_commands(context: Context, name: str, command: Sequence[str] = ()) -> tuple[str, ...]:
    """The command lines of the runs that an experiment still lacks; see `analysis.experiments.planning`. Raises ExptrackError."""
    from exptrack.analysis.experiments.planning import write_missing

    [(state, own)] = _look(context, name)
    records = {one.name: one.record for one in own}
    return write_missing(state, records, command, context.settings.seed)


def _look(context: Context, wanted: str | None) -> Iterator[tuple[ExperimentState, Sequence[Run]]]:
    """Each experiment, with the runs that were read of it: those of one are in memory at once."""
    listed = list_runs(context)
    rows = listed.rows
    places: defaultdict[str, list[int]] = defaultdict(list)
    filed: set[str] = set()
    for place, (name, remover) in enumerate(zip(rows.column("experiment"), rows.column("removed"), strict=True)):
        if name is not None:
            places[str(name)].append(place)
            filed |= {str(name)} if remover is None else set()
    running: defaultdict[str, list[Record]] = defaultdict(list)
    for one in list_active(context):
        if one.is_alive and one.record is not None and one.record.experiment is not None:
            running[one.record.experiment].append(one.record)
    names = tuple(dict.fromkeys([*context.settings.experiments, *sorted({*filed, *running})]))
    if wanted is not None and wanted not in names:
        raise _unknown(wanted, names)
    removed = count_removed(context, rows)
    decided = find_decided(context.repository)
    for name in names if wanted is None else (wanted,):
        own, experiment = listed.pick(places[name]), context.settings.experiments.get(name)
        state, runs = _describe(experiment, own, running[name]) if experiment else _count(name, own, decided)
        yield state._replace(removed=removed.get(name, Counter()).total()), runs


def _describe(experiment: Experiment, listed: Runs, running: Sequence[Record]) -> tuple[ExperimentState, list[Run]]:
    runs, _ = leave_out(tuple(listed))
    state = _add_decisions(describe_experiment(experiment, [run.record for run in runs], running), runs)
    if state.answer not in {None, Answer.NOT_YET} and state.progress is not Progress.RUNNING:
        state = state._replace(progress=Progress.CONCLUDED)
    holdout = experiment.holdout
    unsealings = find_unsealings(runs, experiment.name, holdout) if holdout else ()
    return state._replace(unsealed=len(unsealings)), runs


def _count(name: str, listed: Runs, decided: Collection[str]) -> tuple[ExperimentState, list[Run]]:
    """Of an experiment that is not declared how many runs it has: those are read that may tell more, or may have made nothing."""
    facts = zip(*(listed.rows.column(one) for one in ("removed", "reproduces", "command", "commit")), strict=True)
    drawn = [(place, *fact[2:]) for place, fact in enumerate(facts) if fact[:2] == (None, None)]
    read = listed.pick([place for place, command, oid in drawn if command == PIPELINE or oid in decided])
    kept, _ = leave_out(tuple(read))
    state = ExperimentState(name, Progress.NOT_DECLARED, runs=len(drawn) - len(read) + len(kept))
    return _add_decisions(state, kept), kept


def _add_decisions(state: ExperimentState, runs: Sequence[Run]) -> ExperimentState:
    choices, conclusions = find_choices(runs, state.name), find_conclusions(runs, state.name)
    return state._replace(
        chosen=choices[-1].label if choices else None, answer=conclusions[-1].answer if conclusions else None
    )


def _unknown(name: str, names: Sequence[str]) -> ExptrackError:
    from exptrack.analysis.fieldnames import find_nearest, shown
    from exptrack.analysis.wording import name_few

    if not names:
        return ExptrackError(f"no experiment {shown(name)} in {SETTINGS}: declare it below `experiments`")
    near = find_nearest(name, names)
    advice = f"did you mean {shown(near)}?" if near else f"there is {name_few([*map(shown, names)], 5)}"
    return ExptrackError(f"no experiment {shown(name)} in {SETTINGS}: {advice}")
