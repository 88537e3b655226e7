"""exptrack, which dies of SIGKILL just before its Nth effect below `.git/exptrack`, or the start of the command. Usage: dying.py N WORDS…."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from exptrack.cli import main

last = int(sys.argv[1])
count = 0


def is_effect(event: str, arguments: tuple[Any, ...]) -> bool:
    match event:
        case "subprocess.Popen":
            return arguments[0] != "git"
        case "open":
            path, _, flags = arguments
            return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) and is_ours(path)
        case "os.mkdir" | "os.rename" | "fcntl.flock":
            return event == "fcntl.flock" or is_ours(arguments[0])
        case "os.remove" | "os.rmdir":  # these may be relative to an open folder
            return True
    return False


def is_ours(path: object) -> bool:
    return not isinstance(path, int) and f"{os.sep}.git{os.sep}exptrack" in os.fsdecode(path)  # type: ignore[arg-type]


def strike(event: str, arguments: tuple[Any, ...]) -> None:
    global count  # noqa: PLW0603 - the shortest way
    if is_effect(event, arguments):
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)


sys.addaudithook(strike)
sys.exit(main(sys.argv[2:]))
