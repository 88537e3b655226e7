"""What comes of runs under way as lines that are added: text, or events as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from exptrack.analysis.fields import finite
from exptrack.model.run import Run
from exptrack.model.tree import Value, flatten
from exptrack.operations.follow import Follower, News, Sight, State
from exptrack.render.live import format_entry, format_table
from exptrack.render.page import Page
from exptrack.render.text import format_pairs, inert, inert_json

_FIRST = 10  # lines of each kind that are shown of what was there before
_MOST = 100  # entries of metrics that are shown at a time


class TextLines:
    """Metrics and output of one run, or of several with their names before each line."""

    def __init__(self, *, is_several: bool = False) -> None:
        self._is_several = is_several
        self._told: dict[str, tuple[State, bool]] = {}

    def add(self, follower: Follower, state: State, news: News) -> None:
        """What came; of what was there before the last few lines."""
        name = follower.name
        is_first = not self._told.get(name, (state, False))[1]
        known = (state, follower.record is not None)  # what its command is comes a moment later than its name
        if self._told.get(name) != known and state is not State.GONE:
            self._told[name] = known
            print(format_table([follower.sight(state, time.time())], datetime.now(UTC), page=Page())[1])
        before = f"{name}  " if self._is_several else ""
        entries = [entry for entry in news.entries if entry["kind"] == "metrics"]
        most = _FIRST if is_first else _MOST
        if len(entries) > most:
            print(f"{before}[… {len(entries) - most:,} lines of metrics left out …]")
        for entry in entries[-most:]:
            print(before + format_entry(entry))
        for line in news.lines[-_FIRST if is_first else 0 :]:
            print(f"{before}| {inert(line)}")
        sys.stdout.flush()

    def end(self, follower: Follower, run: Run | None) -> None:
        """It is over, and was recorded."""
        if run is not None and self._is_several:
            print(f"{follower.name}  {run.status}  {format_pairs(flatten(run.record.shown_metrics))}".rstrip())
        elif run is not None:
            print()
        sys.stdout.flush()


class JsonLines:
    """Each event as one line of JSON, those of before included."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[State, bool]] = {}

    def add(self, follower: Follower, state: State, news: News) -> None:
        """What came."""
        name = follower.name
        known = (state, follower.record is not None)  # what its command is comes a moment later than its name
        if self._told.get(name) != known and state is not State.GONE:
            self._told[name] = known
            _tell_state(follower.sight(state, time.time()))
        for entry in news.entries:
            fields = {key: entry.get(key) for key in ("step", "epoch") if entry["kind"] == "metrics"}
            _tell(str(entry["kind"]), name, entry["time"], {**fields, "values": finite(entry["values"])})
        for line in news.lines:
            _tell("output", name, time.time(), {"text": line})
        sys.stdout.flush()

    def end(self, follower: Follower, run: Run | None) -> None:
        """It is over, and was recorded."""
        if run is not None:
            fields = {"run": run.name, "status": run.status, "commit": run.oid}
            _tell("recorded", follower.name, time.time(), {**fields, "metrics": finite(run.record.shown_metrics)})
            sys.stdout.flush()


def _tell_state(sight: Sight) -> None:
    record = sight.record
    started = record.started.isoformat().replace("+00:00", "Z") if record else None
    command = list(record.command) if record else None
    fields = {"state": sight.state, "started": started, "command": command, "pid": sight.pid}
    _tell("state", sight.name, time.time(), fields)


def _tell(event: str, name: str, at: Value, fields: Mapping[str, object]) -> None:
    print(inert_json(json.dumps({"event": event, "name": name, "time": at, **fields}, allow_nan=False)))
