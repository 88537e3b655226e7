"""The keeper of a run, from the script's side: a process of its own that captures the code, watches over the script and records the run.

It is asked by a line of JSON on its standard input, and answers by lines: `{"notice": …}`, `{"ready": …}`, `{"error": …}`, and in the end `{"warning": …}`, `{"recorded": …}` or `{"failed": …}`.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple, NoReturn

from exptrack import errors
from exptrack.errors import ExptrackError, RepositoryError
from exptrack.tracking import notebook
from exptrack.tracking.place import find_folders
from exptrack.tracking.stream import Stream
from exptrack.tracking.telling import tell

_ROOT = Path(__file__).parents[2]
_MODULE = "exptrack.tracking.keeper"


class Asked(NamedTuple):
    """What `start_run` was asked for."""

    name: str | None
    note: str | None
    tags: tuple[str, ...]
    experiment: str | None
    resume: str | None


class Keeper:
    """The process that keeps a run under way, as it says that it is ready. `tells_exit`: it finds out by itself how the script ends."""

    def __init__(self, process: subprocess.Popen[bytes], ready: dict[str, Any]) -> None:
        self.name: str = ready["name"]
        self.folder = Path(ready["folder"])
        self.directory = Path(ready["directory"])
        self.step: int = ready["step"]
        self.tells_exit: bool = ready["tells_exit"]
        self._process = process
        self._lock = _lock_command(self.folder)

    def end(self, stream: Stream, exit_code: int | None, *, interrupted: bool, heard: Collection[str]) -> str | None:
        """Have the run recorded, and wait for it; gives the name under which it is. What the user has `heard` is not told again."""
        ending: dict[str, object] = {"exit_code": exit_code, "interrupted": interrupted, "lost": stream.lost}
        ending["is_leaving"] = exit_code is None and self.tells_exit  # then the keeper hears of the exit code by itself
        if stream.failure is not None:
            ending["failure"] = stream.failure.strerror
        with suppress(OSError):
            _send(self._process, ending)
        if ending["is_leaving"]:
            return None
        answer = _listen(self._process, "recorded", "failed", heard=heard)
        if self._lock is not None:
            os.close(self._lock)
        if answer is None:
            return self._recover(stream, ending)
        with suppress(OSError, subprocess.TimeoutExpired):
            self._process.communicate(timeout=5)
        if "failed" in answer:
            tell(
                f"{self.name} ended, but could not be recorded: {answer['failed']}; all of it is kept for `exptrack recover`"
            )
            return None
        tell(f"recorded {answer['recorded']['name']} ({answer['recorded']['status']})")
        return str(answer["recorded"]["name"])

    def _recover(self, stream: Stream, ending: dict[str, object]) -> str | None:
        """The keeper was killed: what it would have done is done by `recover`."""
        told = {key: ending[key] for key in ("exit_code", "interrupted")}
        stream.add("ended", signal=None, timed_out=False, **told)
        environ = {name: value for name, value in os.environ.items() if name != "EXPTRACK_RUN"}
        words = [sys.executable, "-P", "-m", "exptrack", "recover", "--force", self.name]
        done = subprocess.run(
            words,
            cwd=self.directory,
            env=_environ(environ),
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
    if not sys.executable:
        raise ExptrackError(
            "this Python does not know its own program (sys.executable is empty): start the script by `exptrack run`"
        )
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", _MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # A rule that fires speaks to GitHub through the output of the job.
        stderr=None if _is_on("GITHUB_ACTIONS") or _is_on("EXPTRACK_DEBUG") else subprocess.DEVNULL,
        env=_environ(dict(os.environ)),
        start_new_session=True,
    )
    try:
        _send(process, _describe(asked, dict(environ)))
        answer = _listen(process, "ready", "error")
    except OSError as error:
        raise ExptrackError(f"the recorder of the run could not be started: {error.strerror}") from error
    if answer is None:
        process.wait()
        raise ExptrackError(
            f"the recorder of the run could not be started: `{sys.executable} -P -m {_MODULE}` ended at once"
        )
    if "error" in answer:
        process.communicate()
        _raise(answer["error"])
    return Keeper(process, answer["ready"])


def _describe(asked: Asked, environ: dict[str, str]) -> dict[str, object]:
    journal = environ.pop("EXPTRACK_JOURNAL", None)
    if not journal or not Path(journal).exists():
        environ.pop("EXPTRACK_RUN", None)  # of a run that is over by now
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


def _environ(environ: dict[str, str]) -> dict[str, str]:
    """The keeper imports this very package, wherever the script found it."""
    path = environ.get("PYTHONPATH")
    return {**environ, "PYTHONPATH": os.pathsep.join([*([path] if path else []), str(_ROOT)])}


def _send(process: subprocess.Popen[bytes], message: dict[str, object]) -> None:
    pipe = _pipe(process.stdin)
    pipe.write(json.dumps(message).encode() + b"\n")
    pipe.flush()


def _listen(process: subprocess.Popen[bytes], *kinds: str, heard: Collection[str] = ()) -> dict[str, Any] | None:
    """The next answer of one of these kinds; notices before it are told. None if the keeper is gone."""
    for line in _pipe(process.stdout):
        answer: dict[str, Any] = json.loads(line)
        if "notice" in answer:
            tell(answer["notice"])
        elif "warning" in answer:
            if answer["warning"] not in heard:
                tell(str(answer["warning"]))
        elif any(kind in answer for kind in kinds):
            return answer
    return None


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise OSError("no pipe")
    return pipe


def _lock_command(folder: Path) -> int | None:
    """While this process lives, `recover` leaves a run alone whose keeper was killed."""
    with suppress(OSError):
        lock = os.open(folder / "command", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return lock
    return None


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
