"""Listen to the output of a command: write it down, and read metrics from it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from exptrack.analysis.patterns import match_metrics
from exptrack.model.tree import Value
from exptrack.store.journal import Journal
from exptrack.store.outputlog import OutputLog


class Listener:
    """Takes chunks of output. What cannot be written down is remembered in the journal's `failure`, for the end."""

    def __init__(self, journal: Journal, patterns: Sequence[str]) -> None:
        self._journal = journal
        self._log = OutputLog(journal.folder)
        self._patterns = [re.compile(pattern) for pattern in patterns]
        self._rest = b""

    def hear(self, chunk: bytes) -> None:
        """Take in a chunk of output."""
        completed = self._log.add(chunk)
        if self._patterns and completed:
            *lines, self._rest = (self._rest + completed).split(b"\n")
            for line in lines:
                self._read(line)

    def _read(self, line: bytes) -> None:
        values: dict[str, Value] = dict(match_metrics(self._patterns, line.decode(errors="replace")))
        step = values.pop("step", None) if len(values) > 1 else None
        if values:
            self._journal.append(
                "metrics", step=_whole(step), values={name: _plain(value) for name, value in values.items()}
            )

    def close(self) -> None:
        """Read the last line, which may have no end."""
        if self._patterns:
            self._read(self._rest + self._log.pending)
        self._journal.failure = self._journal.failure or self._log.failure
        self._log.close()


def _whole(step: Value) -> Value:
    return int(step) if isinstance(step, float) and step.is_integer() else step


def _plain(value: Value) -> Value:
    """NaN and infinities as strings, so that the stream is plain JSON."""
    return str(value) if isinstance(value, float) and value - value != 0 else value
