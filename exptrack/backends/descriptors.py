"""Descriptors that stay ours in a process that is somebody else's."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress

_FROM = (500, 200)  # macOS allows 256


def lift(file: int) -> int:
    """The same open file, closed in programs that are started, under a number to which a script hardly comes by itself.

    A script that closes what it did not open, as daemons do, and then opens files, gets the lowest numbers: none of them may be one that we
    still write to.
    """
    for number in _FROM:
        with suppress(OSError):
            lifted = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, number)
            os.close(file)
            return lifted
    return file
