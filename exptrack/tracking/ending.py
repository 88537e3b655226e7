"""How the process of a script ends: an uncaught exception and `sys.exit` tell the exit code of its runs.

Nobody but its parent learns the exit code of a process; its recorder is not the parent. So the ways by which Python ends a script with
another code than 0 are listened to: an uncaught exception, `sys.exit`, `exit`. What gets past them (`raise SystemExit(3)` outside of a
`with`, `from sys import exit` before exptrack was imported) is seen in the end: the outermost frame of the main thread did not return.
Then no exit code is told. (The frame's last instruction says so in CPython 3.11 to 3.14; it is tested with 3.11.)
"""

from __future__ import annotations

import atexit
import builtins
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import NoReturn

_SUCCESS, _FAILURE = 0, 1
UNHEARD = "the script was left by an exception whose exit code is not known: end it by sys.exit, or its run by `with` or end_run()"


class Exit:
    """What is known of the process' end so far."""

    code = _SUCCESS
    interrupted = False
    is_heard = False

    def note(self, error: BaseException | None) -> None:
        """An exception ends the script, or a `with` (None: nothing does)."""
        self.code, self.interrupted = read_error(error)
        self.is_heard = error is not None


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


def listen(at_end: Callable[[int | None, bool], None]) -> None:
    """From now on hear how the process ends; `at_end` is then called with the exit code and whether it was interrupted.

    The exit code is None if the script was left by an exception that nobody heard of.
    """
    import opcode  # noqa: F401 - now: in the end a script may have more files open than it can

    before, outermost = sys.excepthook, _find_outermost()

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        _exit.note(error)
        before(kind, error, trace)

    def leave(code: object = None, /) -> NoReturn:
        _exit.code, _exit.is_heard = _read_code(code), True
        _exit.interrupted = _exit.code != _SUCCESS and isinstance(sys.exception(), KeyboardInterrupt)
        raise _Leaving(code)

    def finish() -> None:
        is_known = _exit.is_heard or outermost is None or not _was_left(outermost)
        with suppress(KeyboardInterrupt):  # it was told what becomes of the run
            at_end(_exit.code if is_known else None, _exit.interrupted)

    sys.excepthook = hook
    sys.exit = leave
    _hear_builtins(leave)
    atexit.register(finish)


def _hear_builtins(leave: Callable[[object], NoReturn]) -> None:
    """`exit` and `quit`, which the module `site` makes: they close standard input and raise SystemExit themselves."""
    quitter = type(getattr(builtins, "exit", None))
    if quitter.__module__ != "_sitebuiltins":
        return

    def call(_self: object, code: object = None) -> NoReturn:
        with suppress(Exception):
            sys.stdin.close()
        leave(code)

    quitter.__call__ = call  # type: ignore[method-assign]


def _find_outermost() -> FrameType | None:
    """The frame of the main thread in which all others of the script are."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)  # noqa: SLF001
    while frame is not None and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _was_left(frame: FrameType) -> bool:
    """Whether an exception left this frame: it does not run any more, and its last instruction is not the one that returns."""
    running: FrameType | None = sys._getframe()  # noqa: SLF001
    while running is not None and running is not frame:
        running = running.f_back
    if running is not None or frame.f_lasti < 0:
        return False
    from opcode import opname

    return not opname[frame.f_code.co_code[frame.f_lasti]].startswith("RETURN")
