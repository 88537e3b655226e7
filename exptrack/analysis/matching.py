"""Does a query hold for a run? It was parsed before; nothing is evaluated."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any, Protocol

from exptrack.analysis.query import Comparison, Fact, Operand, Query

_KINDS: Mapping[type, str] = {bool: "boolean", int: "number", float: "number", datetime: "time"}
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class Known(Protocol):
    """Gives facts by their names, as a mapping does; None for what is missing."""

    def get(self, name: str, /) -> Fact:
        """The value of that name."""


def matches(query: Query, facts: Known) -> bool:
    """Whether a query holds of a run; `facts` gives fields their values, times as datetimes and `tag` as a tuple of texts."""
    if isinstance(query, Comparison):
        return _holds(query, facts.get(query.field))
    if query.word == "not":
        return not matches(query.terms[0], facts)
    held = (matches(term, facts) for term in query.terms)
    return all(held) if query.word == "and" else any(held)


def _holds(comparison: Comparison, fact: Fact) -> bool:
    field, sign, operand = comparison
    if field != "tag" or not isinstance(fact, tuple):
        return fact is not None and _compare(sign, fact, operand)
    asked = "=" if sign == "!=" else sign
    return any(_compare(asked, tag, operand) for tag in fact) is (asked == sign)


def _compare(sign: str, fact: Fact, operand: Operand) -> bool:
    kind, value = operand
    found = "text" if isinstance(fact, str) else _KINDS.get(type(fact))
    if sign == "~":
        return found not in {None, "time"} and fnmatchcase(
            str(fact) if found == "text" else str(fact).lower(), str(value)
        )
    if isinstance(fact, datetime):
        fact = fact.replace(tzinfo=UTC) if fact.tzinfo is None else fact.astimezone(UTC)
        if kind == "day" and sign in {"=", "!="} and isinstance(value, datetime):
            fact = fact.replace(hour=0, minute=0, second=0, microsecond=0)
    if found != ("time" if kind == "day" else kind):
        return sign == "!="
    return _COMPARE[sign](fact, value)
