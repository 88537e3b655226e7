"""How a process ended that is not our child: Linux 6.15 and later tell who holds a descriptor of it (`PIDFD_GET_INFO` of linux/pidfd.h)."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import sys
import time

_GET_INFO = 0xC040FF0B  # _IOWR(0xFF, 11, struct pidfd_info)
_EXIT = 1 << 3  # PIDFD_INFO_EXIT
_INFO = struct.Struct("=QQ12i")  # mask, cgroup, eleven ids, and the status as `wait` gives it
_FIRST = (6, 15)
_PATIENCE, _PAUSE = 5.0, 0.005  # seconds; it is told once the parent has asked for the status itself


def can_tell() -> bool:
    """Whether this system tells."""
    found = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return (
        sys.platform == "linux"
        and hasattr(os, "pidfd_open")
        and found is not None
        and (int(found[1]), int(found[2])) >= _FIRST
    )


def find_status(pidfd: int) -> int | None:
    """The status of the ended process behind the descriptor, as `wait` gives it; None if it cannot be found out."""
    end = time.monotonic() + _PATIENCE
    while can_tell():
        info = bytearray(_INFO.pack(_EXIT, *([0] * 13)))
        try:
            fcntl.ioctl(pidfd, _GET_INFO, info)
        except OSError:
            return None
        mask, *_, status = _INFO.unpack(info)
        if mask & _EXIT:
            return int(status)
        if time.monotonic() > end:
            return None
        time.sleep(_PAUSE)
    return None
