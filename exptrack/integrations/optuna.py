"""Optuna: a callback that logs a study's trials to one run, and `trial_run`, which makes each trial a run inside of it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from exptrack.integrations import require
from exptrack.tracking import ActiveRun
from exptrack.tracking.active import active_run, start_run

require("optuna", "optuna")
from optuna import Study, Trial, TrialPruned  # noqa: E402 - now that it is known to be there
from optuna.trial import FrozenTrial, TrialState  # noqa: E402 - now that it is known to be there


class ExptrackCallback:
    """Logs each trial to the active run, or to `run`: `study.optimize(objective, callbacks=[ExptrackCallback()])`.

    The step is the trial's number. Metrics are the value (`metric_name`; of several objectives a name each, else `value_0` and so on),
    the best value so far as `best_<name>`, and the trial's parameters that are numbers as `params/<name>`.
    """

    def __init__(self, metric_name: str | list[str] = "value", *, run: ActiveRun | None = None) -> None:
        self._names = [metric_name] if isinstance(metric_name, str) else list(metric_name)
        self._run = run or active_run() or start_run()  # now, since trials end in threads of their own
        self._lock = threading.Lock()
        self._told = False

    def __call__(self, study: Study, trial: FrozenTrial) -> None:
        """What Optuna calls when a trial has ended, in the thread of that trial."""
        values = dict(zip(self._name(study), trial.values or (), strict=False))
        numbers = {f"params/{name}": value for name, value in trial.params.items() if isinstance(value, int | float)}
        self._run.log_metrics({**values, **numbers}, trial.number)
        with self._lock:  # so that the best is logged in order
            if not self._told:
                self._told = True
                self._run.log_params({"optuna": _describe(study)})
            if trial.state == TrialState.COMPLETE and len(study.directions) == 1:
                best = study.best_trial
                self._run.log_metrics(
                    {f"best_{next(iter(values))}": best.value, "best_trial": best.number}, trial.number
                )

    def _name(self, study: Study) -> list[str]:
        count = len(study.directions)
        if len(self._names) == count:
            return self._names
        return study.metric_names or [f"{self._names[0]}_{number}" for number in range(count)]


def _describe(study: Study) -> dict[str, Any]:
    parts = {"sampler": type(study.sampler).__name__, "pruner": type(study.pruner).__name__}
    return {"study": study.study_name, "directions": [one.name.lower() for one in study.directions], **parts}


@contextmanager
def trial_run(trial: Trial) -> Iterator[ActiveRun]:
    """Make the trial a run inside of the active one; for a `with` in the objective.

    When it ends it has the trial's parameters. One that is pruned is completed, with the tag `pruned`; any other exception fails it.
    """
    with start_run(tags=[f"trial={trial.number}"], nested=True) as run:
        try:
            yield run
        except TrialPruned:
            run.set_tags("pruned")
            run.log_params(trial.params)
            run.end()
            raise
        finally:
            run.log_params(trial.params)


def track(objective: Callable[[Trial], Any]) -> Callable[[Trial], Any]:
    """A decorator: each trial is a run of its own (see `trial_run`), with what the objective returns as its metric `value`."""

    @functools.wraps(objective)
    def tracked(trial: Trial) -> Any:
        with trial_run(trial) as run:
            found = objective(trial)
            values = {"value": found} if not isinstance(found, tuple | list) else _number(found)
            run.log_metrics(values)
            return found

    return tracked


def _number(values: Any) -> dict[str, object]:
    return {f"value_{number}": value for number, value in enumerate(values)}
