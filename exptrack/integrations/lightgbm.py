"""LightGBM: a callback for `lightgbm.train`, `lightgbm.cv` and the estimators, which logs evaluations, parameters and the best iteration."""

from __future__ import annotations

from typing import Any

from exptrack.integrations import require
from exptrack.tracking import ActiveRun
from exptrack.tracking.active import active_run, start_run

require("lightgbm", "lightgbm")
from lightgbm.callback import CallbackEnv  # noqa: E402 - now that it is known to be there

_HIGHER_IS_BETTER, _DEVIATION = 3, 4  # fields of an evaluation


class ExptrackCallback:
    """Logs to the active run, or to `run`: `callbacks=[ExptrackCallback()]`.

    Metrics are named `<data>/<metric>`, as in `valid_0/l2`, by iteration; of `lightgbm.cv` they are means, beside `<data>/<metric>_std`.
    `best_iteration` (from 0) and `best_score` are those of the first metric of the first data that is not trained on. The parameters of
    training are logged below `lightgbm`, unless `log_params` is false.
    """

    order = 25  # before early stopping, which ends the iteration
    before_iteration = False

    def __init__(self, *, run: ActiveRun | None = None, log_params: bool = True) -> None:
        self._run = run
        self._log_params = log_params
        self._best: float | None = None

    def __call__(self, env: CallbackEnv) -> None:
        """What LightGBM calls after each iteration."""
        run = self._run = self._run or active_run() or start_run()
        if env.iteration == env.begin_iteration:
            self._best = None
            if self._log_params:
                own = {"num_iterations": env.end_iteration - env.begin_iteration}
                run.log_params({"lightgbm": {**own, **env.params}})
        values: dict[str, float] = {}
        results: list[tuple[Any, ...]] = [tuple(result) for result in env.evaluation_result_list or ()]
        for data, metric, value, _, *deviation in results:
            values[f"{data}/{metric}"] = value
            if deviation and deviation[0] is not None:
                values[f"{data}/{metric}_std"] = deviation[0]
        if values:
            run.log_metrics(values | self._find_best(env, results), env.iteration)

    def _find_best(self, env: CallbackEnv, results: list[tuple[Any, ...]]) -> dict[str, float]:
        trained_on = {getattr(env.model, "_train_data_name", "training"), "training", "train"}
        looked_at = [one for one in results if one[0] not in trained_on and not str(one[1]).startswith("train ")]
        if not looked_at:
            return {}
        _, _, value, is_higher_better = looked_at[0][: _HIGHER_IS_BETTER + 1]
        if self._best is not None and not (value > self._best if is_higher_better else value < self._best):
            return {}
        self._best = value
        return {"best_iteration": env.iteration, "best_score": value}
