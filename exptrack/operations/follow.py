"""Follow a run under way from another process: what its journal says, read bit by bit. Only reads."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from exptrack.analysis.holdout import is_holdout, seal_output
from exptrack.analysis.live import Live, Progress, Series
from exptrack.analysis.output import decode_log
from exptrack.analysis.secrets import mask
from exptrack.errors import RecordError, RevError
from exptrack.model.run import Record, Run
from exptrack.model.tree import Tree, Value, unite
from exptrack.operations.context import Context
from exptrack.store import journal as journals
from exptrack.store.outputtail import OutputReader
from exptrack.store.start import Start, read_start
from exptrack.store.stream import StreamReader

_TAIL = 64 * 1024  # bytes of output that are looked at for its last lines
_LINES = 200


class State(StrEnum):
    """Of a run that is not recorded yet, and `GONE` of one whose journal is no longer there."""

    RUNNING = "running"
    ORPHANED = "recorder died, command runs"
    DIED = "died"
    GONE = "gone"


class Sight(NamedTuple):
    """What is known of a run under way. `record` is None before its command starts; `host` is another than this one.

    `heard` is when a metric was logged last (Unix time); one that `has_ended` is being recorded. Holdouts are in none of it.
    """

    name: str
    state: State
    record: Record | None
    pid: int | None
    host: str | None
    metrics: Mapping[str, Series]
    system: Mapping[str, Series]
    params: Tree
    progress: Progress
    heard: float | None
    has_ended: bool
    problems: Sequence[str]
    output: Sequence[str]


class News(NamedTuple):
    """What came since the last look: entries with their values as numbers, and completed lines of output."""

    entries: Sequence[Mapping[str, Value]]
    lines: Sequence[str]


class Follower:
    """Reads on in the journal of one run. What was written before the journal went is read, too: its files are held open.

    `is_whole`: the output is read from its beginning, not only its end; `keeps_news`: `look` gives what came.
    """

    def __init__(self, shared: Path, name: str, *, is_whole: bool = False, keeps_news: bool = False) -> None:
        self.name = name
        self._shared = shared
        self._folder = journals.folder_of(shared, name)
        self._keeps_news = keeps_news
        self._start: Start | None = None
        self._output = OutputReader(self._folder, None if is_whole else _TAIL)
        self._lines: list[str] = []
        self._file: int | None = None
        self._stream: StreamReader | None = None
        self.live = Live(self._is_hidden)

    @property
    def record(self) -> Record | None:
        """What was known before the command started."""
        return self._start.record if self._start else None

    @property
    def pending(self) -> str:
        """The line of output that has no end yet."""
        return self._clean(self._output.pending)

    def look(self) -> tuple[State, News]:
        """Read what has come; the state is that of before, so that with `DIED` and `GONE` all was read."""
        state = find_state(self._shared, self.name)
        self._start = self._start or read_start(self._folder)
        if self._start is None:
            return state, News((), ())  # which metrics are sealed is not known
        entries = []
        for entry in self._open():
            self.live.take(entry)
            if self._keeps_news and (shown := self._shown(entry)) is not None:
                entries.append(shown)
        text = self._clean(self._output.read())
        lines = text.removesuffix("\n").split("\n") if text else []
        self._lines = [*self._lines, *lines][-_LINES:]
        return state, News(entries, lines)

    def sight(self, state: State, now: float) -> Sight:
        """All that is known by now (Unix time)."""
        live, record = self.live, self.record
        params = unite("params.yaml", {**(record.params if record else {}), "logged": live.params})
        return Sight(
            self.name,
            state,
            record,
            live.pid,
            record.host if record and record.host != os.uname().nodename else None,
            live.metrics,
            live.system,
            params,
            live.progress(params, now),
            live.last,
            live.has_ended,
            live.problems,
            [*self._lines, *([self.pending] if self.pending.strip() else [])],
        )

    def close(self) -> None:
        """Let go of the files."""
        self._output.close()
        if self._file is not None:
            os.close(self._file)
            self._file = self._stream = None

    def _open(self) -> StreamReader | tuple[()]:
        if self._stream is None:
            with suppress(OSError):
                self._file = os.open(self._folder / "stream", os.O_RDONLY | os.O_CLOEXEC)
                self._stream = StreamReader(self._folder, self._file)
        return self._stream or ()

    def _is_hidden(self, metric: str) -> bool:
        return self._start is not None and is_holdout(metric, self._start.holdouts)

    def _clean(self, data: bytes) -> str:
        if not data:
            return ""
        text = mask(decode_log(data))
        return seal_output(text, self._start.patterns, self._start.holdouts) if self._start else text

    def _shown(self, entry: Mapping[str, Value]) -> Mapping[str, Value] | None:
        if entry["kind"] not in {"metrics", "system"}:
            return None
        values = entry.get("values")
        shown = self.live.shown(values) if isinstance(values, Mapping) else {}
        return {**entry, "values": shown} if shown else None


def find_state(shared: Path, name: str) -> State:
    """How it is with a run that had a journal."""
    if journals.is_alive(shared, name):
        return State.RUNNING
    if not journals.is_dead(shared, name):
        # It may have been recorded, or begun, between the two questions.
        return State.RUNNING if journals.is_alive(shared, name) else State.GONE
    return State.ORPHANED if journals.is_command_running(shared, name) else State.DIED


def find_followed(context: Context, rev: str) -> str | None:
    """The run under way, or dead, that a rev means: by its name, or the unique beginning of one. `@` is the only one that is under way.

    Raises RevError if several may be meant.
    """
    shared = context.repository.shared
    names = journals.list_names(shared)
    if rev == "@":
        found = [name for name in names if find_state(shared, name) in {State.RUNNING, State.ORPHANED}]
    else:
        found = [name for name in names if name == rev] or [name for name in names if rev and name.startswith(rev)]
    if len(found) > 1:
        raise RevError(f"{len(found)} runs under way may be meant: give the name of one", tuple(found))
    return found[0] if found else None


def find_recorded(context: Context, name: str, record: Record | None) -> Run | None:
    """The run that was recorded of what was under way by this name; another run of the same name is not meant."""
    from exptrack.store import revs
    from exptrack.store.recorded import read_recorded

    lately = [one for one in list(read_recorded(context.repository.shared))[-50:] if one.startswith(f"{name}-")]
    for candidate in (name, *lately):
        with suppress(RevError, RecordError):
            run = revs.load(context.repository, candidate)
            if record is None or (run.record.started == record.started and run.name == candidate):
                return run
    return None
