"""The runs that are open in this process. Which is active is one context variable, so that threads and tasks that have their own do not meet."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path

from exptrack.tracking import ending
from exptrack.tracking.place import is_elsewhere
from exptrack.tracking.run import ActiveRun

RUN, JOURNAL = "EXPTRACK_RUN", "EXPTRACK_JOURNAL"


class Opened:
    """What `start_run` began and nobody has ended; the environment names the last of them to the processes that this one starts."""

    def __init__(self) -> None:
        self._current: ContextVar[ActiveRun | None] = ContextVar("exptrack", default=None)
        self._entered: list[tuple[ActiveRun, ActiveRun | None]] = []  # with what was active before
        self._outside: dict[str, str | None] = {}  # the variables as they were before the first of these runs
        self._attached: set[str] = set()  # journals of others that this process has logged to
        self._is_listening = False
        self._renew()
        os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self._lock = threading.RLock()  # runs may be started and ended by several threads, and any of them may fork

    def get_own(self) -> ActiveRun | None:
        """The run that is active in this very context."""
        return self._current.get()

    def active_run(self) -> ActiveRun | None:
        """The run that is active in this context; in a thread that has none, the outermost that is open in this process. None if there is none."""
        run = self._current.get()
        return run if run is not None or not self._entered else self._entered[0][0]

    def enter(self, run: ActiveRun) -> None:
        """Make it the active one."""
        with self._lock:
            if run.name is not None and not self._is_listening:
                self._is_listening = True
                ending.listen(self._end_all)
            if not self._entered:
                self._outside = {variable: os.environ.get(variable) for variable in (RUN, JOURNAL)}
            self._entered.append((run, self._current.get()))
            self._current.set(run)
            self._set_variables()

    def leave(self, run: ActiveRun) -> bool:
        """What one `enter` began is over; whether that was all of them for this run."""
        with self._lock:
            numbers = [number for number, (one, _) in enumerate(self._entered) if one is run]
            if numbers:
                _, before = self._entered.pop(numbers[-1])
                if self._current.get() is run:
                    self._current.set(before)
                self._set_variables()
        return len(numbers) <= 1

    def _set_variables(self) -> None:
        """Those of the run that was started last and is open: the environment is one for all threads."""
        names = [(run.name, str(run.folder)) for run, _ in self._entered if run.name is not None]
        now = dict(zip((RUN, JOURNAL), names[-1], strict=True)) if names else self._outside
        for variable, value in now.items():
            if value is None:
                os.environ.pop(variable, None)
            else:
                os.environ[variable] = value

    def _end_all(self, exit_code: int | None, interrupted: bool) -> None:  # noqa: FBT001 - as `ending` calls it
        for run, _ in reversed(self._entered):
            run.settle(exit_code, interrupted=interrupted)

    def find_outer(self) -> tuple[str, Path] | None:
        """Name and journal of the run that `exptrack run`, or the process that started this one, has under way in this repository.

        None if there is none, or if this process logged to it already.
        """
        outside = self._list_outside()
        name, folder = outside.get(RUN), outside.get(JOURNAL)
        if not name or not folder or folder in self._attached or not Path(folder, "stream").exists():
            return None
        return None if is_elsewhere(folder) else (name, Path(folder))

    def attach(self, run: ActiveRun) -> None:
        """It is one of another process, and has its turn here now."""
        self._attached.add(str(run.folder))

    def name_parent(self, parent: ActiveRun | None) -> dict[str, str]:
        """The variables by which a new run learns its parent; without one those of the run that this process is inside of; empty if there is none."""
        if parent is not None and parent.name is not None:
            return {RUN: parent.name, JOURNAL: str(parent.folder)}
        outside = self._list_outside()
        folder = outside.get(JOURNAL)
        if folder and (not Path(folder).exists() or is_elsewhere(folder)):
            outside = {}  # over by now, or a name that means nothing here
        return {variable: outside.get(variable) or "" for variable in (RUN, JOURNAL)}

    def _list_outside(self) -> Mapping[str, str | None]:
        # What this process itself has set leads to its own runs.
        return self._outside if self._entered else os.environ
