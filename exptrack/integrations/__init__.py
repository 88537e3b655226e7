"""Callbacks for training frameworks, a module each, which imports its framework; and what they share: whose run is it, and when does it end."""

from __future__ import annotations

import os
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


class CallbackRun:
    """The run that a callback logs to: the active one; where there is none, one that the callback starts as `asked` (what `start_run` takes).

    Its own run ends with the process, by `exptrack.end_run()`, or when another callback of the same `framework` needs one: then the next
    model is trained. It does not end with the training, since a test may follow.
    """

    def __init__(self, framework: str, **asked: Any) -> None:
        self.framework = framework
        self.asked = asked
        self._key = os.urandom(8)  # the same for copies, which scikit-learn makes of estimators and what they hold
        self._run: ActiveRun | None = None

    def get(self) -> ActiveRun:
        """The run; once it has ended another one."""
        if self._run is None or self._run.is_over:
            key, last = _started.get(self.framework, (self._key, None))
            if key != self._key and last is not None and last is active_run():
                last.end()
            self._run = active_run()
        if self._run is None:
            self._run = start_run(**self.asked)
            if not self._run.is_attached:
                _started[self.framework] = (self._key, self._run)
        return self._run

    def end(self, error: BaseException | None = None) -> None:
        """End its own run, as failed or interrupted if an error is the reason; any other run is left alone."""
        key, run = _started.get(self.framework, (b"", None))
        if key == self._key and run is not None:
            del _started[self.framework]
            run.__exit__(None if error is None else type(error), error, None)

    def __getstate__(self) -> dict[str, Any]:
        # A copy, perhaps in another process, finds its run by itself.
        return {**self.__dict__, "_run": None}


_started: dict[str, tuple[bytes, ActiveRun]] = {}  # the last run that a callback of each framework started
