"""How the process of a script ends: an uncaught exception and `sys.exit` tell the exit code of its runs.

Nobody but its parent learns the exit code of a process; its recorder is not the parent. So the two ways by which Python ends a script with
another code than 0 are listened to. `raise SystemExit(n)` outside of a `with` is heard by nobody.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable
from types import TracebackType
from typing import NoReturn

_SUCCESS, _FAILURE = 0, 1


class Exit:
    """What is known of the process' end so far."""

    code = _SUCCESS
    interrupted = False

    def note(self, error: BaseException | None) -> None:
        """An exception ends the script, or a `with` (None: nothing does)."""
        self.code, self.interrupted = read_error(error)


def read_error(error: BaseException | None) -> tuple[int, bool]:
    """The exit code that Python gives for an uncaught exception, and whether that is Ctrl-C: also one that was answered by leaving."""
    if error is None:
        return _SUCCESS, False
    if isinstance(error, SystemExit):
        code = _read_code(error.code)
        return code, code != _SUCCESS and isinstance(error.__context__, KeyboardInterrupt)
    return _FAILURE, isinstance(error, KeyboardInterrupt)


def _read_code(code: object) -> int:
    if code is None:
        return _SUCCESS
    return code & 0xFF if isinstance(code, int) else _FAILURE


_exit = Exit()


def note(error: BaseException | None) -> None:
    """What was tried last failed by this exception, or not: so the process ends, unless it goes on."""
    _exit.note(error)


class _Leaving(SystemExit):
    """Raised by `sys.exit`. Somebody may catch it: then it is let go of while frames of Python are still there."""

    def __del__(self) -> None:
        if sys._getframe().f_back is not None:  # noqa: SLF001 - is anything left that runs?
            _exit.note(None)


def listen(at_end: Callable[[int, bool], None]) -> None:
    """From now on hear how the process ends; `at_end` is then called with the exit code and whether it was interrupted."""
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        _exit.note(error)
        before(kind, error, trace)

    def leave(code: object = None, /) -> NoReturn:
        _exit.code = _read_code(code)
        _exit.interrupted = _exit.code != _SUCCESS and isinstance(sys.exception(), KeyboardInterrupt)
        raise _Leaving(code)

    sys.excepthook = hook
    sys.exit = leave
    atexit.register(lambda: at_end(_exit.code, _exit.interrupted))
