"""`--follow`: runs under way, seen as they go on. Whoever looks on never touches them."""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import Protocol

from exptrack.cli.common import say
from exptrack.cli.newslines import JsonLines, TextLines
from exptrack.cli.screen import Screen, can_redraw
from exptrack.cli.terminal import is_unicode
from exptrack.errors import ExptrackError
from exptrack.model.run import Run
from exptrack.model.tree import flatten
from exptrack.operations.follow import Follower, News, Sight, State, find_recorded, find_state
from exptrack.project import Project
from exptrack.render.live import format_table, format_view
from exptrack.render.text import format_pairs
from exptrack.store.journal import list_names

_INTERRUPTED = 130
_SOON = 0.2  # seconds
_OVER = {State.DIED, State.GONE}


class _Show(Protocol):
    """What shows runs to the user."""

    def add(self, follower: Follower, state: State, news: News, /) -> None:
        """What came of one since the last call."""

    def end(self, follower: Follower, run: Run | None, /) -> None:
        """One is over, and recorded as `run`; None: it died, or its command never started."""


def follow_run(project: Project, name: str, arguments: argparse.Namespace) -> Run | int:
    """Show a run until it has ended; gives what was recorded, or the exit status where nothing is to be shown."""
    shared = project.context.repository.shared
    show = _choose(project, is_json=arguments.json)
    is_lined = not isinstance(show, _View)
    with closing(Follower(shared, name, is_whole=arguments.json, keeps_news=is_lined)) as follower:
        try:
            while (state := _step(follower, show)) not in _OVER:
                time.sleep(min(arguments.interval, _SOON) if follower.live.has_ended else arguments.interval)
        except KeyboardInterrupt:
            say(f"'{name}' goes on: `exptrack show {name} --follow` looks again")
            return _INTERRUPTED
        if state is State.DIED:
            say(f"'{name}' died: `exptrack recover {name}` records it")
            return 0
        run = find_recorded(project.context, name, follower.record)
        show.end(follower, run)
    if run is None:
        raise ExptrackError(f"'{name}' ended and was not recorded: its command never started")
    return run if not arguments.json else 0


def _choose(project: Project, *, is_json: bool) -> _Show:
    if is_json:
        return JsonLines()
    return _View(project) if can_redraw() else TextLines()


def _step(follower: Follower, show: _Show) -> State:
    state, news = follower.look()
    show.add(follower, state, news)
    return state


class _View:
    """A view of one run that is drawn in place."""

    def __init__(self, project: Project) -> None:
        self._declared = project.settings.metrics
        self._screen = Screen()
        self._is_ascii = not is_unicode()

    def add(self, follower: Follower, state: State, _news: News) -> None:
        """Draw what is known now."""
        if state is State.GONE:
            return
        screen, now = self._screen, datetime.now(UTC)
        sight = follower.sight(state, now.timestamp())
        lines = format_view(
            sight, now, declared=self._declared, page=screen.page, lines=screen.room, is_ascii=self._is_ascii
        )
        screen.draw(lines)

    def end(self, _follower: Follower, run: Run | None) -> None:
        """Make room for what was recorded."""
        if run is not None:
            self._screen.clear()


class _Table:
    """A table of all runs under way that is drawn in place; those that end are told of above it."""

    def __init__(self) -> None:
        self._screen = Screen()
        self._sights: dict[str, Sight] = {}
        self._is_ascii = not is_unicode()

    def add(self, follower: Follower, state: State, _news: News) -> None:
        """Remember what is known now; `draw` shows it."""
        self._sights[follower.name] = follower.sight(state, time.time())

    def end(self, follower: Follower, run: Run | None) -> None:
        """It is over."""
        self._sights.pop(follower.name, None)
        self._screen.clear()
        if run is not None:
            last = format_pairs(flatten(run.record.shown_metrics))
            print(self._screen.page.line(f"{follower.name}  {run.status}  {last}".rstrip()))

    def draw(self) -> None:
        """Show all that are left."""
        if not self._sights:
            return
        page, room = self._screen.page, self._screen.room
        lines = format_table(list(self._sights.values()), datetime.now(UTC), page=page, is_ascii=self._is_ascii)
        more = [f"and {len(lines) - room + 1:,} more"] if len(lines) > room else []
        self._screen.draw([*lines[: room - len(more)], *more])


def follow_all(project: Project, arguments: argparse.Namespace) -> int:
    """Show all runs under way, also those that begin meanwhile, until none is left; gives the exit status."""
    followers: dict[str, Follower] = {}
    show: _Show = JsonLines() if arguments.json else _Table() if can_redraw() else TextLines(is_several=True)
    with ExitStack() as stack:
        try:
            while _meet(project, followers, stack, show):
                _look_at_all(project, followers, show)
                time.sleep(arguments.interval)
        except KeyboardInterrupt:
            return _INTERRUPTED
    return 0


def _meet(project: Project, followers: dict[str, Follower], stack: ExitStack, show: _Show) -> bool:
    """Take in runs that began; whether any is under way."""
    shared = project.context.repository.shared
    is_whole, keeps_news = isinstance(show, JsonLines), not isinstance(show, _Table)
    for name in list_names(shared):
        if name not in followers and find_state(shared, name) not in _OVER:
            followers[name] = Follower(shared, name, is_whole=is_whole, keeps_news=keeps_news)
            stack.callback(followers[name].close)
    return bool(followers)


def _look_at_all(project: Project, followers: dict[str, Follower], show: _Show) -> None:
    for name, follower in list(followers.items()):
        state = _step(follower, show)
        if state not in _OVER:
            continue
        del followers[name]
        show.end(follower, find_recorded(project.context, name, follower.record) if state is State.GONE else None)
        if state is State.DIED:
            say(f"'{name}' died: `exptrack recover {name}` records it")
    if isinstance(show, _Table):
        show.draw()
