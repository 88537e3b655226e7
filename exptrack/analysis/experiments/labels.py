"""What configurations are called: the parameters in which they differ, and in which order they come."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exptrack.analysis.wording import name_few, number
from exptrack.model.tree import Value

_SHORT = 7
_NAMED = 3
_OTHER = re.compile(r"[-+]?(\d[\d_]*\.?\d*|\.\d+|\.?inf)(e[-+]?\d+)?|\.?nan|true|false|null|~", re.IGNORECASE)


class Named(NamedTuple):
    """What tells a configuration apart: its own parameters, and where these are not enough its code and its command."""

    params: Mapping[str, Value]
    code: str = ""
    command: str = ""


def label_all(named: Sequence[Named]) -> list[str]:
    """A label for each, no two alike: the parameters in which they differ; where that is not enough, their code, their command, and at last a number."""
    labels = [tell_values(dict(sorted(own.items()))) for own, _, _ in named]
    for part in ("code", "command"):
        seen = Counter(labels)
        marks: defaultdict[str, set[str]] = defaultdict(set)
        for label, row in zip(labels, named, strict=True):
            marks[label].add(getattr(row, part))
        labels = [
            _join(label, f"{part} {shorten_code(getattr(row, part)) if part == 'code' else row.command}")
            if seen[label] > 1 and len(marks[label]) > 1
            else label
            for label, row in zip(labels, named, strict=True)
        ]
    without = _tell_without(named)
    labels = [label or without for label in labels]
    seen, used = Counter(labels), Counter[str]()
    for place, label in enumerate(labels):
        used[label] += 1
        if seen[label] > 1:
            labels[place] = f"{label} ({used[label]})"
    return labels


def shorten_code(code: str) -> str:
    """The state of the code in short."""
    return code[:_SHORT] or "unknown"


def sort_key(own: Mapping[str, Value]) -> list[tuple[str, bool, float, str]]:
    """By parameters, in the order of their names: numbers as numbers, everything else as text."""
    return [
        (key, not _is_number(value), float(value) if _is_number(value) else 0.0, str(value))  # type: ignore[arg-type]
        for key, value in sorted(own.items())
    ]


def _is_number(value: Value) -> bool:
    return isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**1000)


def tell_value(value: Value) -> str:
    """A value of a parameter on one line, a text without quotes."""
    if isinstance(value, str):
        return value or '""'
    return number(value) if type(value) in {int, float} else json.dumps(value, ensure_ascii=False)


def tell_values(params: Mapping[str, Value]) -> str:
    """`lr=0.1, kind=mlp`; a text that would be read as something else is in quotes."""
    return ", ".join(f"{key}={_quote(value)}" for key, value in params.items())


def _quote(value: Value) -> str:
    return json.dumps(value) if isinstance(value, str) and _OTHER.fullmatch(value) else tell_value(value)


def _tell_without(named: Sequence[Named]) -> str:
    """What one is called that has none of the parameters in which others differ."""
    keys = sorted({key for own, _, _ in named for key in own})
    return f"without {name_few(keys, _NAMED, ' and ')}" if keys else "all runs"


def _join(label: str, part: str) -> str:
    return f"{label}, {part}" if label else part
