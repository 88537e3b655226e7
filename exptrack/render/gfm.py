"""Pieces of Markdown that GitHub and GitLab understand, in which nothing that came from outside is more than letters.

Everything from outside stands in code spans or fences: there alone neither HTML nor links, mentions and issue numbers are looked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from exptrack.render.text import inert
from exptrack.render.values import format_exact

# Words and numbers that nobody links, counts or makes bold: the rest of a sentence from outside goes into code spans.
_WORD = re.compile(
    r"\(?[A-Za-z]+(?:['’-][A-Za-z]+)*\)?[.,;:?!]?"  # noqa: RUF001
    r"|\(?\d{1,6}(?:(?:\.\d{1,6}%?|%)\)?)?[,;:]?"  # `1)` would begin a list
    r"|\[?[+-]?\d{1,6}(?:\.\d{1,6})?%?\]?[,;]?"  # of an interval; `[1]:` would define a link
    r"|[(),.;:]{1,3}"
)
_HEX = re.compile(r"[0-9a-fA-F]{7,}")
_MARKED = re.compile(r"(\(?)([^`]*[^`.,;:()])(\)?[.,;:]?)")


def code_span(text: str) -> str:
    """Text as it is, inert and on one line, in a code span; in a table use it inside `table`, which sees to the pipes."""
    text = inert(text) or format_exact(text)
    fence = "`" * (_longest_run(text) + 1)
    is_padded = text[0] == "`" or text[-1] == "`" or (text[0] == text[-1] == " " and text.strip(" "))
    return f"{fence} {text} {fence}" if is_padded else f"{fence}{text}{fence}"


def word_span(word: str) -> str:
    """A word of a sentence in a code span, without the mark after it, and without brackets around it."""
    found = _MARKED.fullmatch(word)
    return f"{found[1]}{code_span(found[2])}{found[3]}" if found else code_span(word)


def sentence(text: str) -> str:
    """A sentence from outside: plain words as they are, all else in code spans, also what stands between backticks."""
    return join_spans(text, _words)


def join_spans(text: str, form: Callable[[str], str]) -> str:
    """What stands between backticks in code spans, and the rest as `form` has it."""
    said = ""
    for number, part in enumerate(re.split(r"`([^`]+)`", inert(text))):
        more = code_span(part) if number % 2 else form(part)
        said += f" {more}" if said.endswith("`") and more.startswith("`") else more  # two fences would be one
    return said


def quote_names(text: str, names: Iterable[str]) -> str:
    """Text with each of the names between backticks, so that `sentence` gives it one code span; longer names go first."""
    known = "|".join(map(re.escape, sorted({one for one in names if one and "`" not in one}, key=len, reverse=True)))
    if not known:
        return text
    return re.sub(
        rf"`[^`]*`|(?<!\w)(?:{known})(?!\w)",
        lambda found: found[0] if found[0][0] == "`" else f"`{found[0]}`",
        text,
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """A table of cells that are Markdown already; the columns whose numbers are given stand at the right."""
    rule = ["---:" if number in numbers else "---" for number in range(len(header))]
    lines = [map(_cell, header), rule, *(map(_cell, row) for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def details(summary: str, body: str) -> str:
    """A part that is shown on a click. `summary` is plain text of our own."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def fence(lines: Sequence[str], language: str) -> str:
    """Lines as they are, in a fence longer than any in them."""
    ticks = "`" * max(3, *(_longest_run(line) + 1 for line in lines), 0)
    return "\n".join([f"{ticks}{language}", *lines, ticks])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _words(text: str) -> str:
    return " ".join(
        word if not word or (_WORD.fullmatch(word) and not _HEX.match(word)) else word_span(word)
        for word in text.split(" ")
    )


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
