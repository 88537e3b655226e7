"""What the user hears of a pipeline only once it has begun."""

from __future__ import annotations

from collections.abc import Callable


class Held:
    """Lines for the user that wait until the first stage has begun: of a pipeline that is refused, he shall hear why, and no more."""

    def __init__(self, notice: Callable[[str], None], has_begun: Callable[[], bool]) -> None:
        self._notice = notice
        self._has_begun = has_begun
        self._lines: list[str] = []
        self._is_open = False

    def hold(self, line: str) -> None:
        """Tell it, now or later."""
        if self._is_open:
            self._notice(line)
        else:
            self._lines.append(line)

    def look(self) -> None:
        """Let go of the lines if a stage has begun."""
        if not self._is_open and self._has_begun():
            self.release()

    def release(self) -> None:
        """Tell what waits, and from now on everything at once."""
        self._is_open = True
        for line in self._lines:
            self._notice(line)
        self._lines.clear()
