"""`exptrack.autoPush`: each run is pushed in the background after it is recorded, which neither delays nor fails it.

The recorder puts the run's name into a queue and starts one process, that is all. That process takes the lock; if another one holds
it, that one takes the name out of the queue and pushes the run along, and this one ends. What could not be pushed stays in the queue for
the next time.

```
<shared>/unpushed/    an empty file for each run that waits, named as it is
<shared>/push.lock    held (flock) by the process that pushes
<shared>/push.log     what came of it: time, `pushed` or `failed`, the remote, and what there is to say; the last line counts
```
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from exptrack.backends.git.repository import Repository, has_setting
from exptrack.errors import ExptrackError, explain
from exptrack.operations.context import Context
from exptrack.store import locks

_LARGEST_LOG = 64 * 1024
_NICENESS = 10
_FAILED = 2
_QUEUE = "unpushed"
# No question may wait for somebody who is not there.
_SILENT = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS_REQUIRE": "never", "GCM_INTERACTIVE": "never"}
# And for no host that never answers: seconds, and bytes a second.
_IMPATIENT = {"GIT_HTTP_LOW_SPEED_LIMIT": "1", "GIT_HTTP_LOW_SPEED_TIME": "60"}
_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=15"


class Outcome(NamedTuple):
    """The last push in the background (or the first one after it, by hand): when, to which remote, and what went wrong, if anything."""

    time: datetime
    remote: str
    failure: str | None


def start(context: Context, remote: str, name: str) -> None:
    """Have a run pushed by a process that nobody waits for."""
    shared = context.repository.shared
    with suppress(OSError):
        _enqueue(shared / _QUEUE, name)
        subprocess.Popen(
            [sys.executable, "-P", "-m", "exptrack", "push", "--background", remote],
            cwd=context.folder,
            env={**os.environ, **_SILENT},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def work(context: Context, remote: str) -> int:
    """Push what is in the queue, until it is empty; the exit status."""
    with suppress(OSError):
        os.nice(_NICENESS)
    _give_up_in_time(context.repository)
    shared = context.repository.shared
    while _read_queue(shared):  # looked at again without the lock: what came while it was held, nobody else takes
        with locks.opened(shared / "push.lock", os.O_RDWR | os.O_CREAT) as lock:
            if lock is None or not locks.try_lock(lock, fcntl.LOCK_EX):
                return 0
            names = _read_queue(shared)
            settled, failure = _push(context, remote, names)
            _dequeue(shared, settled)
            _note(shared, "pushed" if failure is None else "failed", remote, failure or " ".join(settled))
            if failure is not None:
                return _FAILED
    return 0


def _give_up_in_time(repository: Repository) -> None:
    """Have this process wait for no remote for ever, unless the user has said how ssh is to be called."""
    os.environ.update({name: value for name, value in _IMPATIENT.items() if name not in os.environ})
    if not {"GIT_SSH", "GIT_SSH_COMMAND"} & os.environ.keys() and not has_setting(repository, "core.sshCommand"):
        os.environ["GIT_SSH_COMMAND"] = _SSH


def _push(context: Context, remote: str, names: Iterable[str]) -> tuple[list[str], str | None]:
    """The runs that need no further try, and what went wrong, if anything did."""
    from exptrack.operations.push import Order, push
    from exptrack.operations.sharing.selecting import explain_clash
    from exptrack.store.names import find_named

    waiting = list(names)
    here = [name for name in waiting if find_named(context.repository, name)]  # one may have been removed meanwhile
    if not here:
        return waiting, None
    try:
        pushed = push(context._replace(notice=_ignore), Order(tuple(here), remote=remote))
    except (ExptrackError, OSError) as error:
        return [], explain(error)
    except Exception as error:  # noqa: BLE001 - nobody would see the traceback of a process without a terminal
        return [], f"bug: {type(error).__name__}: {error}"
    said = [explain_clash(clash, pushed.remote) for clash in pushed.clashes]
    said += [f"'{one.name}' is not pushed: {one.reason}" for one in pushed.held]
    held = {one.name for one in pushed.held}
    return [name for name in waiting if name not in held], next(iter(said), pushed.warning)


def _ignore(_line: str) -> None:
    pass


def note_success(context: Context, remote: str) -> None:
    """A push by hand went well: what was said of the last one in the background is over."""
    last = find_last(context)
    if last is not None and last.failure is not None:
        _note(context.repository.shared, "pushed", remote, "by hand")


def find_last(context: Context) -> Outcome | None:
    """What came of the last push; None if there never was one in the background."""
    try:
        with (context.repository.shared / "push.log").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            line = file.read().decode(errors="replace").splitlines()[-1]
        time, word, remote, said = line.split("\t", 3)
        return Outcome(datetime.fromisoformat(time), remote, said if word == "failed" else None)
    except (OSError, ValueError, IndexError):
        return None


def _enqueue(queue: Path, name: str) -> None:
    try:
        (queue / name).touch()
    except FileNotFoundError:
        queue.mkdir(exist_ok=True)
        (queue / name).touch()


def _read_queue(shared: Path) -> list[str]:
    try:
        return sorted(path.name for path in (shared / _QUEUE).iterdir())
    except OSError:
        return []


def _dequeue(shared: Path, done: Iterable[str]) -> None:
    for name in done:
        (shared / _QUEUE / name).unlink(missing_ok=True)


def _note(shared: Path, word: str, remote: str, said: str) -> None:
    line = "\t".join((datetime.now(UTC).isoformat(timespec="seconds"), word, remote, " ".join(said.split())[:2000]))
    path = shared / "push.log"
    with suppress(OSError):
        if path.exists() and path.stat().st_size > _LARGEST_LOG:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
            _replace(path, "".join(lines[len(lines) // 2 :]))
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
