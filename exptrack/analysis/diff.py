"""The difference of two trees as a value, and its application: `patch(a, diff(a, b, area)) == b`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from exptrack.model.change import Change, Kind
from exptrack.model.difference import Row
from exptrack.model.tree import Tree, Value

Path = tuple[str, ...]


def diff(old: Tree, new: Tree, area: str) -> tuple[Change, ...]:
    """The leaves in which two trees differ, in the order of their keys; empty if the trees are the same.

    A leaf is whatever is no mapping, and an empty mapping; lists are compared as a whole. A leaf in whose place a mapping stands now
    is removed, and the leaves of the mapping are added.
    """
    before, after = dict(_leaves(old)), dict(_leaves(new))
    changes: list[Change] = []
    for path in sorted(before.keys() | after.keys()):
        if path not in before:
            changes.append(Change(area, path, Kind.ADDED, new=after[path]))
        elif path not in after:
            changes.append(Change(area, path, Kind.REMOVED, old=before[path]))
        elif not same(before[path], after[path]):
            changes.append(Change(area, path, Kind.CHANGED, before[path], after[path]))
    return tuple(changes)


def overview(trees: Sequence[Tree], area: str) -> tuple[Row, ...]:
    """The leaves in which not all trees agree, in the order of their keys; a tree that has no such leaf has no value in the row."""
    leaves = [dict(_leaves(tree)) for tree in trees]
    rows = []
    for key in sorted({key for one in leaves for key in one}):
        values = {number: one[key] for number, one in enumerate(leaves) if key in one}
        first = next(iter(values.values()))
        if len(values) < len(trees) or not all(same(first, value) for value in values.values()):
            rows.append(Row(area, key, values))
    return tuple(rows)


def patch(old: Tree, changes: Sequence[Change]) -> dict[str, Value]:
    """The tree with the changes applied; a mapping that loses its last leaf is gone. The areas of the changes are not looked at."""
    leaves = dict(_leaves(old))
    for change in changes:
        if change.kind is Kind.REMOVED:
            leaves.pop(change.key, None)
        else:
            leaves[change.key] = change.new
    return _grow(leaves)


def same(old: Value, new: Value) -> bool:
    """Whether two values mean the same: 1 is 1.0, NaN is NaN, but true is not 1, and nothing else is of another type."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(same(old[key], new[key]) for key in old)
    if _is_list(old) and _is_list(new):
        return len(old) == len(new) and all(map(same, old, new))  # type: ignore[arg-type]
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    return old == new or (old != old and new != new)  # noqa: PLR0124 - only NaN differs from itself


def _is_list(value: Value) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _leaves(tree: Tree, path: Path = ()) -> Iterator[tuple[Path, Value]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _grow(leaves: Mapping[Path, Value]) -> dict[str, Value]:
    tree: dict[str, Value] = {}
    for (*path, leaf), value in leaves.items():
        branch = tree
        for key in path:
            below = branch.get(key)
            if not isinstance(below, dict):
                below = branch[key] = {}
            branch = below
        branch[leaf] = {} if isinstance(value, Mapping) and not value else value
    return tree
