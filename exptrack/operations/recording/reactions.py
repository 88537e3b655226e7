"""What rules of `exptrack.yaml` do when they fire: they are told of, end the run, or run a command."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from exptrack.analysis.rules import Watch
from exptrack.analysis.secrets import mask
from exptrack.backends.host.forge import annotate
from exptrack.errors import ExptrackError, explain
from exptrack.model.rules import Bar, Firing, Reaction, Rule
from exptrack.model.run import Record
from exptrack.operations.context import Context
from exptrack.store.journal import Journal
from exptrack.store.stream import StreamReader

_LIMIT = 60.0  # seconds that the command of a rule may take
_GRACE = 10.0  # of these at most so many after the end of the run, which is recorded only then
_TAIL = 2000  # bytes of its output, of which the last line is told


class _Child(NamedTuple):
    """The command of a rule under way: until when it may take, and where its output goes."""

    rule: Rule
    process: subprocess.Popen[bytes]
    deadline: float
    log: Path


class Reactions:
    """Reads what is logged in a run, and does what its rules say. `environ` is that of the run."""

    def __init__(self, context: Context, journal: Journal, record: Record, environ: Mapping[str, str]) -> None:
        self._context = context
        self._journal = journal
        self._record = record
        self._environ = environ
        self._reader = StreamReader(journal.folder)
        self._watch = Watch(context.settings.rules, self._find_bar)
        self._children: list[_Child] = []
        self._has_stopped = False

    def look(self, stop: Callable[[str], None] | None) -> None:
        """React to what was logged since the last look. Without `stop` the run has ended, and cannot be stopped any more."""
        for firing in self._watch.take(self._reader if not self._watch.is_over else ()):
            self._react(firing, stop)
        self._tend(monotonic())

    def finish(self) -> None:
        """Wait for the commands that are still under way, but not for long."""
        deadline = monotonic() + _GRACE
        self._children = [child._replace(deadline=min(child.deadline, deadline)) for child in self._children]
        while self._children:
            child = self._children[0]
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.01, child.deadline - monotonic()))
            self._tend(monotonic())

    def _react(self, firing: Firing, stop: Callable[[str], None] | None) -> None:
        is_stop = firing.rule.reaction is Reaction.STOP
        stop = stop if is_stop and not self._has_stopped else None
        text = f"{firing.text}; the run is stopped" if stop else firing.text
        self._journal.append("rule", text=text)
        annotate(self._environ, f"exptrack: {self._record.name}", text, is_warning=is_stop)
        self._context.notice(f"{self._record.name}: {text}")
        if stop:
            self._has_stopped = True
            self._journal.append("problem", text=f"stopped by {firing.text}")
            stop(text)
        if not is_stop:
            self._start(firing)

    def _start(self, firing: Firing) -> None:
        """Run the rule's command, in a session of its own and without the run's journal: what it does is no part of the run."""
        rule = firing.rule
        log = self._journal.folder / f"rule-{rule.number}"
        environ = {name: value for name, value in self._environ.items() if name != "EXPTRACK_JOURNAL"} | {
            "EXPTRACK_RUN": self._record.name,
            "EXPTRACK_RULE": str(rule.number),
            "EXPTRACK_METRIC": rule.metric,
            "EXPTRACK_VALUE": repr(firing.value),
            "EXPTRACK_STEP": str(firing.step),
        }
        try:
            with log.open("wb") as output:
                process = subprocess.Popen(
                    rule.command, cwd=self._context.folder, env=environ, start_new_session=True,
                    stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                )  # fmt: skip
        except (OSError, ValueError) as error:
            reason = explain(error) if isinstance(error, OSError) else str(error)
            self._complain(rule, f"could not be started: {reason}")
            return
        self._children.append(_Child(rule, process, monotonic() + _LIMIT, log))

    def _tend(self, now: float) -> None:
        """Look after the commands: tell of those that failed, end those that take too long."""
        for child in list(self._children):
            code = child.process.poll()
            if code is None and now < child.deadline:
                continue
            self._children.remove(child)
            if code is None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait()
                self._complain(child.rule, "took too long, and was ended")
            elif code != 0:
                how = f"exit status {code}" if code > 0 else f"signal {-code}"
                self._complain(child.rule, f"failed ({how}){_tell_last_line(child.log)}")

    def _complain(self, rule: Rule, what: str) -> None:
        self._journal.append("problem", text=f"the command of rule {rule.number} {what}")

    def _find_bar(self, rule: Rule) -> Bar | None:
        from exptrack.operations.recording.bests import find_bar

        try:
            return find_bar(self._context, self._record, rule)
        except ExptrackError as error:
            self._journal.append("problem", text=f"rule {rule.number} has nothing to compare with: {error}")
            return None


def _tell_last_line(log: Path) -> str:
    with suppress(OSError):
        lines = log.read_bytes()[-_TAIL:].decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), None)
        return f": {mask(last)}" if last else ""
    return ""
