"""What standard output is: a terminal of some width, with colours and a pager, or a pipe."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from itertools import chain

_UNREAD = 1024 * 1024  # letters; more than a pipe holds that nobody reads


def find_width() -> int | None:
    """Columns of the terminal that is written to; None in a pipe, which has no edge."""
    if not sys.stdout.isatty():
        return None
    from shutil import get_terminal_size

    return get_terminal_size().columns


def has_color() -> bool:
    """Whether to colour: on a terminal that knows colours, unless NO_COLOR is set."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def is_unicode() -> bool:
    """Whether standard output takes the blocks that curves and bars are drawn with."""
    try:
        "▁█░×".encode(sys.stdout.encoding or "ascii")  # noqa: RUF001 - a mark, no letter
    except UnicodeEncodeError:
        return False
    return True


def show(text: str, *, is_paged: bool = True, is_wide: bool = False) -> None:
    """Print an answer; on a terminal that is too small for it through the user's pager, as git does.

    `is_wide` lines are not folded there but can be scrolled sideways.
    """
    if not (is_paged and sys.stdout.isatty()):
        print(text)
        return
    is_low, is_narrow = _find_lack(text)
    pager = _find_pager() if is_low or (is_wide and is_narrow) else None
    if pager is None:
        print(text)
        return
    _page(pager, iter((text, "\n")), less="RSX" if is_wide and is_narrow else "FRX")


def show_pieces(pieces: Iterable[str], *, is_paged: bool = True) -> None:
    """As `show`, of a text that comes piece by piece: what is long begins at once, and is never in memory as a whole."""
    from shutil import get_terminal_size

    rest, first, lines = iter(pieces), "", 0
    room = get_terminal_size().lines if is_paged and sys.stdout.isatty() else 0
    while room > lines and (piece := next(rest, None)) is not None:
        first += piece
        lines = first.count("\n") + 1
    if room and lines < room:
        show(first)
    elif room and (pager := _find_pager()):
        _page(pager, chain((first,), rest, "\n"))
    else:
        sys.stdout.writelines(chain((first,), rest, "\n"))


def _page(pager: str, pieces: Iterator[str], *, less: str = "FRX") -> None:
    sent: list[str] = []
    size = 0
    environ = {"LESS": less, "LV": "-c", **os.environ}
    # Through the shell: the pager is a command line of the user's own.
    child = subprocess.Popen(pager, shell=True, stdin=subprocess.PIPE, env=environ)  # noqa: S602
    with (
        _deaf(),
        child,
        suppress(BrokenPipeError),
        child.stdin or nullcontext() as inlet,
    ):  # leaving a pager early closes the pipe
        for piece in pieces:
            if size < _UNREAD:
                sent.append(piece)
                size += len(piece)
            if inlet is not None:
                inlet.write(piece.encode(errors="backslashreplace"))
    if child.returncode in {126, 127}:  # it cannot be started: the answer must not be lost
        sys.stdout.writelines(chain(sent, pieces))
    elif child.returncode in {-signal.SIGINT, 128 + signal.SIGINT}:
        raise KeyboardInterrupt


@contextmanager
def _deaf() -> Iterator[None]:
    """Ctrl-C is the pager's, which stops a search by it and stays: who left then would have it and the shell read the same keys."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _find_lack(text: str) -> tuple[bool, bool]:
    """Whether the terminal has too few lines for a text, and too few columns."""
    from shutil import get_terminal_size

    size = get_terminal_size()
    lines = text.split("\n")
    return len(lines) >= size.lines, any(len(line) > size.columns and _width(line) > size.columns for line in lines)


def _width(line: str) -> int:
    from exptrack.render.text import display_width, strip_colors

    return display_width(strip_colors(line))


def _find_pager() -> str | None:
    """The command of the pager as git chooses it; None if there is to be none."""
    named = os.environ.get("GIT_PAGER")
    if named is None:
        done = subprocess.run(["git", "var", "GIT_PAGER"], capture_output=True, text=True, check=False)
        named = done.stdout.strip()
    return None if named in {"", "cat"} else named
