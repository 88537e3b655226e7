"""Shell text as the simple commands in it: enough to see which Python it calls, far from a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)

# Words that may stand before a command without being one.
_KEYWORDS = frozenset(
    {"if", "then", "else", "elif", "do", "while", "until", "!", "{", "exec", "command", "builtin", "time"}
)

_SEPARATORS = ";&|()<>\n"
_COMMENT = re.compile(r"(^|[\s;])#.*")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})")
_HERE = re.compile(r"(\"?)\$\(\s*dirname\s+(?:--\s+)?(\"?)\$\{?(?:0|BASH_SOURCE(?:\[0\])?)\}?\2\s*\)\1")


def split_commands(text: str) -> Iterator[tuple[str, ...]]:
    """The words of each simple command, in the order in which they stand; what cannot be read ends it."""
    lexer = shlex.shlex(_COMMENT.sub(r"\1", text.replace("\\\n", " ")), posix=True, punctuation_chars=_SEPARATORS)
    lexer.whitespace_split = True
    lexer.whitespace = " \t\r"
    lexer.commenters = ""
    words: list[str] = []
    redirected = False
    for token in _tokens(lexer):
        if not token or not set(token) <= set(_SEPARATORS):
            if not redirected:
                words.append(token)
            redirected = False
        elif set(token) & set("<>"):
            redirected = True
        else:
            yield from _command(words)
            words = []
    yield from _command(words)


def expand(words: Sequence[str], environ: Mapping[str, str], arguments: Sequence[str] = ()) -> list[str]:
    """The words with `$NAME`, `${NAME}`, `${NAME:-default}`, `$@` and a leading `~/` replaced; what is not set stays as it is."""

    def value(match: re.Match[str]) -> str:
        name, default = (match[1], None) if match[1] else (match[2], match[3])
        return environ.get(name) or (match[0] if default is None else default)

    home = environ.get("HOME", "~")
    expanded: list[str] = []
    for word in words:
        if word in {"$@", "$*"}:
            expanded += arguments
            continue
        full = _VARIABLE.sub(value, home + word[1:] if word.startswith("~/") else word)
        # A program in a variable may bring options with it.
        expanded += full.split() if word.startswith("$") and not expanded else [full]
    return expanded


def is_open(word: str) -> bool:
    """Whether only the shell knows what the word becomes."""
    return "$" in word or "`" in word


def place(text: str, folder: Path) -> str:
    """A script's text with `$(dirname "$0")` and `$(dirname "${BASH_SOURCE[0]}")` replaced by the folder that it lies in."""
    return _HERE.sub(lambda _: shlex.quote(str(folder)), text)


def split_assignments(words: Sequence[str], environ: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """`environ` changed by the leading `NAME=value` words, and the words after them."""
    changed = dict(environ)
    for index, word in enumerate(words):
        match = ASSIGNMENT.fullmatch(word)
        if match is None:
            return changed, tuple(words[index:])
        changed[match[1]] = match[2]
    return changed, ()


def _tokens(lexer: shlex.shlex) -> Iterator[str]:
    try:
        yield from lexer
    except ValueError:  # a quote that does not end
        return


def _command(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    assignments: list[str] = []
    for index, word in enumerate(words):
        if ASSIGNMENT.fullmatch(word):
            assignments.append(word)
        elif word not in _KEYWORDS:
            yield (*assignments, *words[index:])
            return
    if assignments:
        yield tuple(assignments)
