"""XGBoost: a callback for `xgboost.train`, `xgboost.cv` and the estimators, which logs evaluations, parameters and the best iteration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from exptrack.integrations import require
from exptrack.model.tree import Value
from exptrack.tracking import ActiveRun
from exptrack.tracking.active import active_run, start_run

require("xgboost", "xgboost")
from xgboost.callback import TrainingCallback  # noqa: E402 - now that it is known to be there

_ALIASES = {"learning_rate", "min_split_loss", "n_jobs", "random_state", "reg_alpha", "reg_lambda"}


class ExptrackCallback(TrainingCallback):
    """Logs to the active run, or to `run`: `callbacks=[ExptrackCallback()]`.

    Metrics are named `<data>/<metric>`, as in `validation/logloss`, by iteration; of `xgboost.cv` they are means, beside
    `<data>/<metric>_std`. The parameters that the booster trains with are logged below `xgboost`, unless `log_params` is false.
    """

    def __init__(self, *, run: ActiveRun | None = None, log_params: bool = True) -> None:
        super().__init__()
        self._run = run
        self._log_params = log_params

    def before_training(self, model: Any) -> Any:
        """The parameters, with the defaults filled in."""
        self._run = self._run or active_run() or start_run()
        booster = model.cvfolds[0].bst if hasattr(model, "cvfolds") else model
        if self._log_params:
            self._run.log_params({"xgboost": _list_params(json.loads(booster.save_config()))})
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """The last value of each evaluation."""
        values: dict[str, object] = {}
        for data, metrics in evals_log.items():
            for metric, history in metrics.items():
                is_pair = isinstance(history[-1], tuple)
                values[f"{data}/{metric}"] = history[-1][0] if is_pair else history[-1]
                if is_pair:
                    values[f"{data}/{metric}_std"] = history[-1][1]
        if self._run is not None and values:
            self._run.log_metrics(values, epoch)
        return False

    def after_training(self, model: Any) -> Any:
        """The best iteration and its score, if training stopped early."""
        best = {name: model.attr(name) for name in ("best_iteration", "best_score")} if hasattr(model, "attr") else {}
        if self._run is not None:
            self._run.log_metrics({name: float(value) for name, value in best.items() if value is not None})
        return model


def _list_params(config: Mapping[str, Any]) -> dict[str, Value]:
    """The leaves of XGBoost's configuration that say how to train, without what it found in the data; numbers stand there as 32-bit floats."""
    found: dict[str, Value] = {}
    for name, part in config.items():
        if isinstance(part, dict) and name.endswith("_param") and not name.endswith("_model_param"):
            found |= {key: _read(text) for key, text in part.items() if key not in _ALIASES}
        elif isinstance(part, dict):
            found |= _list_params(part)
    return found


def _read(text: object) -> Value:
    try:
        number = float(f"{float(str(text)):.7g}")
    except ValueError:
        return str(text)
    return int(number) if number.is_integer() and "." not in str(text) else number
