"""The fields of a JSON mapping, one by one and with their types, and JSON text as exptrack writes it.

Written for speed, since `ls` reads thousands of records: a field costs one look-up and one comparison of types, and the words of an
error are put together only when there is one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from exptrack.errors import RecordError

T = TypeVar("T")

# No parameter is nested this deep, and recursion over what a stranger wrote must end before Python's stack does.
DEEPEST = 200


# A longer number fits no float, and whoever calculates with it would fail.
LONGEST_NUMBER = 255  # digits


class WrongFieldError(Exception):
    """A field is missing or of the wrong type; the decoder around it says of what."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key!r} {problem}")
        self.key = key
        self.problem = problem


def finite(value: Any) -> Any:
    """A value for JSON: NaN and infinities as "NaN", "Infinity", "-Infinity", tuples as lists, keys as strings."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [finite(item) for item in value]
    return value


def format_json(value: Any, *, indent: int | None = 2) -> str:
    """JSON with sorted keys. A lone surrogate (a path that is not UTF-8) is written as an escape, everything else as it is."""
    text = json.dumps(value, indent=indent, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def encode_json(fields: Mapping[str, Any]) -> bytes:
    """A mapping as the bytes of a file."""
    return (format_json(fields) + "\n").encode()


def decode_mapping(data: bytes, name: str) -> dict[str, Any]:
    """The mapping in the bytes of a file. RecordError, with the `name` of what it should be, if there is none."""
    try:
        fields = parse_json(data.decode())
    except ValueError as error:
        raise RecordError(f"broken {name}: not JSON ({error})") from None
    if type(fields) is not dict:
        raise RecordError(f"broken {name}: not a mapping")
    return fields


def without(fields: Mapping[str, Any], **defaults: Any) -> dict[str, Any]:
    """The fields that say something: not None, not an empty list or mapping, not their default."""
    return {
        key: value
        for key, value in fields.items()
        if value is not None and value not in ([], {}) and value != defaults.get(key)
    }


def parse_json(text: str) -> Any:
    """The value of a JSON text, with Python's `NaN` and `Infinity` literals. ValueError, one line, if it is none.

    A whole number of more than LONGEST_NUMBER digits is a text, as in YAML.
    """
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}: {error.msg[:1].lower()}{error.msg[1:]}") from None
    except RecursionError:
        raise ValueError(f"nested more than {DEEPEST} deep") from None
    if text.count("[") + text.count("{") > DEEPEST and is_deeper(value):
        raise ValueError(f"nested more than {DEEPEST} deep")
    return value


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= LONGEST_NUMBER else digits


_DECODER = json.JSONDecoder(parse_int=_integer)


def is_deeper(value: Any) -> bool:
    """Whether lists and mappings lie in each other more than DEEPEST times. Without recursion, so that it can be asked first."""
    level, depth = [value], DEEPEST
    while level and depth >= 0:
        level = [
            item
            for parent in level
            for item in (parent.values() if isinstance(parent, dict) else parent if isinstance(parent, list) else ())
            if isinstance(item, dict | list)
        ]
        depth -= 1
    return bool(level)


def read_text(data: Mapping[str, Any], key: str) -> str:
    """A text that must be there."""
    value = data.get(key)
    if type(value) is not str:
        raise _wrong(key, value, "a text")
    return value


def find_text(data: Mapping[str, Any], key: str) -> str | None:
    value = data.get(key)
    if value is not None and type(value) is not str:
        raise _wrong(key, value, "a text")
    return value


def text_or(data: Mapping[str, Any], key: str, default: str) -> str:
    value = find_text(data, key)
    return default if value is None else value


def read_int(data: Mapping[str, Any], key: str) -> int:
    """A positive whole number that must be there."""
    value = find_int(data, key)
    if value is None or value < 1:
        raise _wrong(key, value, "a positive whole number")
    return value


def find_int(data: Mapping[str, Any], key: str) -> int | None:
    value = data.get(key)
    if value is not None and type(value) is not int:
        raise _wrong(key, value, "a whole number")
    return value


def find_number(data: Mapping[str, Any], key: str) -> float | None:
    value = data.get(key)
    if value is not None and type(value) is not float and type(value) is not int:
        raise _wrong(key, value, "a number")
    return value


def find_bool(data: Mapping[str, Any], key: str) -> bool | None:
    value = data.get(key)
    if value is not None and type(value) is not bool:
        raise _wrong(key, value, "true or false")
    return value


def read_mapping(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A mapping; an empty one if it is not there."""
    value = data.get(key)
    if value is None:
        return {}
    if type(value) is not dict:
        raise _wrong(key, value, "a mapping")
    return value


def read_texts(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A list of texts; an empty one if it is not there."""
    value = data.get(key)
    if value is None:
        return ()
    if type(value) is not list or not all(type(item) is str for item in value):
        raise _wrong(key, value, "a list of texts")
    return tuple(value)


def read_list(data: Mapping[str, Any], key: str, decode: Callable[[dict[str, Any]], T]) -> tuple[T, ...]:
    """A list of mappings, each decoded; an empty one if it is not there."""
    value = data.get(key)
    if value is None:
        return ()
    if type(value) is not list:
        raise _wrong(key, value, "a list")
    items: list[T] = []
    for item in value:
        if type(item) is not dict:
            raise _wrong(f"{key}[{len(items)}]", item, "a mapping")
        try:
            items.append(decode(item))
        except WrongFieldError as wrong:
            raise WrongFieldError(f"{key}[{len(items)}].{wrong.key}", wrong.problem) from None
    return tuple(items)


def read_choice(data: Mapping[str, Any], key: str, choices: Mapping[str, T]) -> T:
    """The value that a text stands for."""
    text = read_text(data, key)
    if text not in choices:
        raise WrongFieldError(key, f"is {text!r}, which is none of {', '.join(choices)}")
    return choices[text]


def find_time(data: Mapping[str, Any], key: str) -> datetime | None:
    """A time, in UTC."""
    text = find_text(data, key)
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is UTC:
            return time
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise WrongFieldError(key, f"is {text!r}, not a time such as 2026-01-31T12:00:00.000000Z")


def read_time(data: Mapping[str, Any], key: str) -> datetime:
    """A time that must be there, in UTC."""
    time = find_time(data, key)
    if time is None:
        raise WrongFieldError(key, "is missing")
    return time


def format_time(time: datetime) -> str:
    """ISO 8601 in UTC with microseconds; a time without zone is taken for UTC."""
    moment = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _wrong(key: str, value: Any, wanted: str) -> WrongFieldError:
    return WrongFieldError(key, "is missing" if value is None else f"is not {wanted}")
