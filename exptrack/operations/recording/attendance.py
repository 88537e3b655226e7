"""What the recorder does beside a run: it samples what the run uses of the machine, and looks after the rules of `exptrack.yaml`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import TYPE_CHECKING

from exptrack.model.run import Record
from exptrack.operations.context import Context
from exptrack.store.journal import Journal
from exptrack.store.stream import find_command

if TYPE_CHECKING:
    from exptrack.backends.host.usage import Usage
    from exptrack.operations.recording.reactions import Reactions

_FIRST = 5.0  # seconds before the first sample, so that a short run pays nothing
_LOOK = 1.0  # seconds between two looks at what was logged, where there are rules
_LONGEST = 3600.0  # seconds; much more is no time to wait for a lock
_PATIENCE = 30.0  # seconds after which a run that was asked to stop, and goes on, is asked again


class Attendance:
    """Watches a run from beside it, in a thread. It never raises: what goes wrong is a problem of the record.

    A run inside of another that is the same process leaves the sampling to that one. Rules hold for the metrics of each, and stop the process.
    Rules do not hold for what `reproduce` and `check` execute again: it is to be as it was, and its commands may be somebody else's.
    """

    def __init__(self, context: Context, journal: Journal, record: Record, environ: Mapping[str, str]) -> None:
        self.stopped: str | None = None  # why a rule has asked the run to stop
        self._context = context
        self._journal = journal
        self._record = record
        self._environ = environ
        self._interval = context.settings.capture.system
        self._has_rules = bool(context.settings.rules) and record.links.reproduces is None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._reactions: Reactions | None = None
        self._usage: Usage | None = None
        self._failed: set[str] = set()

    def begin(self, pid: int, stop: Callable[[str], None]) -> None:
        """Begin to watch the process `pid` and its children; `stop` is called with a reason when a rule ends the run.

        If the run goes on all the same, it is called again, every 30 seconds.
        """
        if self._interval is None and not self._has_rules:
            return
        self._thread = threading.Thread(target=self._attend, args=(pid, stop), name="exptrack-attendance", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Look for the last time, and cease. Waits only for commands of rules that are under way, and for these a few seconds."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        if self._has_rules and self._thread is not None:
            self._attempt("rules", self._look_last)

    def _attend(self, pid: int, stop: Callable[[str], None]) -> None:
        began = monotonic()
        interval = self._interval or float("inf")
        sample_at, ask_at = began + min(_FIRST, interval), float("inf")

        def ask(reason: str) -> None:
            nonlocal ask_at
            self.stopped = self.stopped or reason
            ask_at = monotonic() + _PATIENCE
            stop(reason)

        while not self._ended.wait(self._pause(sample_at)):
            if self._has_rules:
                self._attempt("rules", lambda: self._look(ask))
            now = monotonic()
            if self.stopped and now >= ask_at:
                self._attempt("rules", lambda: ask(str(self.stopped)))
            if now >= sample_at:
                self._attempt("system metrics", lambda: self._sample(pid))
                sample_at = float("inf") if self._usage is None else monotonic() + interval

    def _pause(self, sample_at: float) -> float:
        until_sample = min(max(0.0, sample_at - monotonic()), _LONGEST)
        return min(until_sample, _LOOK) if self._has_rules else until_sample

    def _attempt(self, what: str, act: Callable[[], None]) -> None:
        """Do it; of what fails one problem tells, and it is not tried again."""
        if what in self._failed:
            return
        try:
            act()
        except Exception as error:  # noqa: BLE001 - beside the user's run nothing may go wrong for it, whatever psutil raises
            self._failed.add(what)
            self._journal.append("problem", text=f"{what}: {str(error) or type(error).__name__}")

    def _sample(self, pid: int) -> None:
        if self._usage is None:
            parent = self._record.links.parent
            if parent is not None and find_command(self._journal.folder.with_name(parent)) == pid:
                return
            from exptrack.backends.host.usage import Usage

            self._usage = Usage(pid, self._environ, self._context.folder)
        self._journal.append("system", values=dict(self._usage.sample()))

    def _look(self, stop: Callable[[str], None] | None) -> None:
        if self._reactions is None:
            from exptrack.operations.recording.reactions import Reactions

            self._reactions = Reactions(self._context, self._journal, self._record, self._environ)
        self._reactions.look(stop)

    def _look_last(self) -> None:
        self._look(None)
        if self._reactions is not None:
            self._reactions.finish()
