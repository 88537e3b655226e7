"""Run the git binary.

Every child runs in a session of its own, so that neither Ctrl-C nor a group kill lands inside git; it takes no optional locks, runs no
hooks and prompts for nothing. Paths and output are bytes on the wire and `os.fsdecode`d here, so that any file name survives.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exptrack.errors import RepositoryError

# Plumbing must give the same answer in every repository: no hook of the user's, no file watcher, no index shared with another file.
_SETTINGS = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.splitIndex=false", "core.safecrlf=false")
_PREFIX = ("git", *(word for setting in _SETTINGS for word in ("-c", setting)))


@dataclass(frozen=True, slots=True)
class Done:
    """What a git command left behind."""

    code: int
    out: bytes
    err: str


def call(directory: Path, *arguments: str, stdin: bytes = b"", environ: Mapping[str, str | None] | None = None) -> Done:
    """Run git in `directory` and wait; any exit status is an answer."""
    child = start(directory, *arguments, environ=environ)
    return finish(child, stdin)


def run(directory: Path, *arguments: str, stdin: bytes = b"", environ: Mapping[str, str | None] | None = None) -> bytes:
    """Standard output of a git command that must succeed; raises RepositoryError with git's own last line."""
    done = call(directory, *arguments, stdin=stdin, environ=environ)
    if done.code:
        raise RepositoryError(f"git {_verb(arguments)} failed: {last_line(done.err) or f'exit status {done.code}'}")
    return done.out


def start(directory: Path, *arguments: str, environ: Mapping[str, str | None] | None = None) -> subprocess.Popen[bytes]:
    """Start git without waiting, so that two of them can work at once; `finish` collects it. A variable that is None is unset."""
    variables = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", **(environ or {})}
    try:
        return subprocess.Popen(
            [*_PREFIX, *arguments],
            cwd=directory,
            env={name: value for name, value in variables.items() if value is not None},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        if not directory.is_dir():
            raise RepositoryError(f"no such folder: {directory}") from error
        raise RepositoryError("git is not on PATH: install Git 2.36 or later") from error


def finish(child: subprocess.Popen[bytes], stdin: bytes = b"") -> Done:
    """Feed a started git, wait for it, and give what it left."""
    out, err = child.communicate(stdin)
    return Done(child.returncode, out, err.decode(errors="replace"))


def last_line(text: str) -> str:
    """The last line that says something, without git's own `fatal:`, `error:`."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith("fatal:")] or lines[-1:]
    return fatal[0].removeprefix("fatal: ").removeprefix("error: ") if fatal else ""


def _verb(arguments: tuple[str, ...]) -> str:
    return next((word for word in arguments if not word.startswith("-")), "")


def split(data: bytes) -> list[str]:
    """NUL-ended words, as `-z` gives them."""
    return [os.fsdecode(word) for word in data.split(b"\0") if word]


def join(words: list[str] | tuple[str, ...]) -> bytes:
    """The inverse of `split`."""
    return b"".join(os.fsencode(word) + b"\0" for word in words)
