"""What the recorder does beside a run: it samples the machine, and looks after the rules of `exptrack.yaml`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from exptrack.model.run import Record
from exptrack.operations.context import Context
from exptrack.store.journal import Journal


class Attendance:
    """Watches a run from beside it, in a thread. It never raises: what goes wrong is a problem of the record."""

    def __init__(self, context: Context, journal: Journal, record: Record, environ: Mapping[str, str]) -> None:
        self._context = context
        self._journal = journal
        self._record = record
        self._environ = environ

    def begin(self, pid: int, stop: Callable[[str], None]) -> None:
        """Begin to watch the process `pid` and its children; `stop` is called with a reason when a rule ends the run."""

    def end(self) -> None:
        """Look for the last time, and cease; quick."""
