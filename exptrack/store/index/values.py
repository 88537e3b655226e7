"""Facts as SQLite keeps them: a kind and a value, and back, exactly.

Texts may hold lone surrogates (what was no UTF-8), which `sqlite3` does not take: these are bound as bytes, below a `CAST(? AS TEXT)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from operator import ne
from typing import TypeAlias

from exptrack.analysis.query import Fact

NULL, BOOLEAN, WHOLE, FLOAT, TEXT, NAN, EMPTY, BIG = range(8)
# Stands in SQL for a value that is bound as it is, but for bytes, which are a text.
ANY = "CASE typeof(?{0}) WHEN 'blob' THEN CAST(?{0} AS TEXT) ELSE ?{0} END"

Bound: TypeAlias = "int | float | str | bytes | None"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST = 2**63 - 1  # of what SQLite holds
_MICROSECONDS_A_DAY = 86_400_000_000


def encode_fact(value: Fact) -> tuple[int, Bound]:
    """Kind and value of a metric, a parameter, a seed or a duration."""
    kind = type(value)
    if kind is float:
        return (FLOAT, value) if value == value else (NAN, None)  # type: ignore[return-value]  # noqa: PLR0124
    if kind is str:
        return TEXT, encode_text(value)  # type: ignore[arg-type]
    if kind is int:
        return (WHOLE, value) if ~LARGEST <= value <= LARGEST else (BIG, str(value))  # type: ignore[operator, return-value]
    if kind is bool:
        return BOOLEAN, int(value)  # type: ignore[arg-type]
    if value is None:
        return NULL, None
    return EMPTY, "{}" if kind is dict else "[]"


def find_kind(values: Sequence[Fact]) -> int | None:
    """The kind of all of these, if they are of one and bound as they are: nearly always so, and quicker than one by one."""
    kinds = set(map(type, values))
    kind = kinds.pop()
    if not kinds:
        if kind is float:
            return FLOAT if not any(map(ne, values, values)) else None  # no NaN
        if kind is str:
            return TEXT if "".join(values).isascii() else None  # type: ignore[arg-type]
        if kind is int:
            return WHOLE if min(values) >= ~LARGEST and max(values) <= LARGEST else None  # type: ignore[operator, type-var]
        if kind is bool:
            return BOOLEAN
    return None


def decode_fact(kind: int, value: float | str | None) -> Fact:
    """The fact that `encode_fact` was given."""
    if kind in _AS_IT_IS:
        return value
    if kind == BOOLEAN:
        return bool(value)
    if kind == NAN:
        return float("nan")
    if kind == BIG:
        return int(value)  # type: ignore[arg-type]
    return {} if value == "{}" else []


_AS_IT_IS = frozenset({NULL, WHOLE, FLOAT, TEXT})


def encode_text(text: str) -> str | bytes:
    """A text as it is bound: as it is, or, with surrogates, as bytes."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def find_text(text: str | None) -> str | bytes | None:
    """As `encode_text`, or None."""
    return text if text is None or text.isascii() else encode_text(text)


def decode_text(data: bytes) -> str:
    """A `text_factory` that reads every text; `str` is quicker, and raises OperationalError ("Could not decode…") over surrogates."""
    return data.decode("utf-8", "surrogatepass")


def encode_time(moment: datetime) -> int:
    """Microseconds since 1970, UTC."""
    past = moment - _EPOCH
    return past.days * _MICROSECONDS_A_DAY + past.seconds * 1_000_000 + past.microseconds


def decode_time(microseconds: int) -> datetime:
    """The moment, in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)
