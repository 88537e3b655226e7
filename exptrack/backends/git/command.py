"""Run the git binary.

Every child runs in a session of its own, so that neither Ctrl-C nor a group kill lands inside git; it takes no optional locks, runs no
hooks and prompts for nothing. Paths and output are bytes on the wire and `os.fsdecode`d here, so that any file name survives.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from exptrack.errors import RepositoryError

# Plumbing must give the same answer in every repository: no hook of the user's, no file watcher, no index shared with another file.
_SETTINGS = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.splitIndex=false", "core.safecrlf=false")
_PREFIX = ("git", "--no-optional-locks", *(word for setting in _SETTINGS for word in ("-c", setting)))

# The user's, which would give our paths another meaning. `git --literal-pathspecs` hands the first one on.
_MEANING = frozenset({"GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS"})

Question = tuple[tuple[str, ...], bytes]  # the words of a git command, and what it is fed


class Done(NamedTuple):
    """What a git command left behind."""

    code: int
    out: bytes
    err: str


def call(directory: Path, *arguments: str, stdin: bytes = b"", environ: Mapping[str, str | None] | None = None) -> Done:
    """Run git in `directory` and wait; any exit status is an answer."""
    child = start(directory, *arguments, environ=environ, is_fed=bool(stdin))
    return finish(child, stdin)


def run(directory: Path, *arguments: str, stdin: bytes = b"", environ: Mapping[str, str | None] | None = None) -> bytes:
    """Standard output of a git command that must succeed; raises RepositoryError with the line in which git says why."""
    return output(call(directory, *arguments, stdin=stdin, environ=environ), _verb(arguments))


def together(directory: Path, *questions: Question) -> list[Done]:
    """Ask several git commands at once; the answers come in the order of the questions."""
    children = [start(directory, *arguments, is_fed=bool(stdin)) for arguments, stdin in questions]
    return [finish(child, stdin) for child, (_, stdin) in zip(children, questions, strict=True)]


def start(
    directory: Path, *arguments: str, environ: Mapping[str, str | None] | None = None, is_fed: bool = False
) -> subprocess.Popen[bytes]:
    """Start git without waiting, so that two of them can work at once; `finish` collects it. A variable that is None is unset.

    Only one that `is_fed` reads what `finish` gives it.
    """
    variables = None
    if not _MEANING.isdisjoint(os.environ):
        environ = {**(environ or {}), **dict.fromkeys(_MEANING)}
    if environ is not None:  # without, Python need not turn all variables into bytes again, 0.1 ms a child
        merged = {**os.environ, **environ}
        variables = {name: value for name, value in merged.items() if value is not None}
    try:
        return subprocess.Popen(
            [*_PREFIX, *arguments],
            cwd=directory,
            env=variables,
            stdin=subprocess.PIPE if is_fed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        if not os.path.isdir(directory):  # noqa: PTH112 - Path.is_dir raises where a folder above is closed to us
            what = "not a folder" if os.path.lexists(directory) else "no such folder"
            raise RepositoryError(f"{what}: {directory}") from error
        if isinstance(error, FileNotFoundError):
            raise RepositoryError("git is not on PATH: install Git 2.36 or later") from error
        raise RepositoryError(f"git cannot be started in {directory}: {error.strerror}") from error


def finish(child: subprocess.Popen[bytes], stdin: bytes = b"") -> Done:
    """Feed a started git, wait for it, and give what it left."""
    out, err = child.communicate(stdin or None)
    return Done(child.returncode, out, err.decode(errors="replace"))


def output(done: Done, verb: str) -> bytes:
    """Standard output of a git that has ended; raises RepositoryError, which names the git command `verb`, if it failed."""
    if done.code:
        raise RepositoryError(f"git {verb} failed: {reason(done.err) or _describe(done.code)}")
    return done.out


def _describe(code: int) -> str:
    return f"exit status {code}" if code > 0 else f"killed by {signal.Signals(-code).name}"


def reason(text: str) -> str:
    """Why git failed, in one line: what it says after `fatal:`, else its last line without `error:`; no full stop at the end."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith("fatal:")] or lines[-1:]
    return fatal[0].removeprefix("fatal: ").removeprefix("error: ").removesuffix(".") if fatal else ""


def _verb(arguments: tuple[str, ...]) -> str:
    words = (word for before, word in zip(("", *arguments), arguments, strict=False) if before not in {"-c", "-C"})
    return next((word for word in words if not word.startswith("-")), "")


def split(data: bytes) -> list[str]:
    """NUL-ended words, as `-z` gives them."""
    return [os.fsdecode(word) for word in data.split(b"\0") if word]


def join(words: list[str] | tuple[str, ...]) -> bytes:
    """The inverse of `split`."""
    return b"".join(os.fsencode(word) + b"\0" for word in words)
