"""A callback for XGBoost: `xgboost.train(…, callbacks=[ExptrackCallback()])`, `xgboost.cv`, and the estimators."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from exptrack.integrations import CallbackRun, require

require("xgboost", "xgboost")
from xgboost.callback import TrainingCallback  # noqa: E402 - now that it is known to be there

_ALIASES = {"learning_rate", "min_split_loss", "n_jobs", "random_state", "reg_alpha", "reg_lambda"}


class ExptrackCallback(TrainingCallback):
    """Logs evaluations by iteration as `<data>/<metric>`, the parameters that the booster trains with, and the best iteration.

    Of `xgboost.cv` the values are means, beside `<data>/<metric>_std`. It logs to the active run; where there is none it starts one, of
    this name and with what else `start_run` takes.
    """

    def __init__(self, name: str | None = None, **start: Any) -> None:
        super().__init__()
        self._own = CallbackRun("xgboost", name=name, **start)

    def before_training(self, model: Any) -> Any:
        """The parameters, with the defaults filled in."""
        booster = model.cvfolds[0].bst if hasattr(model, "cvfolds") else model
        self._own.get().log_params({"xgboost": dict(_list_params(json.loads(booster.save_config())))})
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """The last value of each evaluation."""
        values: dict[str, object] = {}
        for data, metrics in evals_log.items():
            for metric, history in metrics.items():
                mean, *deviation = history[-1] if isinstance(history[-1], tuple) else history[-1:]
                values[f"{data}/{metric}"] = mean
                if deviation:
                    values[f"{data}/{metric}_std"] = deviation[0]
        self._own.get().log_metrics(values, epoch)
        return False

    def after_training(self, model: Any) -> Any:
        """The best iteration and its score, if training stopped early."""
        best = {name: model.attr(name) for name in ("best_iteration", "best_score")} if hasattr(model, "attr") else {}
        self._own.get().log_metrics({name: float(value) for name, value in best.items() if value is not None})
        return model


def _list_params(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The leaves of XGBoost's configuration that say how to train, without what it found in the data."""
    for name, part in config.items():
        if isinstance(part, dict) and name.endswith("_param") and not name.endswith("_model_param"):
            for key, text in part.items():
                if key not in _ALIASES and (key, text) != ("seed", "0"):  # which nobody chose: it is no seed of the run
                    yield key, _read(text)
        elif isinstance(part, dict):
            yield from _list_params(part)


def _read(text: str) -> int | float | str:
    try:
        number = float(f"{float(text):.7g}")  # it stands there as a 32-bit float
    except ValueError:
        return text
    return int(number) if number.is_integer() and "." not in text else number
