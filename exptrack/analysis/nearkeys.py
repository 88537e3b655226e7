"""What to say of a key that no parameter has: the nearest one that there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from exptrack.analysis.wording import name_few
from exptrack.model.tree import Tree, Value

# Of a file with more parameters than that, only so many are compared with a key that is unknown.
_COMPARED = 2000
_NAMED = 6  # keys of a section


def list_keys(value: Value, prefix: str = "") -> list[str]:
    """All keys of a tree, of branches and leaves."""
    pairs: Iterable[tuple[str, Value]] = value.items() if isinstance(value, Mapping) else ()
    return [name for key, item in pairs for name in (f"{prefix}{key}", *list_keys(item, f"{prefix}{key}."))]


def did_you_mean(key: str, known: Sequence[tuple[str, str]], within: tuple[str, Tree] | None = None) -> str:
    """`, did you mean …?` with the nearest of the known ones, pairs of what to type and key: the same key or last name first.

    Of a key in a section only those of that section are near, and where none is, they are named.
    """
    from difflib import get_close_matches

    last = key.rpartition(".")[2]
    some = known[:_COMPARED]
    alike = [typed for typed, one in some if one == key] or [
        typed for typed, one in some if one.rpartition(".")[2] == last
    ]
    if within and not alike:
        section, tree = within
        near = get_close_matches(key.removeprefix(f"{section}."), list_keys(tree)[:_COMPARED], n=1)
        return f", did you mean {f'{section}.{near[0]}'!r}?" if near else f", where {section!r} has {name_some(tree)}"
    near = get_close_matches(key, alike or [typed for typed, _ in some], n=1, cutoff=0.0 if alike else 0.6)
    return f", did you mean {near[0]!r}?" if near else ""


def name_some(tree: Tree) -> str:
    """The first keys of a tree, and how many more there are."""
    names = [str(name) for name in tree]
    return name_few(names, _NAMED) or "no keys"
