"""A terminal of a given size, and what a command writes to it."""

from __future__ import annotations

import os
import struct
import subprocess
import termios
from collections.abc import Sequence
from fcntl import ioctl
from pathlib import Path

from witness import argv


def on_screen(cwd: Path, *words: str, columns: int = 80, lines: int = 400, **environ: str) -> tuple[int, str]:
    """Run exptrack with its output on a terminal; gives its exit status and what was written there, with plain ends of lines."""
    return watch(argv(*words), cwd, columns=columns, lines=lines, **environ)


def watch(program: Sequence[str], cwd: Path, *, columns: int = 80, lines: int = 400, **environ: str) -> tuple[int, str]:
    """As `on_screen`, of any program."""
    screen, line = os.openpty()
    ioctl(line, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    # COLUMNS would win over the size of the terminal.
    variables = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES"}}
    variables |= {"TERM": "xterm", **environ}
    child = subprocess.Popen(program, cwd=cwd, stdin=line, stdout=line, stderr=line, env=variables)
    os.close(line)
    written = b""
    while True:
        try:
            chunk = os.read(screen, 65536)
        except OSError:  # Linux says so when the last writer has gone
            break
        if not chunk:
            break
        written += chunk
    os.close(screen)
    return child.wait(), written.decode().replace("\r\n", "\n")
