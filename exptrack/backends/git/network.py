"""Run a git that talks to a remote.

Unlike the plumbing of `command`, it stays in our session and on our terminal, where it asks for a password on /dev/tty, and it runs the
user's hooks (pre-push: Git LFS). Ctrl-C reaches it as it does us. `GIT_TERMINAL_PROMPT=0` in the environment keeps it, and ssh, from asking.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import IO

from exptrack.backends.git import command
from exptrack.backends.git.repository import Repository
from exptrack.errors import RepositoryError
from exptrack.model.progress import Progress, Silence

_GRACE = 2.0  # seconds for git to end after Ctrl-C, before it is told once more
_LINGER = 1.0  # seconds for the last words of a git that has ended; what it left running, as ssh's ControlPersist does, may keep the pipe
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_BREAK = re.compile(rb"[\r\n]")


def talk(
    repository: Repository,
    *arguments: str,
    stdin: bytes = b"",
    progress: Progress | None = None,
    git_dir: Path | None = None,
) -> command.Done:
    """Run git at the root of the work tree and wait; any exit status is an answer.

    What it says of its progress (`progress_word` is among the arguments) goes to `progress` and not into the answer. With `git_dir` it
    takes that folder for the repository.
    """
    child = _start(repository, arguments, git_dir, is_fed=bool(stdin))
    out: list[bytes] = []
    said: list[bytes] = []
    work = ((child.stdout, lambda _: False, out), (child.stderr, _listen_to(progress or Silence()), said))
    readers = [Thread(target=_read, args=each, daemon=True) for each in work]
    try:
        for reader in readers:
            reader.start()
        if child.stdin is not None:
            with suppress(BrokenPipeError), child.stdin as pipe:
                pipe.write(stdin)
        child.wait()
        for reader in readers:
            reader.join(_LINGER)
    except BaseException:
        _wait(child)
        raise
    return command.Done(child.returncode, b"\n".join(out), _COLOUR.sub("", b"\n".join(said).decode(errors="replace")))


def progress_word(progress: Progress | None) -> str:
    """The word by which fetch and push say how far they are, or do not."""
    return "--no-progress" if isinstance(progress or Silence(), Silence) else "--progress"


def _start(
    repository: Repository, arguments: tuple[str, ...], git_dir: Path | None, *, is_fed: bool
) -> subprocess.Popen[bytes]:
    changes: dict[str, str | None] = {**repository.environ, "LC_ALL": "C", "LANGUAGE": "C"}
    if git_dir is not None:
        changes |= {"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(repository.top), "GIT_COMMON_DIR": None}
    environ = {name: value for name, value in {**os.environ, **changes}.items() if value is not None}
    if environ.get("GIT_TERMINAL_PROMPT") == "0" and not _has_ssh(repository):
        environ["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes"
    try:
        return subprocess.Popen(
            ["git", *arguments],
            cwd=repository.top,
            env=environ,
            stdin=subprocess.PIPE if is_fed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except FileNotFoundError as error:
        raise RepositoryError("git is not on PATH: install Git 2.36 or later") from error
    except OSError as error:
        raise RepositoryError(f"git cannot be started in {repository.top}: {error.strerror}") from error


def _has_ssh(repository: Repository) -> bool:
    """Whether the user has told git how to call ssh."""
    if not {"GIT_SSH_COMMAND", "GIT_SSH"}.isdisjoint(os.environ):
        return True
    return command.call(repository.top, "config", "--get", "core.sshCommand", environ=repository.environ).code == 0


def _read(pipe: IO[bytes], listener: Callable[[str], bool], said: list[bytes]) -> None:
    """Hand on each line as it comes; git ends those that it overwrites with a carriage return."""
    rest = b""
    with pipe:
        while chunk := os.read(pipe.fileno(), 65536):
            *lines, rest = _BREAK.split(rest + chunk)
            said += [line for line in lines if not listener(line.decode(errors="replace"))]
    said.append(rest)


def _wait(child: subprocess.Popen[bytes]) -> None:
    """Wait for a git that Ctrl-C has reached, too; one that was not told so is told after a while."""
    try:
        child.wait(_GRACE)
    except subprocess.TimeoutExpired:
        child.terminate()
        child.wait()


def _listen_to(progress: Progress) -> Callable[[str], bool]:
    """What takes a line of git's, and says whether it was one of progress."""
    if isinstance(progress, Silence):
        return lambda _: False
    from git.util import RemoteProgress

    class Listener(RemoteProgress):
        task, done, is_progress = "", 0, False

        def update(self, _: int, cur_count: str | float, max_count: str | float | None = None, __: str = "") -> None:
            self.is_progress = True
            task = str(self._cur_line).removeprefix("remote: ").partition(":")[0].strip().lower()
            if task != self.task:
                self.task, self.done = task, 0
                progress.begin(task, int(float(max_count)) if max_count else None)
            now = int(float(cur_count or 0))
            progress.advance(now - self.done)
            self.done = now

        def hear(self, line: str) -> bool:
            self.is_progress = False
            self._parse_progress_line(line)
            self.other_lines.clear()
            self.error_lines.clear()
            return self.is_progress

    return Listener().hear
