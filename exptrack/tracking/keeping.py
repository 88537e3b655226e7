"""The keeper of a run, from the script's side: a process of its own that captures the code, watches over the script and records the run.

It is asked by a line of JSON on its standard input, and answers by lines: `{"notice": …}`, `{"ready": …}`, `{"error": …}`, and in the end `{"warning": …}`, `{"recorded": …}` or `{"failed": …}`.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from exptrack import errors
from exptrack.backends.descriptors import lift
from exptrack.errors import ExptrackError, RepositoryError
from exptrack.tracking import notebook
from exptrack.tracking.ending import UNHEARD
from exptrack.tracking.line import Line, is_started_so, list_words, make_environ
from exptrack.tracking.place import find_folders
from exptrack.tracking.stream import Stream
from exptrack.tracking.telling import tell

_MODULE = "exptrack.tracking.keeper"
_PATIENCE = 5.0  # seconds for a keeper that has answered to be gone


class Asked(NamedTuple):
    """What `start_run` was asked for."""

    name: str | None
    note: str | None
    tags: tuple[str, ...]
    experiment: str | None
    resume: str | None

    @classmethod
    def make(cls, name: object, note: object, tags: object, experiment: object, resume: object) -> Asked:
        """Of texts, or what has one; a tag alone is one tag, and a mapping gives `key=value`."""
        if isinstance(tags, Mapping):
            tags = [f"{key}={value}" for key, value in tags.items()]
        listed = tags if isinstance(tags, Iterable) and not isinstance(tags, str) else [] if tags is None else [tags]
        name, note, experiment, resume = (None if one is None else str(one) for one in (name, note, experiment, resume))
        return cls(name, note, tuple(map(str, listed)), experiment, resume)


class Keeper:
    """The process that keeps a run under way, as it says that it is ready. `tells_exit`: it finds out by itself how the script ends."""

    def __init__(self, line: Line, ready: dict[str, Any]) -> None:
        self.name: str = ready["name"]
        self.folder = Path(ready["folder"])
        self.directory = Path(ready["directory"])
        self.step: int = ready["step"]
        self.tells_exit: bool = ready["tells_exit"]
        self._line = line
        self._lock = _lock_command(self.folder)

    def end(self, stream: Stream, exit_code: int | None, *, interrupted: bool, heard: Collection[str]) -> str | None:
        """Have the run recorded, and wait for it; gives the name under which it is. What the user has `heard` is not told again."""
        ending: dict[str, object] = {"exit_code": exit_code, "interrupted": interrupted, "lost": stream.lost}
        ending["is_leaving"] = exit_code is None and self.tells_exit  # then the keeper hears of the exit code by itself
        if stream.failure is not None:
            ending["failure"] = stream.failure.strerror
        try:
            self._line.send(ending)
        except OSError:
            ending["is_leaving"] = False  # nobody is there to hear of it
            if exit_code is None and not interrupted and self.tells_exit:
                stream.add("problem", text=UNHEARD)
        if ending["is_leaving"]:
            self._line.close(0)
            return None
        try:
            answer = _listen(self._line, "recorded", "failed", heard=heard)
        except KeyboardInterrupt:
            tell(f"{self.name} has ended: it is being recorded, whatever becomes of the script")
            self._line.close(0)
            raise
        if self._lock is not None:
            with suppress(OSError):
                os.close(self._lock)
        self._line.close(_PATIENCE if answer else 0)
        if answer is None:
            return self._recover(stream, ending)
        if "failed" in answer:
            kept = "all of it is kept for `exptrack recover`"
            if not self.folder.exists():
                kept = "its repository was removed, or moved: there `exptrack recover` records it"
            tell(f"{self.name} ended, but could not be recorded: {answer['failed']}; {kept}")
            return None
        tell(f"recorded {answer['recorded']['name']} ({answer['recorded']['status']})")
        return str(answer["recorded"]["name"])

    def _recover(self, stream: Stream, ending: dict[str, object]) -> str | None:
        """The keeper was killed: what it would have done is done by `recover`. If it only does not answer, it does so once the script is over."""
        if _is_locked(self.folder / "lock"):
            tell(f"{self.name} is recorded once the script is over: its recorder does not answer")
            return None
        told = {key: ending[key] for key in ("exit_code", "interrupted")}
        stream.add("ended", signal=None, timed_out=False, **told)
        environ = {name: value for name, value in os.environ.items() if name != "EXPTRACK_RUN"}
        done = subprocess.run(
            list_words("exptrack", "recover", "--force", self.name),
            cwd=self.directory,
            env=make_environ(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            tell(f"{self.name} ended after its recorder was killed: `exptrack recover` records it")
            return None
        tell(f"recorded {self.name}, whose recorder had been killed")
        return self.name


def start(asked: Asked, environ: Mapping[str, str]) -> Keeper:
    """Start a keeper, and wait until it has captured the code; raises ExptrackError as `exptrack run` would.

    `environ` is what the run sees as its environment: it names the run that this one is inside of, if there is one.
    """
    if not sys.executable or getattr(sys, "frozen", False) or is_started_so():
        raise ExptrackError("this program is no Python that could start another one: start it by `exptrack run`")
    # A rule that fires speaks to GitHub through the output of the job.
    stderr = None if _is_on("GITHUB_ACTIONS") or _is_on("EXPTRACK_DEBUG") else subprocess.DEVNULL
    try:
        line = Line(_MODULE, stderr=stderr)
    except OSError as error:
        raise _not_started(str(error.strerror)) from error
    try:
        line.send(_describe(asked, dict(environ)))
        answer = _listen(line, "ready", "error")
    except OSError as error:
        line.close(_PATIENCE)
        raise _not_started(f"`{sys.executable} -P -m {_MODULE}` ended at once") from error
    except BaseException:
        # Ctrl-C, say: a run that the script has not got is over when it has begun.
        with suppress(OSError):
            line.send({"exit_code": None, "interrupted": True, "lost": 0, "is_leaving": False})
        line.close(0)
        raise
    if answer is None or "error" in answer:
        line.close(_PATIENCE)
    if answer is None:
        raise _not_started(f"`{sys.executable} -P -m {_MODULE}` ended at once")
    if "error" in answer:
        _raise(answer["error"])
    return Keeper(line, answer["ready"])


def _not_started(why: str) -> ExptrackError:
    return ExptrackError(f"the recorder of the run could not be started: {why}")


def _describe(asked: Asked, environ: dict[str, str]) -> dict[str, object]:
    if not environ.pop("EXPTRACK_JOURNAL", None):
        environ.pop("EXPTRACK_RUN", None)
    return {
        **asked._asdict(),
        "pid": os.getpid(),
        "command": find_command(),
        "folders": find_folders(),
        "environ": environ,
    }


def find_command() -> list[str]:
    """The words that started this process, as a user would type them."""
    words = notebook.find_command() or list(sys.orig_argv)
    if "--multiprocessing-fork" in words:  # spawned: it has the script's words from its parent
        words = [words[0], *sys.argv]
    if words and words[0] == sys.executable:
        words[0] = Path(words[0]).name if Path(words[0]).parent == Path(sys.prefix) / "bin" else words[0]
    return words or ["python"]


def _listen(line: Line, *kinds: str, heard: Collection[str] = ()) -> dict[str, Any] | None:
    """The next answer of one of these kinds; notices before it are told. None if the keeper is gone."""
    while (answer := line.receive()) is not None:
        if "notice" in answer:
            tell(answer["notice"])
        elif "warning" in answer:
            if answer["warning"] not in heard:
                tell(str(answer["warning"]))
        elif any(kind in answer for kind in kinds):
            return answer
    return None


def _lock_command(folder: Path) -> int | None:
    """While this process lives, `recover` leaves a run alone whose keeper was killed."""
    with suppress(OSError):
        lock = lift(os.open(folder / "command", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644))
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return lock
    return None


def _is_locked(path: Path) -> bool:
    """Whether the recorder of a run lives."""
    with suppress(OSError):
        lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
    return False


def _is_on(variable: str) -> bool:
    return os.environ.get(variable, "") in {"1", "true"}


def _raise(error: dict[str, str]) -> NoReturn:
    kind = getattr(errors, error["type"], ExptrackError)
    advice = "; with EXPTRACK_DISABLED=1 the script runs unrecorded" if kind is RepositoryError else ""
    try:
        raised: ExptrackError = kind(error["message"] + advice)
    except TypeError:
        raised = ExptrackError(error["message"])
    raise raised
