"""Trees: nested mappings whose leaves are JSON values, and the same as flat mappings with dotted keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

# A JSON value. Parameters hold finite numbers only; metrics also NaN and infinities, which are strings on disk.
Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value] | None"
Tree: TypeAlias = Mapping[str, Value]

_LEAVES = frozenset({float, int, str, bool})


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
    flat: dict[str, Value] = {}
    _flatten(tree.items(), "", flat)
    return flat


def list_leaves(tree: Tree, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Value]]:
    """Each leaf with the keys that lead to it; lists and empty mappings are leaves."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from list_leaves(value, (*above, key))
        else:
            yield (*above, key), value


def grow(leaves: Iterable[tuple[tuple[str, ...], Value]]) -> dict[str, Value]:
    """The tree of these leaves; one that stands where another one has its branch is left out."""
    tree: dict[str, Value] = {}
    for (*path, leaf), value in leaves:
        branch: object = tree
        for part in path:
            branch = branch.setdefault(part, {}) if isinstance(branch, dict) else None
        if isinstance(branch, dict):
            branch.setdefault(leaf, value)
    return tree


def merge(old: Tree, new: Tree) -> dict[str, Value]:
    """Both trees in one; where they name the same leaf, that of `new`."""
    merged = dict(old)
    for key, value in new.items():
        before = merged.get(key)
        merged[key] = merge(before, value) if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    return merged


def unite(first: str, trees: Mapping[str, Tree]) -> dict[str, Value]:
    """Trees of several sources as one: that of `first` as it is, then the others by name, each with what it adds.

    Nothing is hidden: what would stand in the place of something else stands below the name of its source.
    """
    united: dict[str, Value] = dict(trees.get(first, {}))
    for source in sorted(trees.keys() - {first}):
        clash: dict[str, Value] = {}
        united = _add(united, trees[source], clash)
        if clash:
            united = merge(united, {source: clash})
    return united


def _parts(key: str, flat: Mapping[str, Value]) -> list[str]:
    parts = key.split(".")
    for length in range(1, len(parts)):
        if ".".join(parts[:length]) in flat:
            return [*parts[: length - 1], ".".join(parts[length - 1 :])]
    return parts


def _flatten(pairs: Iterable[tuple[str, Value]], prefix: str, flat: dict[str, Value]) -> None:
    # One function that fills one mapping: generators inside of each other took twice as long, 100 ms of 10,000 runs.
    for key, item in pairs:
        if not item or type(item) in _LEAVES:
            flat[prefix + key] = item
        elif isinstance(item, Mapping):
            _flatten(item.items(), f"{prefix}{key}.", flat)
        elif isinstance(item, Sequence) and not isinstance(item, str):
            _flatten(((str(number), below) for number, below in enumerate(item)), f"{prefix}{key}.", flat)
        else:
            flat[prefix + key] = item


def _add(old: Tree, new: Tree, clash: dict[str, Value]) -> dict[str, Value]:
    added = dict(old)
    for key, value in new.items():
        before = added.get(key)
        if key not in added:
            added[key] = value
        elif isinstance(before, Mapping) and isinstance(value, Mapping):
            below: dict[str, Value] = {}
            added[key] = _add(before, value, below)
            if below:
                clash[key] = below
        else:
            clash[key] = value
    return added
