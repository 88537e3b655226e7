"""Numbers, counts and names in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from exptrack.model.tree import Value

_DIGITS = range(2, 17)


def counted(number: int, noun: str) -> str:
    """`1 file`, `1,003 files`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def mebibytes(size: int) -> str:
    """A size in bytes of something that is too large: `1,300 MiB`."""
    return f"{size / 2**20:,.0f} MiB"


def name_few(names: Sequence[str], most: int, last: str = ", ") -> str:
    """The first names, and how many more there are: `a, b, c and 7 more`. One more than `most` costs no more than saying so.

    `last` stands before the last one where all are named.
    """
    if len(names) > most + 1:
        return f"{', '.join(names[:most])} and {len(names) - most:,} more"
    return last.join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def shorten(lines: Sequence[str], most: int, noun: str) -> tuple[str, ...]:
    """The first lines, and how many more there are; one line more than `most` costs no more than saying so."""
    return (*lines[:most], f"{len(lines) - most} more {noun}s") if len(lines) > most + 1 else tuple(lines)


def number(value: Value) -> str:
    """A value with the digits that tell it from every other one."""
    return repr(value) if isinstance(value, float) else str(value)


def within(value: float, centre: float, width: float) -> tuple[str, str, str]:
    """Three numbers with the decimals that two digits of `width` have, or as many more as show whether value lies in centre ± width."""
    if 1e-12 < width < 1e15 and max(abs(value), abs(centre)) < 1e15:
        for digits in _DIGITS:
            decimals = max(0, digits - 1 - math.floor(math.log10(width)))
            texts = (f"{value:.{decimals}f}", f"{centre:.{decimals}f}", f"{width:.{decimals}f}")
            first, second, third = map(float, texts)
            if (abs(first - second) <= third * (1 + 1e-9)) is (abs(value - centre) <= width):
                return texts
    return number(value), number(centre), f"{width:g}"


def percentages(share: float, allowed: float, *, is_within: bool) -> tuple[str, str]:
    """Two shares in percent, with three digits, or as many more as show which is the larger."""
    texts = _percent(share, 3), _percent(allowed, 3)
    for digits in _DIGITS[1:]:
        texts = _percent(share, digits), _percent(allowed, digits)
        if (float(texts[0][:-1]) <= float(texts[1][:-1])) is is_within:
            break
    return texts


def _percent(share: float, digits: int) -> str:
    whole = len(str(int(100 * share))) if share < 1e4 else 0
    return f"{100 * share:.{max(digits, whole)}g}%"


def signed(
    values: Sequence[float], width: float, marks: Sequence[float], middle: float | None = None
) -> tuple[str, ...]:
    """Signed numbers with the decimals that two digits of `width` have, or as many more as keep each value on its side of the marks.

    `middle` comes last, with the same decimals.
    """
    all_values = values if middle is None else (*values, middle)
    if 1e-12 < width < 1e15 and max(map(abs, all_values)) < 1e15:
        for digits in _DIGITS:
            decimals = max(0, digits - 1 - math.floor(math.log10(width)))
            texts = tuple(_sign(value, decimals) for value in all_values)
            if all(
                _side(float(text), mark) == _side(value, mark)
                for text, value in zip(texts, values, strict=False)
                for mark in marks
            ):
                return texts
    return tuple(f"{value:+.6g}" for value in all_values)


def _sign(value: float, decimals: int) -> str:
    text = f"{value:+.{decimals}f}"
    return text.replace("-", "+") if float(text) == 0 else text


def _side(value: float, mark: float) -> int:
    return (value > mark) - (value < mark)


def explain_second(path: Sequence[str], first: object, second: object) -> str:
    """What is said of a parameter that was logged twice with different values."""
    return f"parameter '{'.'.join(path)}' was {first!r} and then {second!r}: the first one stays"
