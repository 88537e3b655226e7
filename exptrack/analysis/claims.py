"""Lines of a commit's message that claim a run: `Exptrack-Run: <name> <oid of the run's commit>`, anywhere in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from exptrack.analysis.names import is_name

if TYPE_CHECKING:
    from exptrack.model.checking import Claim, Claims, Misclaim

SHAPE = "Exptrack-Run: <name> <full oid of the run's commit>"

# Git takes blanks before the colon too, and a squash merge makes a list of what it merges.
_BEGINNING = re.compile(r"\s*(?:[*+•-]\s*)?(Exptrack-[a-z-]+)\s*:", re.IGNORECASE)
_KEY = "exptrack-run"
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LONGEST = 200  # letters of a line that is shown
_SCISSORS = "------------------------ >8 ------------------------"


def find_key(line: str) -> str | None:
    """The key with which a line begins that claims a run, or says something else of one (`Exptrack-Status`); None if it does not."""
    found = _BEGINNING.match(line)
    return found[1] if found else None


def split_lines(text: str) -> list[str]:
    """The lines of a text, ended by whatever anybody takes for the end of a line: none may hide a claim, or forge one."""
    return text.splitlines()


def find_claims(message: str, commit: str = "", author: str = "") -> Claims:
    """What the message of a commit claims, each run once, in its order; and the lines that begin as a claim and are none.

    An oid is 40 or 64 hexadecimal digits: a beginning of one could mean another run tomorrow.
    """
    from exptrack.model.checking import Claim, Claims, Misclaim  # with what it imports 5 ms, which `run` need not pay

    claims: dict[Claim, None] = {}
    broken: dict[Misclaim, None] = {}
    for line in split_lines(message):
        if (found := _BEGINNING.match(line)) is None or found[1].lower() != _KEY:
            continue
        words = line[found.end() :].split()
        if len(words) == 2 and is_name(words[0]) and _OID.fullmatch(words[1].lower()):
            claims[Claim(words[0], words[1].lower(), commit, author)] = None
        else:
            broken[Misclaim(_cut(line.strip()), commit)] = None
    return Claims(tuple(claims), tuple(broken))


def _cut(line: str) -> str:
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def strip_comments(text: str, signs: tuple[str, ...]) -> str:
    """A message that somebody wrote in an editor without what Git leaves out of it: lines that begin with a sign, and all after the scissors."""
    kept = []
    for line in text.split("\n"):
        if any(line.rstrip("\r") == f"{sign} {_SCISSORS}" for sign in signs):
            break
        if not line.startswith(signs):
            kept.append(line)
    return "\n".join(kept)
