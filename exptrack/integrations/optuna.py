"""Optuna: a callback that logs a study's trials to one run, and `track`, which makes each trial a run inside of it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from exptrack.integrations import CallbackRun, require
from exptrack.tracking.active import NOTHING, active_run, start_run

require("optuna", "optuna")
from optuna import Study, Trial, TrialPruned  # noqa: E402 - now that it is known to be there
from optuna.trial import FrozenTrial, TrialState  # noqa: E402 - now that it is known to be there


class ExptrackCallback:
    """Logs each trial, by its number: `study.optimize(objective, callbacks=[ExptrackCallback()])`.

    Metrics are the trial's `value` (of several objectives `value_0` and so on), those of its parameters that are numbers, and the best so
    far. It logs to the active run; where there is none it starts one when it is made, of this name and with what else `start_run` takes.
    """

    def __init__(self, name: str | None = None, **start: Any) -> None:
        self._run = CallbackRun("optuna", name=name, **start).get()  # now, since trials have runs inside of it
        self._lock = threading.Lock()

    def __call__(self, study: Study, trial: FrozenTrial) -> None:
        """What Optuna calls when a trial has ended, in the thread of that trial."""
        numbers = {f"params/{name}": value for name, value in trial.params.items() if isinstance(value, int | float)}
        self._run.log_metrics({**_name(trial.values or ()), **numbers}, trial.number)
        with self._lock:  # so that the best is logged in order
            parts = {"sampler": type(study.sampler).__name__, "pruner": type(study.pruner).__name__}
            directions = [one.name.lower() for one in study.directions]
            self._run.log_params({"optuna": {"study": study.study_name, "directions": directions, **parts}})
            if trial.state == TrialState.COMPLETE and len(directions) == 1:
                best = study.best_trial
                self._run.log_metrics({"best_value": best.value, "best_trial": best.number}, trial.number)


def _name(values: Any) -> dict[str, object]:
    return {"value": values[0]} if len(values) == 1 else {f"value_{at}": value for at, value in enumerate(values)}


def track(objective: Callable[[Trial], Any]) -> Callable[[Trial], Any]:
    """A decorator: each trial is a run inside of the active one, with the trial's parameters, and what the objective returns as `value`.

    One that is pruned is completed, with the tag `pruned`; any other exception fails it.
    """

    @functools.wraps(objective)
    def tracked(trial: Trial) -> Any:
        if active_run() is NOTHING:
            return objective(trial)
        pruned = None
        with start_run(tags=[f"trial={trial.number}"], nested=True) as run:
            try:
                found = objective(trial)
                run.log_metrics(_name(found if isinstance(found, tuple | list) else (found,)))
            except TrialPruned as error:
                pruned = error
                run.set_tags("pruned")
            finally:
                run.log_params(trial.params)
        if pruned is not None:
            raise pruned
        return found

    return tracked
