"""A callback for LightGBM: `lightgbm.train(…, callbacks=[ExptrackCallback()])`, `lightgbm.cv`, and the estimators."""

from __future__ import annotations

from typing import Any

from exptrack.integrations import CallbackRun, require

require("lightgbm", "lightgbm")
from lightgbm.callback import CallbackEnv  # noqa: E402 - now that it is known to be there


class ExptrackCallback:
    """Logs evaluations by iteration as `<data>/<metric>`, the parameters of training, and where it was best.

    Of `lightgbm.cv` the values are means, beside `<data>/<metric>_std`. `best_iteration` (from 0) and `best_score` are those of the first
    metric of the first data that is not trained on. It logs to the active run; where there is none it starts one, of this name and with
    what else `start_run` takes.
    """

    order = 25  # before early stopping, which ends the iteration
    before_iteration = False

    def __init__(self, name: str | None = None, **start: Any) -> None:
        self._own = CallbackRun("lightgbm", name=name, **start)
        self._best: float | None = None

    def __call__(self, env: CallbackEnv) -> None:
        """What LightGBM calls after each iteration."""
        run = self._own.get()
        if env.iteration == env.begin_iteration:
            self._best = None
            run.log_params({"lightgbm": {"num_iterations": env.end_iteration - env.begin_iteration, **env.params}})
        values: dict[str, float] = {}
        results: list[tuple[Any, ...]] = [tuple(result) for result in env.evaluation_result_list or ()]
        for data, metric, value, _, *deviation in results:
            values[f"{data}/{metric}"] = value
            if deviation and deviation[0] is not None:
                values[f"{data}/{metric}_std"] = deviation[0]
        run.log_metrics(values | self._find_best(env, results), env.iteration)

    def _find_best(self, env: CallbackEnv, results: list[tuple[Any, ...]]) -> dict[str, float]:
        trained_on = {getattr(env.model, "_train_data_name", "training"), "training", "train"}
        looked_at = [one for one in results if one[0] not in trained_on and not str(one[1]).startswith("train ")]
        if not looked_at:
            return {}
        _, _, value, is_higher_better, *_ = looked_at[0]
        if self._best is not None and not (value > self._best if is_higher_better else value < self._best):
            return {}
        self._best = value
        return {"best_iteration": env.iteration, "best_score": value}
