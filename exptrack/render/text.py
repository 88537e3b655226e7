"""Values as words for a terminal. What came from outside is made inert: no escape sequence gets through."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from exptrack.model.tree import Value

# What a page of text is made of: tabs, ends of lines, and the colours that git puts in; 8 would hide what follows.
_PAGE = re.compile(r"(\t|\r?\n|\x1b\[(?!(?:[0-9;]*;)?0*8[;m])[0-9;]*m)")
_COLOR = re.compile(r"\x1b\[[0-9;]*m")
# A number as exptrack writes it, or the dash where there is none.
_NUMBER = re.compile(r"-|[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?%?|nan|inf)")
_SPANS = ((86400 * 365, "y"), (86400 * 30, "mo"), (86400 * 7, "w"), (86400, "d"), (3600, "h"), (60, "min"), (1, "s"))

BOLD, GREEN, RED, CYAN, _PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[31m", "\x1b[36m", "\x1b[m"


def inert(text: str) -> str:
    """`text` on one line, with control characters shown instead of obeyed."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "replace").decode() for letter in text
    )


def inert_json(text: str) -> str:
    """A JSON text with escapes for what a terminal could obey; it stands for the same value."""
    return "\n".join(
        line if line.isprintable() else "".join(x if x.isprintable() else json.dumps(x)[1:-1] for x in line)
        for line in text.split("\n")
    )


def inert_page(text: str) -> str:
    """`text` inert, but for its tabs, its line ends and its colours."""
    return "".join(part if index % 2 else inert(part) for index, part in enumerate(_PAGE.split(text)))


def page_lines(text: str) -> list[str]:
    """The lines of a page, each inert but for its tabs."""
    return ["\t".join(map(inert, line.split("\t"))) for line in text.rstrip("\n").split("\n")]


def strip_colors(text: str) -> str:
    """`text` without the colours that git puts in."""
    return _COLOR.sub("", text)


def format_value(value: Value) -> str:
    """A value in few characters: numbers to six digits, text as it is but inert."""
    if isinstance(value, bool) or value is None:
        return "-" if value is None else str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else inert(str(value))


def format_pairs(values: Mapping[str, Value]) -> str:
    """`key=value` words."""
    return " ".join(f"{inert(key)}={format_value(value)}" for key, value in values.items())


def format_age(then: datetime, now: datetime) -> str:
    """How long ago, in its largest unit."""
    seconds = (now - then).total_seconds()
    for size, unit in _SPANS:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return "0s"


def format_duration(seconds: float | None) -> str:
    """Seconds as a person says them."""
    if seconds is None:
        return "-"
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}min {rest}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60}min"


def format_size(size: int | None) -> str:
    """Bytes as a person says them."""
    if size is None:
        return "-"
    amount, units = float(size), ["B", "KiB", "MiB", "GiB", "TiB"]
    while round(amount, 1) >= 1024 and len(units) > 1:
        amount, units = amount / 1024, units[1:]
    return f"{amount:.0f} {units[0]}" if units[0] == "B" else f"{amount:.1f} {units[0]}"


def format_command(command: Sequence[str]) -> str:
    """A command as it would be typed, inert."""
    return inert(shlex.join(command))


def pad(text: str, width: int) -> str:
    """`text` with blanks up to `width` cells."""
    return text + " " * (width - display_width(text))


def display_width(text: str) -> int:
    """Terminal cells that a text takes."""
    if text.replace("…", ".").isascii():  # what is clipped has an ellipsis, and rich takes 6 ms to load
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def clip(text: str, width: int) -> str:
    """`text` cut to `width` cells, with an ellipsis if anything is cut."""
    if display_width(text) <= width:
        return text
    room, end = width - 1, 0
    while end < len(text) and (room := room - display_width(text[end])) >= 0:
        end += 1
    while end and display_width(text[:end]) >= width:  # a mark after a letter can make both wider
        end -= 1
    return text[:end] + "…" if width > 0 else ""


def clip_left(text: str, width: int) -> str:
    """`text` cut to `width` cells from the left: of a path the end says more."""
    if display_width(text) <= width:
        return text
    start = len(text) - len(clip(text[::-1], width)) + 1
    while start < len(text) and display_width(text[start:]) >= width:
        start += 1
    return f"…{text[start:]}" if width > 0 else ""


def align(cells: Sequence[str]) -> list[str]:
    """The cells of a column, all of one width: numbers with their points under each other, all else from the left."""
    whole = max((len(_whole_part(cell)) for cell in cells if _NUMBER.fullmatch(cell)), default=0)
    moved = [" " * (whole - len(_whole_part(cell))) + cell if _NUMBER.fullmatch(cell) else cell for cell in cells]
    return fill(moved)


def fill(cells: Sequence[str]) -> list[str]:
    """The cells of a column, padded to the width of the widest."""
    width = max(map(display_width, cells), default=0)
    return [pad(cell, width) for cell in cells]


def wrap(pieces: Iterable[str], width: int) -> list[str]:
    """Pieces of text as lines of at most `width` cells, blanks between; only one that is wider is broken, on lines of its own."""
    lines = [""]
    for piece in pieces:
        fits = display_width(piece.rstrip()) <= width
        lines += [] if fits or not lines[-1] else [""]
        for word in [piece] if fits else piece.split(" "):
            longer = f"{lines[-1]} {word}" if lines[-1] else word
            if lines[-1] and display_width(longer.rstrip()) > width:
                lines.append(word)
            else:
                lines[-1] = longer
    return [clip(line.rstrip(), width) for line in lines]


def paint(text: str, color: str) -> str:
    """`text` in a colour of the terminal, the blanks around it left alone."""
    inner = text.strip(" ")
    return text.replace(inner, f"{color}{inner}{_PLAIN}", 1) if inner and color else text


def _whole_part(number: str) -> str:
    return re.split(r"[.e%]", number, maxsplit=1)[0]
