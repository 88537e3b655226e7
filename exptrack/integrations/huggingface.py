"""A callback for the Trainer of Hugging Face's transformers: `Trainer(…, callbacks=[ExptrackCallback()])`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from tempfile import TemporaryDirectory
from typing import Any

from exptrack.integrations import CallbackRun, require

_Callback: Any = require("transformers.trainer_callback", "huggingface").TrainerCallback
# What differs between runs that do the same: where files go, and how much is said where.
_NO_PARAMETERS = re.compile(
    "output_dir|logging_dir|run_name|project|local_rank|disable_tqdm|resume_from_checkpoint|report_to|push_to_hub"
    "|(hub|trackio|log_level).*|.*_token"
)
_SPEED = re.compile(".*_runtime|.*_per_second")  # how long it took is no result


class ExptrackCallback(_Callback):
    """Logs what the Trainer logs (`train/loss`, `eval/loss`), its arguments, and the model's configuration.

    `log_model` keeps the model at the end. It logs to the active run; where there is none it starts one, of this name and with what else
    `start_run` takes.
    """

    def __init__(self, name: str | None = None, *, log_model: bool = False, **start: Any) -> None:
        self._own = CallbackRun("huggingface", name=name, **start)
        self._log_model = log_model

    def on_train_begin(self, args: Any, state: Any, control: object, model: Any = None, **_: object) -> None:
        """Parameters."""
        if not state.is_world_process_zero:
            return
        run = self._own.get()
        given = args.to_dict().items()
        run.log_params({key: value for key, value in given if not _NO_PARAMETERS.fullmatch(key)})
        config = getattr(model, "config", None)
        if config is not None:
            run.log_params({"model": config if isinstance(config, Mapping) else config.to_dict()})

    def on_log(
        self, args: Any, state: Any, control: object, logs: Mapping[str, object] | None = None, **_: object
    ) -> None:
        """Metrics."""
        if state.is_world_process_zero and logs:
            run = self._own.get()
            speeds = {name: value for name, value in logs.items() if _SPEED.fullmatch(name)}
            values = {_rename(name): value for name, value in logs.items() if name not in {"epoch", *speeds}}
            run.log_metrics(values, state.global_step, epoch=state.epoch)
            if speeds:
                run.write("system", values={f"system/{_rename(name)}": value for name, value in speeds.items()})

    def on_predict(self, args: Any, state: Any, control: object, metrics: Mapping[str, object], **_: object) -> None:
        """Metrics of `trainer.predict`."""
        self.on_log(args, state, control, metrics)

    def on_train_end(self, args: Any, state: Any, control: object, **given: Any) -> None:
        """The model. The run stays open: `trainer.evaluate()` may follow; but each trial of a search is a run."""
        if not state.is_world_process_zero:
            return
        if self._log_model and self._own.get().name is not None:
            with TemporaryDirectory() as folder:
                for one in (given.get("model"), given.get("processing_class")):
                    if one is not None:
                        one.save_pretrained(folder)
                self._own.get().log_artifacts(folder, "model")
        if state.is_hyper_param_search:
            self._own.end()


def _rename(name: str) -> str:
    kind, _, rest = name.partition("_")
    return f"{kind}/{rest}" if kind in {"eval", "test"} and rest else f"train/{name}"
