"""The runs of a repository as one table that can be asked: from the index, or, without one, from Git itself. The one seam to both.

What a catalog answers does not depend on which of the two it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from exptrack.analysis.query import Query, names_in
from exptrack.analysis.rows import Rows
from exptrack.model.run import BrokenRun
from exptrack.store.runs import RUNS

LOST = "its tags and notes are not in the repository; `git fsck` tells more"


class Unanswered(Exception):  # noqa: N818 - no error: Git answers it
    """A catalog cannot tell, and Git has to be read."""


class Asked(NamedTuple):
    """Which runs, and in which order.

    Those for which `query` holds and that started at `since` or later; the one that started last first (of equals, by ref), or in the order of the fact
    `sort`: missing values and NaN last, equals as before. At most `number`, if that is given.
    """

    query: Query | None = None
    since: datetime | None = None
    sort: str | None = None
    is_descending: bool = False
    number: int | None = None


class Listed(NamedTuple):
    """What was asked for, and what cannot be read as a run, or not as a whole."""

    rows: Rows
    broken: Sequence[BrokenRun] = ()


class Catalog(Protocol):
    """One moment of a repository's runs."""

    @property
    def among(self) -> int:
        """How many refs of runs there are, broken ones among them."""

    def names(self) -> Collection[str]:
        """All metrics and parameters that any run has (`metrics.accuracy`, `params.lr`)."""

    def sealed(self, keys: Collection[str]) -> Collection[str]:
        """Those of the metrics (without `metrics.`) that are sealed in some run, and in every run that has them."""

    def select(self, asked: Asked) -> Listed:
        """The runs that are asked for."""

    def tagged(self, tag: str) -> Mapping[str, str]:
        """The refs, with their oids, of the runs that carry a tag now, in the order of refs."""


def asks_keys(asked: Asked) -> bool:
    """Whether a metric or parameter is named; then runs of all months count, since it has to be told if none has it."""
    names = () if asked.query is None else names_in(asked.query)
    return any("." in name for name in (*names, asked.sort or ""))


def is_first_few(asked: Asked) -> bool:
    """Whether only the latest runs are asked for, whatever they are: then no more months are looked at than that takes."""
    return asked.number is not None and asked.query is None and asked.sort is None


def name_broken(broken: Sequence[BrokenRun], asked: Asked, last: Sequence[str], found: int) -> Sequence[BrokenRun]:
    """Those of the broken runs that are named, by their refs: of the first few those of the same months, down to that of the `last` ref."""
    broken = sorted(broken, key=lambda one: one.ref)
    if not is_first_few(asked) or found < (asked.number or 0):
        return broken
    month = month_of(last[0]) if last else "~"
    return [one for one in broken if month_of(one.ref) >= month]


def month_of(ref: str) -> str:
    """The month that a ref is filed under, as in `2026-11`."""
    return ref.removeprefix(RUNS).partition("/")[0]


def format_month(moment: datetime) -> str:
    """The month of a time in UTC, as in `2026-11`."""
    return moment.isoformat()[:7]
