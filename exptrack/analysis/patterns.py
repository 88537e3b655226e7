"""Numbers out of text and trees, and trees as flat mappings with dotted keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from exptrack.model.run import Tree, Value

# One broken file must not fill the record with its every value.
MOST_PROBLEMS = 20

_NUMBER = re.compile(
    r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|nan|inf(?:inity)?)", re.ASCII | re.IGNORECASE
)
_NESTING = re.compile(r"(?<=[^\W_])__(?=[^\W_])")
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
                found[_NESTING.sub(".", name)] = float(number)
    return found


def nest(flat: Mapping[str, Value]) -> dict[str, Value]:
    """A mapping with dotted keys as a tree: `{"a.b": 1}` gives `{"a": {"b": 1}}`.

    Where `a` is itself a value, `a.b` keeps its dot, so that nothing is lost and `flatten(nest(flat)) == flat`.
    """
    tree: dict[str, Value] = {}
    for key, value in flat.items():
        *path, leaf = _parts(key, flat)
        branch = tree
        for part in path:
            branch = branch.setdefault(part, {})  # type: ignore[assignment]
        branch[leaf] = value
    return tree


def flatten(tree: Tree) -> dict[str, Value]:
    """A tree as a mapping from dotted keys to leaves; items of lists are numbered from 0 (`f1.0`).

    Empty mappings and lists are leaves. A key that holds a dot stays as it is; of two that then read alike, the later counts.
    """
    return dict(_leaves(tree))


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


def merge(old: Tree, new: Tree) -> dict[str, Value]:
    """Both trees in one; where they name the same leaf, that of `new`."""
    merged = dict(old)
    for key, value in new.items():
        before = merged.get(key)
        merged[key] = merge(before, value) if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    return merged


def _parts(key: str, flat: Mapping[str, Value]) -> list[str]:
    parts = key.split(".")
    for length in range(1, len(parts)):
        if ".".join(parts[:length]) in flat:
            return [*parts[: length - 1], ".".join(parts[length - 1 :])]
    return parts


def _leaves(value: Value) -> Iterator[tuple[str, Value]]:
    for key, item in _items(value):
        if item and _has_items(item):
            for below, leaf in _leaves(item):
                yield f"{key}.{below}", leaf
        else:
            yield key, item


def _items(value: Value) -> Iterable[tuple[str, Value]]:
    if isinstance(value, Mapping):
        return value.items()
    return ((str(index), item) for index, item in enumerate(value)) if isinstance(value, Sequence) else ()


def _has_items(value: Value) -> bool:
    return isinstance(value, Mapping | Sequence) and not isinstance(value, str)


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
