"""A part of the terminal that is drawn anew in place."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from shutil import get_terminal_size

from exptrack.cli.terminal import has_color
from exptrack.render.page import Page
from exptrack.render.text import display_width, strip_colors


class Screen:
    """Lines at the end of what stands on the terminal, written anew in place."""

    def __init__(self) -> None:
        self._lines: list[int] = []

    @property
    def page(self) -> Page:
        """What there is room for in a line; a letter in the last column could make the terminal begin another."""
        return Page(get_terminal_size().columns - 1, has_color())

    @property
    def room(self) -> int:
        """How many lines there is room for; the cursor stands below them."""
        return max(1, get_terminal_size().lines - 1)

    def draw(self, lines: Sequence[str]) -> None:
        """Show these lines in the place of those before."""
        text = self._back() + "".join(f"{line}\x1b[K\n" for line in lines) + "\x1b[J"
        self._lines = [display_width(strip_colors(line)) for line in lines]
        sys.stdout.write(text)
        sys.stdout.flush()

    def clear(self) -> None:
        """Take the lines away."""
        sys.stdout.write(f"{self._back()}\x1b[J")
        sys.stdout.flush()
        self._lines = []

    def _back(self) -> str:
        # A terminal that was made narrower since has broken the lines.
        size = get_terminal_size()
        height = min(sum(1 + max(0, width - 1) // max(1, size.columns) for width in self._lines), size.lines - 1)
        return f"\x1b[{height}F" if height else ""


def can_redraw() -> bool:
    """Whether standard output is a terminal whose cursor can be moved."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in {"", "dumb"}
