"""A logger for Lightning: `Trainer(logger=ExptrackLogger())`, of `lightning.pytorch` or `pytorch_lightning`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from exptrack.integrations import CallbackRun, require
from exptrack.tracking.active import NOTHING
from exptrack.tracking.run import ActiveRun

_IS_OLD = "pytorch_lightning" in sys.modules and "lightning.pytorch" not in sys.modules
_PACKAGE = "pytorch_lightning" if _IS_OLD else "lightning.pytorch"
_Logger: Any = require(f"{_PACKAGE}.loggers.logger", "lightning").Logger
_rank_zero_only: Any = require(f"{_PACKAGE}.utilities", "lightning").rank_zero_only


class ExptrackLogger(_Logger):
    """Logs what a module logs, its hyperparameters, and if `log_model` the checkpoints that are there at the end.

    It logs to the active run; where there is none it starts one, of this name and with what else `start_run` takes.
    """

    def __init__(self, name: str | None = None, *, log_model: bool = False, **start: Any) -> None:
        super().__init__()
        self._own = CallbackRun("lightning", name=name, **start)
        self._log_model = log_model
        self._saved: Any = None

    @property
    def experiment(self) -> ActiveRun:
        """The run, for all else that is to be logged: `self.logger.experiment.log_figure(…)`; on other ranks than the first nothing is."""
        return NOTHING if _rank_zero_only.rank else self._own.get()

    @property
    def name(self) -> str:
        """The folder below which Lightning puts the checkpoints of all runs."""
        return "lightning_logs"

    @property
    def version(self) -> str | None:
        """The name of the run; None where nothing is recorded."""
        return self.experiment.name

    @_rank_zero_only
    def log_hyperparams(self, params: object, *_: object, **__: object) -> None:
        """Parameters of the run."""
        self.experiment.log_params(params)

    @_rank_zero_only
    def log_metrics(self, metrics: Mapping[str, object], step: int | None = None) -> None:
        """Metrics; the `epoch` that Lightning puts among them is an axis."""
        epoch: Any = metrics.get("epoch")
        values = {name: value for name, value in metrics.items() if name != "epoch"}
        self.experiment.log_metrics(values, step, epoch=epoch)

    @_rank_zero_only
    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        """Who knows the checkpoints."""
        self._saved = checkpoint_callback if self._log_model else None

    @_rank_zero_only
    def finalize(self, status: str) -> None:
        """The checkpoints. What failed ends its run; otherwise a test may follow."""
        saved, self._saved = self._saved, None
        for path in {saved.best_model_path, saved.last_model_path, *saved.best_k_models} if saved else ():
            if path:
                self.experiment.log_artifact(path, "checkpoints/")
        if status == "failed":
            self._own.end(sys.exception())

    def __getstate__(self) -> dict[str, Any]:
        # Processes that are spawned attach to the run that this one has.
        _ = self.experiment
        return {**self.__dict__, "_saved": None}
