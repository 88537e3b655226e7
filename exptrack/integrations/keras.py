"""A callback for Keras 3, whatever its backend: `model.fit(…, callbacks=[ExptrackCallback()])`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exptrack.integrations import CallbackRun, require

_Callback: Any = require("keras.callbacks", "keras").Callback


class ExptrackCallback(_Callback):
    """Logs the metrics of each epoch, its learning rate, and the settings of the training.

    With `log_freq` also the metrics of each so many batches, as `batch/loss`. It logs to the active run; where there is none it starts
    one, of this name and with what else `start_run` takes.
    """

    def __init__(self, name: str | None = None, *, log_freq: int | str = "epoch", **start: Any) -> None:
        super().__init__()
        self._own = CallbackRun("keras", name=name, **start)
        self._every = {"epoch": 0, "batch": 1}[log_freq] if isinstance(log_freq, str) else log_freq
        self._batches = 0
        self._epoch = 0
        self._is_training = False

    def on_train_begin(self, logs: object = None) -> None:
        """Parameters."""
        self._is_training = True
        params = {key: value for key, value in self.params.items() if key != "verbose"}
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is not None:
            params["optimizer"] = optimizer.get_config()
        self._own.get().log_params(params)

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """The axis of the batches that follow."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, object] | None = None) -> None:
        """Metrics of a batch, if asked for."""
        if self._every and self._batches % self._every == 0 and logs:
            values = {f"batch/{name}": value for name, value in logs.items()}
            self._own.get().log_metrics(values, self._batches, epoch=self._epoch)
        self._batches += 1

    def on_epoch_end(self, epoch: int, logs: Mapping[str, object] | None = None) -> None:
        """Metrics of an epoch."""
        values = dict(logs or {})
        rate = getattr(getattr(self.model, "optimizer", None), "learning_rate", None)
        if rate is not None:
            values.setdefault("learning_rate", float(rate))
        self._own.get().log_metrics(values, epoch, epoch=epoch)

    def on_test_end(self, logs: Mapping[str, object] | None = None) -> None:
        """Metrics of `model.evaluate`; those of a validation come with the epoch's."""
        if not self._is_training and logs:
            self._own.get().log_metrics({f"test_{name}": value for name, value in logs.items()})

    def on_train_end(self, logs: object = None) -> None:
        """The run stays open: `model.evaluate()` may follow."""
        self._is_training = False
