"""Names of runs: made up, and checked."""

from __future__ import annotations

import re
from collections.abc import Callable

from exptrack.errors import ExptrackError

LONGEST = 100

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_FORBIDDEN = re.compile(r"[^a-z0-9]+")
# Base 32 without what is read for something else: i, l, o and u.
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_ADJECTIVES = (
    "able", "agile", "amber", "ample", "bold", "brave", "brief", "bright", "brisk", "calm", "candid", "clear", "clever", "cosy", "crisp",
    "curious", "daring", "deft", "eager", "early", "fair", "fancy", "fast", "fine", "fleet", "fond", "fresh", "gentle", "glad", "golden",
    "grand", "happy", "hardy", "honest", "humble", "jolly", "keen", "kind", "light", "lively", "loyal", "lucky", "mellow", "merry",
    "mild", "neat", "nimble", "noble", "patient", "plucky", "polite", "proud", "quick", "quiet", "rapid", "ready", "sharp", "smart",
    "steady", "sunny", "swift", "tidy", "warm", "wise",
)  # fmt: skip
_ANIMALS = (
    "badger", "bear", "beaver", "bee", "bison", "camel", "cat", "crab", "crane", "crow", "deer", "dingo", "dove", "duck", "eagle", "elk",
    "falcon", "ferret", "finch", "fox", "frog", "gecko", "goat", "goose", "hare", "hawk", "hedgehog", "heron", "horse", "ibex", "jay",
    "koala", "lark", "lemur", "lion", "llama", "lynx", "marten", "mole", "moose", "mouse", "newt", "otter", "owl", "panda", "parrot",
    "pony", "puffin", "quail", "rabbit", "raven", "robin", "seal", "sloth", "snail", "squid", "stork", "swan", "tiger", "toad",
    "turtle", "whale", "wolf", "wren",
)  # fmt: skip


def make_up(token: Callable[[int], int]) -> str:
    """A name such as `brave-otter-k3f9`, one of 4 * 10^9. `token(n)` gives a random number from 0 to n - 1 (`secrets.randbelow`)."""
    adjective, animal = _ADJECTIVES[token(len(_ADJECTIVES))], _ANIMALS[token(len(_ANIMALS))]
    return f"{adjective}-{animal}-{''.join(_LETTERS[token(len(_LETTERS))] for _ in range(4))}"


def is_name(text: str) -> bool:
    """Whether a run can have this name: lower-case ASCII letters, digits and inner hyphens, at most 100 of them."""
    return len(text) <= LONGEST and _NAME.fullmatch(text) is not None


def check_name(text: str) -> str:
    """The name itself. ExptrackError, with one that would do, if a run cannot have it."""
    if is_name(text):
        return text
    shown = repr(text if len(text) <= LONGEST else text[:LONGEST] + "…")
    close = _FORBIDDEN.sub("-", text.lower()).strip("-")[:LONGEST].rstrip("-")
    advice = f", such as {close!r}" if close else ""
    raise ExptrackError(f"{shown} cannot name a run: use at most {LONGEST} of a-z, 0-9 and inner hyphens{advice}")


def check_tag(text: str, what: str = "tag") -> str:
    """`text`, if it can be a tag (or another label, `what`); raises ExptrackError.

    That is one word of at most 100 printable characters that can be taken neither for an option nor for `@`.
    """
    is_word = text and not any(letter.isspace() or not letter.isprintable() for letter in text)
    if not is_word or len(text) > LONGEST or text[0] in "-@":
        raise ExptrackError(
            f"{text!r} cannot be a{'n' if what[0] in 'aeiou' else ''} {what}: give one word that begins with neither '-' nor '@'"
        )
    return text
