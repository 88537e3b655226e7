"""What a process and its children use of the machine while they run, by psutil, and what is used of its GPUs, by NVML."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic, time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import psutil

    from exptrack.backends.host.gpus import Gpus

_GIB = 1024.0**3
_MIB = 1024.0**2
_LEAST = 0.001  # seconds; two looks may follow each other at once
_HAS_ENDED_CHILDREN = sys.platform == "linux"  # there the time of a child that has ended is its parent's


class _Reading(NamedTuple):
    """Of all processes at one moment: seconds of CPU by process, bytes of memory, bytes read and written since they began.

    `began` is when the first of them did (Unix time).
    """

    began: float
    cpu: Mapping[tuple[int, float], float]
    memory: int
    disk: Mapping[tuple[int, float], tuple[int, int]]


class Usage:
    """What the process `pid` and all that it started use. `environ` is its environment, `folder` lies on the disk it works on.

    We ourselves are not counted, though it may have started us.
    """

    def __init__(self, pid: int, environ: Mapping[str, str], folder: Path) -> None:
        self._pid = pid
        self._environ = environ
        self._folder = folder
        self._then: float | None = None
        self._before: _Reading | None = None
        self._network: tuple[int, int] | None = None
        self._gpus: Gpus | None = None

    def sample(self) -> dict[str, float]:
        """What is used now, or was since the last call, by name; the units are in `docs/capture.md`. What cannot be had is left out.

        At the first call it is what was used since the process began.
        """
        import psutil

        now = monotonic()
        seconds, self._then = None if self._then is None else max(now - self._then, _LEAST), now
        found = self._look_at_processes(seconds)
        with suppress(OSError):
            found["system/disk/free"] = psutil.disk_usage(str(self._folder)).free / _GIB
        with suppress(OSError):
            found["system/memory_free"] = psutil.virtual_memory().available / _GIB
        with suppress(OSError, AttributeError):  # no interface at all: psutil gives None
            found |= self._look_at_network(seconds or _LEAST)
        found |= self._look_at_gpus()
        return {name: round(value, 3) for name, value in found.items()}

    def _look_at_processes(self, seconds: float | None) -> dict[str, float]:
        found = _read(self._pid)
        if found is None:
            return {}
        before, self._before = self._before or found._replace(cpu={}, disk={}), found
        seconds = max(time() - found.began, _LEAST) if seconds is None else seconds
        usage = {"system/cpu": 100 * _cpu_since(before, found) / seconds, "system/memory": found.memory / _GIB}
        if found.disk:
            read, written = (
                sum(max(0, counts[one] - before.disk.get(key, (0, 0))[one]) for key, counts in found.disk.items())
                for one in (0, 1)
            )
            usage |= {"system/disk/read": read / _MIB / seconds, "system/disk/written": written / _MIB / seconds}
        return usage

    def _look_at_network(self, seconds: float) -> dict[str, float]:
        import psutil

        counts = psutil.net_io_counters()
        before, self._network = self._network, (counts.bytes_recv, counts.bytes_sent)
        if before is None:
            return {}
        received, sent = (max(0, new - old) / _MIB / seconds for new, old in zip(self._network, before, strict=True))
        return {"system/network/received": received, "system/network/sent": sent}

    def _look_at_gpus(self) -> dict[str, float]:
        if self._gpus is None:
            from exptrack.backends.host.gpus import Gpus

            self._gpus = Gpus(self._environ)
        return self._gpus.sample()


def _read(pid: int) -> _Reading | None:
    """What all of them have used; None if the first of them is gone."""
    import psutil

    try:
        root = psutil.Process(pid)
        began, members = root.create_time(), [root, *root.children(recursive=True)]
    except (psutil.Error, OSError):
        return None
    ours = _find_ours({one.pid for one in members})
    cpu: dict[tuple[int, float], float] = {}
    disk: dict[tuple[int, float], tuple[int, int]] = {}
    memory = 0
    for one in members:
        # Those that end meanwhile, or are another user's, are left out.
        with suppress(psutil.Error, OSError):
            if one.pid not in ours:
                key = (one.pid, one.create_time())
                cpu[key] = _seconds(one)
                memory += one.memory_info().rss
                disk |= _read_disk(one, key)
    return _Reading(began, cpu, memory, disk)


def _find_ours(pids: set[int]) -> set[int]:
    """Ourselves and what we started, if the process that we look at has started us."""
    import psutil

    if os.getpid() not in pids:
        return set()
    with suppress(psutil.Error, OSError):
        return {os.getpid(), *(one.pid for one in psutil.Process().children(recursive=True))}
    return {os.getpid()}


def _seconds(process: psutil.Process) -> float:
    """Its time, and that of its children that have ended, where that is known."""
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _read_disk(process: psutil.Process, key: tuple[int, float]) -> dict[tuple[int, float], tuple[int, int]]:
    """Bytes that went from and to disks, by the process; macOS does not tell."""
    import psutil

    with suppress(psutil.Error, OSError, AttributeError):
        counts = process.io_counters()
        return {key: (counts.read_bytes, counts.write_bytes)}
    return {}


def _cpu_since(before: _Reading, now: _Reading) -> float:
    old = before.cpu if _HAS_ENDED_CHILDREN else {key: time for key, time in before.cpu.items() if key in now.cpu}
    return max(0.0, sum(now.cpu.values()) - sum(old.values()))
