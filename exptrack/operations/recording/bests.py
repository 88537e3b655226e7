"""What a new best has to beat: the best run so far, or the baseline of the run's experiment."""

from __future__ import annotations

import math

from exptrack.analysis.query import Comparison, Joined, Operand, Query
from exptrack.errors import ExptrackError
from exptrack.model.rules import Bar, Rule
from exptrack.model.run import Record, Run, Status
from exptrack.model.settings import Goal
from exptrack.operations.comparing.counting import leave_out
from exptrack.operations.comparing.gather import read_values
from exptrack.operations.context import Context
from exptrack.operations.listing import list_runs


def find_bar(context: Context, record: Record, rule: Rule) -> Bar | None:
    """The best final value of the rule's metric among the runs before this one; None if there is none.

    In an experiment with a baseline the runs of that count; else the completed runs of the experiment, or of the project where the run
    is in no experiment. Removed runs and reproductions do not count. Raises ExptrackError if the baseline cannot be found.
    """
    runs, _ = leave_out([run for run in list_runs(context, _ask(record)) if _is_alike(run, record)])
    declared = context.settings.experiments.get(record.experiment or "")
    owner = "the baseline, "
    if declared is not None and declared.baseline is not None and runs:
        names = _find_baseline(context, declared.name)
        runs = [run for run in runs if run.name in names]
    else:
        owner = ""
    values = zip(read_values(context, runs, rule.metric), runs, strict=True)
    valued = [(value, run.name) for value, run in values if value is not None and not math.isnan(value)]
    if not valued:
        return None
    value, name = (min if rule.goal is Goal.MINIMIZE else max)(valued, key=lambda one: one[0])
    return Bar(value, f"{owner}{name}")


def _ask(record: Record) -> Query:
    """The query for runs that may be alike, so that not all of a hundred thousand are read while the run goes on."""
    completed = Comparison("status", "=", Operand("text", Status.COMPLETED.value))
    if record.experiment is None:
        filed = Comparison("experiment", "~", Operand("text", "*"))
        return Joined("and", (completed, Joined("not", (filed,))))
    return Joined("and", (completed, Comparison("experiment", "=", Operand("text", record.experiment))))


def _is_alike(run: Run, record: Record) -> bool:
    other = run.record
    return run.status is Status.COMPLETED and other.project == record.project and other.experiment == record.experiment


def _find_baseline(context: Context, experiment: str) -> frozenset[str]:
    """The names of the runs of the configuration that is declared."""
    from exptrack.operations.comparing.material import gather_material

    baseline = gather_material(context, experiment).baseline
    if baseline is None:
        raise ExptrackError(f"the baseline of {experiment} is no single configuration")
    return frozenset(baseline.runs)
