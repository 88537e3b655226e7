"""Short processes that answer a question: quiet, without a terminal, and ended with all their children when they hang."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

TIMEOUT = 10.0


def output(
    argv: Sequence[str], *, environ: Mapping[str, str], directory: Path | str = "/", timeout: float = TIMEOUT
) -> str | None:
    """Standard output, or None if the process failed, hung for `timeout` seconds, or could not be started.

    It gets a session of its own, so that no Ctrl-C reaches it, and a shim's children end with it.
    """
    try:
        child = subprocess.Popen(
            list(argv),
            cwd=directory,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError):
        return None
    answer: bytes | None = None
    with child:
        try:
            with suppress(subprocess.TimeoutExpired):
                answer, _ = child.communicate(timeout=timeout)
        finally:
            if answer is None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(child.pid, signal.SIGKILL)
    return None if answer is None or child.returncode else answer.decode(errors="surrogateescape")
