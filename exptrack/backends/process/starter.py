"""The process that started this one, and when it ends."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Sequence

from exptrack.backends.process import exits
from exptrack.model.run import Ending

_LOOK = 200  # milliseconds between two looks, where there is no bell


class Starter:
    """The process that started this one. We are not its parent, so few systems tell us its exit code."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._bell = _open_bell(pid)

    def wait(self, sources: Sequence[int]) -> tuple[list[int], bool]:
        """Until one of the descriptors `sources` can be read, or it has ended: those that can, and whether it has."""
        while True:
            is_over = self._bell is None and os.getppid() != self.pid
            waiting = select.poll()  # `select` knows no descriptors beyond 1,023
            for one in sources if self._bell is None else [*sources, self._bell]:
                waiting.register(one, select.POLLIN)
            patience = 0 if is_over else None if self._bell is not None else _LOOK
            ready = [one for one, _ in waiting.poll(patience)]
            if ready or is_over:
                return [one for one in ready if one != self._bell], is_over or self._bell in ready

    def find_ending(self) -> Ending | None:
        """How it ended; None if this system does not tell."""
        status = None if self._bell is None else exits.find_status(self._bell)
        if status is None:
            return None
        code = os.waitstatus_to_exitcode(status)
        return Ending(code, None) if code >= 0 else Ending(None, -code, interrupted=code == -signal.SIGINT)

    def interrupt(self, number: int) -> None:
        """Send it a signal, if it is still there."""
        if os.getppid() == self.pid:
            os.kill(self.pid, number)

    def close(self) -> None:
        """Look no longer."""
        if self._bell is not None:
            os.close(self._bell)
            self._bell = None


def _open_bell(pid: int) -> int | None:
    """A descriptor that can be read once the process has ended; None where the system has none."""
    try:
        return os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
    except OSError:
        return None
