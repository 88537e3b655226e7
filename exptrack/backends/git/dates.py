"""Dates as git's own parser reads them: `2.weeks`, `3 days ago`, `yesterday`, `last friday`."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from exptrack.backends.git import command
from exptrack.backends.git.repository import Repository

# Git takes a word that it does not know for nothing, and a date without sense for now. So the words are looked at first.
_WORDS = frozenset({
    "now", "today", "yesterday", "noon", "midnight", "tea", "never", "am", "pm", "ago", "last", "at", "on", "t",
    "z", "utc", "gmt", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "second",
    "seconds", "minute", "minutes", "hour", "hours", "day", "days", "week", "weeks", "month", "months", "year",
    "years",
})  # fmt: skip
_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
_NUMBERED = re.compile(r"([0-9]{4})[-/.]([0-9]+)[-/.]([0-9]+)")
_NUMBER = re.compile(r"[0-9]{1,8}|[0-9]{4}-[0-9]{1,2}")


def find_date(repository: Repository, text: str) -> datetime | None:
    """The moment that git reads in a text, in UTC; None if it is none. What is no distance from now is in the local time zone."""
    words = re.findall(r"[a-z]+", text.lower())
    # A number alone would be a day of this month, which nobody means.
    if not text.isprintable() or _NUMBER.fullmatch(text.strip()) or not all(map(_is_known, words)) or not _is_day(text):
        return None
    done = command.call(repository.top, "rev-parse", "--since=now", f"--since={text}", "--since=now")
    answers = [line.removeprefix("--max-age=") for line in done.out.decode().split()]
    if done.code or len(answers) != 3 or not all(answer.isdecimal() for answer in answers):
        return None
    before, found, after = map(int, answers)
    if before <= found <= after and not {"now", "today"}.intersection(words):
        return None
    try:
        # A moment before 1970 is printed as a number without sign.
        return datetime.fromtimestamp(found if found < 2**63 else found - 2**64, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _is_known(word: str) -> bool:
    return word in _WORDS or (len(word) >= 3 and any(name.startswith(word) for name in _NAMES))


def _is_day(text: str) -> bool:
    """Whether a day in numbers, if the text holds one, is in the calendar."""
    match = _NUMBERED.search(text)
    try:
        return match is None or bool(datetime(*map(int, match.groups()), tzinfo=UTC))  # type: ignore[misc, arg-type]
    except (ValueError, OverflowError):
        return False
