"""Callbacks for training frameworks, a module each, which imports its framework; and what they share: whose run is it, and when does it end."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from exptrack.tracking.active import active_run, close, start_run
from exptrack.tracking.run import ActiveRun


def require(module: str, extra: str) -> Any:
    """The module of a framework; raises ModuleNotFoundError that says which extra has it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name != package:
            raise
        raise ModuleNotFoundError(
            f"{package} is not installed: `pip install 'exptrack[{extra}]'`", name=package
        ) from error


class TrainingRun:
    """The run of a training: the active one; where there is none, one that is started as `asked` (what `start_run` takes).

    A run that was started here stays open when the training is over, since a test may follow that logs, too. It ends with the process, by
    `exptrack.end_run()`, or when the next training wants a run of its own. A run that was active before is left to whoever started it.
    """

    def __init__(self, **asked: Any) -> None:
        self.asked = asked
        self._run: ActiveRun | None = None
        self._is_own = False
        self.is_training = False

    def get(self) -> ActiveRun:
        """The run; what is logged once it has ended goes to a new one."""
        if self._run is None or self._run.is_over:
            _make_way()
            self._is_own = active_run() is None
            self._run = active_run() or start_run(**self.asked)
            if self._is_own:
                _last[:] = [self]
        return self._run

    def end(self, error: BaseException | None = None) -> None:
        """End the run, as failed or interrupted if an error ended the training; does nothing to a run that was not started here."""
        self.is_training = False
        if self._run is not None and self._is_own and not self._run.is_over:
            close(self._run, error)


_last: list[TrainingRun] = []  # that started a run


def _make_way() -> None:
    """End the run of the last training, if that is over."""
    if _last and not _last[0].is_training:
        _last.pop().end()


def current_error() -> BaseException | None:
    """The exception that is being handled."""
    return sys.exception()
