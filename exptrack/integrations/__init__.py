"""Callbacks for training frameworks, a module each, which imports its framework; and what they share: whose run is it, and when does it end."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from exptrack.tracking.active import active_run, start_run
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
    `exptrack.end_run()`, or when the next training wants a run of its own. A run that was active before, or that `exptrack run` records, is left to it.
    """

    def __init__(self, **asked: Any) -> None:
        self.asked = asked
        self.run: ActiveRun | None = None
        self._is_own = False
        self.is_training = False

    def get(self) -> ActiveRun:
        """The run; what is logged once it has ended goes to a new one."""
        if self.run is None or self.run.is_over:
            _make_way()
            before = active_run()
            self.run = before or start_run(**self.asked)
            self._is_own = before is None and not self.run.is_attached
            if self._is_own:
                _last[:] = [self]
        return self.run

    def end(self, error: BaseException | None = None) -> None:
        """End the run, as failed or interrupted if an error ended the training; does nothing to a run that was not started here."""
        self.is_training = False
        if self.run is not None and self._is_own and not self.run.is_over:
            self.run.__exit__(None if error is None else type(error), error, None)


_last: list[TrainingRun] = []  # that started a run


def _make_way() -> None:
    """End the run of the last training, if that is over, and nobody began another one inside of it."""
    if _last and not _last[0].is_training and active_run() is _last[0].run:
        _last.pop().end()


def current_error() -> BaseException | None:
    """The exception that is being handled."""
    return sys.exception()
