"""A logger for Lightning: `Trainer(logger=ExptrackLogger())`, of `lightning.pytorch` or `pytorch_lightning`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from exptrack.integrations import TrainingRun, current_error, require
from exptrack.tracking.run import ActiveRun

_IS_OLD = "pytorch_lightning" in sys.modules and "lightning.pytorch" not in sys.modules
_logger = require("pytorch_lightning.loggers.logger" if _IS_OLD else "lightning.pytorch.loggers.logger", "lightning")
_ranks = require("pytorch_lightning.utilities" if _IS_OLD else "lightning.pytorch.utilities", "lightning")


class ExptrackLogger(_logger.Logger):
    """Logs what a module logs, its hyperparameters, and if `log_model` the checkpoints: True at the end, "all" each when it is saved.

    It logs to the active run; where there is none it starts one, of this name and with what else `start_run` takes.
    """

    def __init__(
        self, name: str | None = None, *, log_model: bool | str = False, prefix: str = "", **start: Any
    ) -> None:
        super().__init__()
        self._training = TrainingRun(name=name, **start)
        self._log_model = log_model
        self._prefix = f"{prefix}/" if prefix else ""
        self._checkpoints: Any = None
        self._kept: set[tuple[str, float]] = set()

    @property
    @_logger.rank_zero_experiment
    def experiment(self) -> ActiveRun:
        """The run, for all else that is to be logged: `self.logger.experiment.log_figure(…)`."""
        return self._training.get()

    @property
    def name(self) -> str:
        """The folder below which Lightning puts the checkpoints of all runs."""
        return "lightning_logs"

    @property
    def version(self) -> str | None:
        """The name of the run; None on other ranks than the first."""
        return self.experiment.name if _ranks.rank_zero_only.rank == 0 else None

    @_ranks.rank_zero_only
    def log_hyperparams(self, params: object, *_: object, **__: object) -> None:
        """Parameters of the run."""
        self.experiment.log_params(params)

    @_ranks.rank_zero_only
    def log_metrics(self, metrics: Mapping[str, object], step: int | None = None) -> None:
        """Metrics; the `epoch` that Lightning puts among them is an axis."""
        self._training.is_training = True
        epoch: Any = metrics.get("epoch")
        values = {self._prefix + name: value for name, value in metrics.items() if name != "epoch"}
        self.experiment.log_metrics(values, step, epoch=epoch)

    @_ranks.rank_zero_only
    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        """Keep the checkpoints, now or at the end."""
        self._checkpoints = checkpoint_callback if self._log_model else None
        if self._log_model == "all":
            self._keep_checkpoints()

    def _keep_checkpoints(self) -> None:
        saved = self._checkpoints
        for path in {saved.best_model_path, saved.last_model_path, *saved.best_k_models}:
            file = Path(path)
            if file.exists() and file.is_file() and (path, file.stat().st_mtime) not in self._kept:
                self._kept.add((path, file.stat().st_mtime))
                self.experiment.log_artifact(file, f"checkpoints/{file.name}")

    @_ranks.rank_zero_only
    def finalize(self, status: str) -> None:
        """What failed ends its run; otherwise a test may follow."""
        self._training.is_training = False
        if self._checkpoints is not None:
            self._keep_checkpoints()
        if status == "failed":
            self._training.end(current_error())

    def __getstate__(self) -> dict[str, Any]:
        # Processes that are spawned attach to the run that this one has.
        _ = self.experiment
        return {**self.__dict__, "_training": TrainingRun(**self._training.asked), "_checkpoints": None}
