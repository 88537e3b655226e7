"""Numbers out of text and trees."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from exptrack.model.tree import Tree, Value

# One broken file must not fill the record with its every value.
MOST_PROBLEMS = 20

_NUMBER = re.compile(
    r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|nan|inf(?:inity)?)", re.ASCII | re.IGNORECASE
)
# In the name of a group, which can hold no dot, this stands for one.
NESTING = re.compile(r"(?<=[^\W_])__(?=[^\W_])")
_NOT_FINITE = {"NaN", "nan", "Infinity", "-Infinity", "inf", "-inf"}


def match_metrics(patterns: Sequence[re.Pattern[str]], line: str) -> dict[str, float]:
    r"""The metrics that a line of output states: a named group is a metric, and `__` in its name stands for the dot that nests.

    A group that did not take part, or holds no number, is skipped. `nan` and `inf` are numbers; a percent sign and punctuation after
    a number are dropped, so that `(\\S+)` reads `0.93,` and `93%`; a comma inside it is not (is `1,234` a thousand or one?).
    """
    found: dict[str, float] = {}
    for pattern in patterns:
        match = pattern.search(line)
        if match is None:
            continue
        for name, text in match.groupdict().items():
            number = (text or "").strip().rstrip("%,;:)]}.")
            if _NUMBER.fullmatch(number):
                found[NESTING.sub(".", name)] = float(number)
    return found


def numbers_only(tree: Tree, name: str) -> tuple[dict[str, Value], tuple[str, ...]]:
    """The numbers of a tree that was read from the file `name`, and for each other value a problem that names it.

    True and false count as 1 and 0; the texts "NaN", "inf", "Infinity" and their negatives as floats. A list is kept if all of it is
    numbers. Empty mappings are dropped.
    """
    wrong: list[str] = []
    numbers = _numbers(tree, "", wrong)
    problems = [f"{name}: {path!r} is not a number" for path in wrong[:MOST_PROBLEMS]]
    if len(wrong) > MOST_PROBLEMS:
        problems.append(f"{name}: {len(wrong) - MOST_PROBLEMS:,} more values are not numbers")
    return numbers, tuple(problems)


def _numbers(tree: Tree, path: str, wrong: list[str]) -> dict[str, Value]:
    kept: dict[str, Value] = {}
    for key, item in tree.items():
        number = _number(item, f"{path}{key}", wrong)
        if number is not None and number != {}:
            kept[key] = number
    return kept


def _number(value: Value, path: str, wrong: list[str]) -> Value:
    if isinstance(value, int | float):
        return int(value) if isinstance(value, bool) else value
    if isinstance(value, str) and value in _NOT_FINITE:
        return float(value)
    if isinstance(value, Mapping):
        return _numbers(value, f"{path}.", wrong)
    if isinstance(value, Sequence) and not isinstance(value, str):
        before = len(wrong)
        items = [_number(item, f"{path}.{index}", wrong) for index, item in enumerate(value)]
        return items if len(wrong) == before else None
    wrong.append(path)
    return None
