"""Finding the user's command and starting it, with the errors that `env` and `timeout` give."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from exptrack.errors import CommandError, ExptrackError

_NOT_EXECUTABLE, _NOT_FOUND = 126, 127


def find(name: str, directory: Path, environ: Mapping[str, str]) -> str:
    """The file that `name` means: itself if it has a slash, else the first executable of that name on the PATH of `environ`.

    A relative path is relative to `directory`, and stays relative. Raises CommandError: 127 if there is none on PATH, 126 if there is
    but it is not executable.
    """
    if os.sep in name:
        return name
    places = [f"{entry or '.'}{os.sep}{name}" for entry in os.get_exec_path(environ) if name]
    for place in places:
        if os.path.isfile(directory / place) and os.access(directory / place, os.X_OK):  # noqa: PTH113 - see below
            return place
    there = next((place for place in places if _exists(directory / place)), None)
    if there is None:
        raise CommandError(f"cannot find '{name}' on PATH: check the spelling, or give the path to it", _NOT_FOUND)
    raise _not_executable(there, directory)


def spawn(  # noqa: PLR0913 - what a process starts with
    argv: Sequence[str],
    *,
    directory: Path,
    environ: Mapping[str, str],
    outputs: tuple[int, int],
    inherit: tuple[int, ...],
    own_group: bool,
    is_apart: bool,
) -> subprocess.Popen[bytes]:
    """Start `argv` in `directory` with `outputs` as stdout and stderr, and our stdin; `is_apart`: in a session of its own, without stdin.

    A script without `#!` is run by `/bin/sh`, as execvp, and so `env` and the shells, do.
    Raises CommandError: 127 if it, or its interpreter, is not there, 126 if it cannot be executed; ExptrackError if `directory` is not
    there, or no process can be made.
    """
    if not _exists(directory):
        raise ExptrackError(f"the directory '{directory}' is not there (any more): make it, or run from another one")
    program = find(argv[0], directory, environ)

    def start(arguments: Sequence[str], executable: str) -> subprocess.Popen[bytes]:
        # No preexec_fn, so that subprocess takes the vfork path; it also gives SIGPIPE its default back, which Python ignores.
        return subprocess.Popen(
            arguments,
            executable=executable,
            cwd=directory,
            env=environ,
            stdin=subprocess.DEVNULL if is_apart else None,
            stdout=outputs[0],
            stderr=outputs[1],
            pass_fds=inherit,
            # The leader of a session leads a group already.
            process_group=0 if own_group and not is_apart else None,
            start_new_session=is_apart,
        )

    try:
        try:
            return start(argv, program)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            return start(["/bin/sh", program, *argv[1:]], "/bin/sh")
    except OSError as error:
        raise _explained(error, program, directory) from error


def _explained(error: OSError, program: str, directory: Path) -> ExptrackError:
    reason = (error.strerror or str(error)).lower()
    if error.filename is None:
        return ExptrackError(f"cannot start a process for '{program}': {reason}; free some resources, and try again")
    if error.filename == directory:  # a Path: subprocess names what it was given, and the program is a str
        return ExptrackError(f"cannot enter the directory '{directory}': {reason}; run from another one")
    if error.errno == errno.ENOENT:
        return _not_found(program, directory)
    if error.errno == errno.EACCES:
        return _not_executable(program, directory)
    return CommandError(f"cannot run '{program}': {reason}; check the file and its arguments", _NOT_EXECUTABLE)


def _not_found(program: str, directory: Path) -> CommandError:
    interpreter = _interpreter(directory / program)
    if interpreter is None:
        return CommandError(f"cannot find '{program}': check the path, from '{directory}'", _NOT_FOUND)
    advice = f"install its interpreter '{interpreter}', or correct the file's first line"
    return CommandError(f"cannot run '{program}': {advice}", _NOT_FOUND)


def _not_executable(program: str, directory: Path) -> CommandError:
    if os.path.isdir(directory / program):  # noqa: PTH112 - see below
        return CommandError(f"cannot run '{program}': it is a directory; name the program in it", _NOT_EXECUTABLE)
    advice = "name its interpreter first, or make it executable with chmod +x"
    return CommandError(f"cannot run '{program}': permission denied; {advice}", _NOT_EXECUTABLE)


def _interpreter(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            line = file.readline(256)
    except OSError:
        return None
    words = os.fsdecode(line[2:]).split()
    return words[0] if line.startswith(b"#!") and words else None


def _exists(path: Path) -> bool:
    # Path's own tests raise where a folder may not be entered; PATH may well name some of these.
    return os.path.exists(path)  # noqa: PTH110
