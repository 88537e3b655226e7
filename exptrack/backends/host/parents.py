"""What other processes of this machine were started with."""

from __future__ import annotations

from pathlib import Path


def find_words(pid: int) -> tuple[tuple[str, ...], Path]:
    """The words of a process, and its working directory; no words if it is gone, or not ours to see."""
    import psutil

    try:
        process = psutil.Process(pid)
        return tuple(process.cmdline()), Path(process.cwd())
    except (psutil.Error, OSError):
        return (), Path()
