"""The runs of a repository as one table that can be asked: from the index, or, without one, from Git itself. The one seam to both.

What a catalog answers does not depend on which of the two it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from exptrack.analysis.query import Query
from exptrack.analysis.rows import Rows
from exptrack.model.run import BrokenRun


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
