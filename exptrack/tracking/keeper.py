"""The keeper of a run: the process that `start_run` starts (see `keeping`, its other end)."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

from exptrack.backends.process import exits
from exptrack.backends.process.starter import Starter
from exptrack.errors import ExptrackError
from exptrack.model.run import Ending
from exptrack.operations.attend import Script, attend
from exptrack.operations.recording.request import Request
from exptrack.store.journal import Journal
from exptrack.tracking.place import open_project

Answer: TypeAlias = Callable[[dict[str, object]], None]

_INPUT, _OUTPUT = 0, 1


def main() -> None:
    """Read what is asked for, keep the run, and answer."""
    keep(_answer)


def keep(answer: Answer) -> None:
    """Keep the run that standard input asks for; `answer` gets what the script is to hear."""
    inbox = _Inbox(_INPUT)
    asked = inbox.read()
    if asked is None:
        return
    starter = Starter(asked["pid"])
    journals: list[Journal] = []

    def ready(journal: Journal, step: int) -> None:
        journals.append(journal)
        told = {"name": journal.folder.name, "folder": str(journal.folder), "directory": str(project.directory)}
        answer({"ready": {**told, "step": step, "tells_exit": exits.can_tell()}})

    script = Script(
        pid=asked["pid"],
        ready=ready,
        wait=lambda: _wait(inbox, starter, journals[0]),
        stop=lambda _reason: starter.interrupt(signal.SIGINT),
    )
    try:
        project = open_project(asked["folders"], lambda line: answer({"notice": line}))
        finished = attend(project.context, _request(asked, project.directory), script)
    except ExptrackError as error:
        _refuse(answer, error, str(error), is_started=bool(journals))
        return
    except Exception as error:
        # As at the edge of the command line: whoever waits for an answer hears of a bug, too.
        _refuse(answer, error, f"bug: {type(error).__name__}: {error}; please report it", is_started=bool(journals))
        raise
    for warning in finished.warnings:
        answer({"warning": warning})
    answer({"recorded": {"name": finished.run.name, "status": finished.run.status}})


def _refuse(answer: Answer, error: Exception, message: str, *, is_started: bool) -> None:
    told = {"type": type(error).__name__, "message": message}
    answer({"failed": message} if is_started else {"error": told})


def _request(asked: dict[str, Any], directory: Path) -> Request:
    return Request(
        command=tuple(asked["command"]),
        directory=directory,
        environ=asked["environ"],
        name=asked["name"],
        note=asked["note"],
        experiment=asked["experiment"],
        tags=tuple(asked["tags"]),
        resumes=asked["resume"],
    )


def _wait(inbox: _Inbox, starter: Starter, journal: Journal) -> Ending | None:
    """How the script ended, as it says or else the system; None if nobody does."""
    sources = [inbox.file]
    while True:
        ready, is_over = starter.wait(sources)
        if ready:
            told = inbox.read()
            if told is not None:
                _note_lost(told, journal)
                if not told["is_leaving"]:
                    return _ending(told)
            sources = []  # nothing more is said, but the script still runs
        if is_over:
            return starter.find_ending()


def _note_lost(told: dict[str, Any], journal: Journal) -> None:
    if told["lost"]:
        journal.append("problem", text=f"{told['lost']} entries could not be written down: {told.get('failure', '')}")


def _ending(told: dict[str, Any]) -> Ending:
    if told["interrupted"]:
        return Ending(None, signal.SIGINT, interrupted=True)
    return Ending(told["exit_code"])


class _Inbox:
    """Lines of JSON from a descriptor that is waited for, so nothing of it may be read ahead unseen."""

    def __init__(self, file: int) -> None:
        self.file = file
        self._rest = b""

    def read(self) -> dict[str, Any] | None:
        """The next message; None at the end."""
        while b"\n" not in self._rest:
            chunk = os.read(self.file, 1 << 16)
            if not chunk:
                return None
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message


def _answer(message: dict[str, object]) -> None:
    """A line to the script, if it is still there to hear it."""
    with suppress(OSError):
        os.write(_OUTPUT, json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
