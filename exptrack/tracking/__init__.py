"""Track from inside a training script: `start_run`, and functions that log to the run that is active.

The run object is the interface; each function here is one line that finds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from exptrack.tracking.active import NOTHING, active_run, end_run, require_run, start_run
from exptrack.tracking.parameters import params
from exptrack.tracking.run import ActiveRun
from exptrack.tracking.seeding import seed_everything

__all__ = [
    "NOTHING",
    "ActiveRun",
    "active_run",
    "autolog",
    "end_run",
    "log_artifact",
    "log_artifacts",
    "log_figure",
    "log_image",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "log_table",
    "log_text",
    "params",
    "seed_everything",
    "set_note",
    "set_tag",
    "set_tags",
    "start_run",
]


def autolog(*, disable: bool = False, training_score: bool = True, log_model: bool = False) -> None:
    """Have what estimators of scikit-learn do logged from now on; see `exptrack.integrations.sklearn`."""
    from exptrack.integrations import sklearn

    sklearn.autolog(disable=disable, training_score=training_score, log_model=log_model)


def log_metric(name: str, value: object, step: float | None = None, *, epoch: float | None = None) -> None:
    """A value of one metric of the active run; see `ActiveRun.log_metrics`."""
    require_run().log_metric(name, value, step, epoch=epoch)


def log_metrics(values: Mapping[str, object], step: float | None = None, *, epoch: float | None = None) -> None:
    """A value of each of these metrics of the active run; see `ActiveRun.log_metrics`."""
    # One call less than `require_run` alone: this line is what a loop calls.
    (active_run() or require_run()).log_metrics(values, step, epoch=epoch)


def log_param(name: str, value: object) -> None:
    """One parameter of the active run."""
    require_run().log_param(name, value)


def log_params(params: object) -> None:
    """Parameters of the active run; see `ActiveRun.log_params`."""
    require_run().log_params(params)


def log_artifact(path: str | Path, name: str | None = None) -> None:
    """A file, as it is now, for the active run to keep."""
    require_run().log_artifact(path, name)


def log_artifacts(folder: str | Path, name: str | None = None) -> None:
    """All files below a folder, as they are now, for the active run to keep."""
    require_run().log_artifacts(folder, name)


def log_text(text: str, name: str) -> None:
    """A text as a file of the active run."""
    require_run().log_text(text, name)


def log_figure(figure: Any, name: str) -> None:
    """A figure of matplotlib or plotly as a file of the active run."""
    require_run().log_figure(figure, name)


def log_image(image: Any, name: str) -> None:
    """An image or array as a file of the active run."""
    require_run().log_image(image, name)


def log_table(table: Any, name: str) -> None:
    """A table as a file of the active run."""
    require_run().log_table(table, name)


def set_tags(*tags: str) -> None:
    """Tags of the active run."""
    require_run().set_tags(*tags)


def set_tag(tag: str, value: object = None) -> None:
    """A tag of the active run; with a value `tag=value`."""
    require_run().set_tag(tag, value)


def set_note(note: str) -> None:
    """The note on the active run."""
    require_run().set_note(note)
