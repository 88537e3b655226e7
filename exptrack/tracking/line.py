"""The line from a script to the keeper of its run: JSON, a line a message, each way through a pipe."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from exptrack.backends.descriptors import lift

_ROOT = Path(__file__).parents[2]
_STARTED = "EXPTRACK_STARTED_BY"


class Line:
    """A Python of exptrack's own, in a session of its own, to which messages go and from which they come."""

    def __init__(self, module: str, *, stderr: int | None) -> None:
        """Start the module. Raises OSError."""
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        self._in, self._out = lift(ours_in), lift(ours_out)
        self._rest = b""
        try:
            self._process = subprocess.Popen(
                list_words(module),
                stdin=theirs_in,
                stdout=theirs_out,
                stderr=stderr,
                env={**make_environ(os.environ), _STARTED: str(os.getpid())},
                start_new_session=True,
            )
        except BaseException:
            self._hang_up()
            raise
        finally:
            os.close(theirs_in)
            os.close(theirs_out)

    def send(self, message: Mapping[str, object]) -> None:
        """Raises OSError, but no SIGPIPE, if nobody is there to hear it."""
        data = json.dumps(message).encode() + b"\n"
        while data:
            waiting = select.poll()
            waiting.register(self._out, select.POLLOUT)
            if any(event & ~select.POLLOUT for _, event in waiting.poll()):
                raise BrokenPipeError
            data = data[os.write(self._out, data[: select.PIPE_BUF]) :]

    def receive(self) -> dict[str, Any] | None:
        """The next message; None if there is none any more. What is no message, since something else was printed, is skipped."""
        while True:
            while b"\n" not in self._rest:
                try:
                    chunk = os.read(self._in, 1 << 16)
                except OSError:  # the script has closed what it did not open
                    return None
                if not chunk:
                    return None
                self._rest += chunk
            line, _, self._rest = self._rest.partition(b"\n")
            with suppress(ValueError):
                message = json.loads(line)
                if isinstance(message, dict):
                    return message

    def close(self, seconds: float) -> None:
        """Hang up; so long we wait for the process to end, so that nothing of it is left to the script."""
        self._hang_up()
        with suppress(subprocess.TimeoutExpired):
            if seconds > 0:
                self._process.wait(seconds)
        if self._process.returncode is None:
            self._process.returncode = 0  # it outlives us: that is no ResourceWarning

    def _hang_up(self) -> None:
        for file in (self._in, self._out):
            with suppress(OSError):
                os.close(file)
        self._in = self._out = -1


def is_started_so() -> bool:
    """Whether this very process was to be such a Python, and runs a script instead."""
    return os.environ.get(_STARTED) == str(os.getppid())


def list_words(module: str, *arguments: str) -> Sequence[str]:
    """The command that runs a module of this package, wherever the script found it.

    The standard library comes first: what the folders of PYTHONPATH hold must not take the place of its modules.
    """
    library = str(Path(os.__file__).parent)
    paths = [library, str(Path(library, "lib-dynload")), str(_ROOT)]
    first = f"import sys; sys.path[:0] = {paths!r}; from runpy import run_module"
    start = f"{first}; run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
    return [sys.executable, "-P", "-W", "ignore", "-c", start, module, *arguments]


def make_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """What it starts itself finds this package, too."""
    path = environ.get("PYTHONPATH")
    return {**environ, "PYTHONPATH": os.pathsep.join([*([path] if path else []), str(_ROOT)])}
