"""Which parameter is the seed."""

from __future__ import annotations

from collections.abc import Mapping

from exptrack.model.tree import Tree, flatten

_USUAL = ("seed", "random_state", "random_seed")


def find_seed(params: Mapping[str, Tree], named: str | None) -> int | str | None:
    """The value of the parameter that is `named`; if none is, of the first of `seed`, `random_state`, `random_seed`, `*.seed`, ….

    None if there is no such parameter, or its value is neither a whole number nor a text.
    """
    flat = {key: value for tree in params.values() for key, value in flatten(tree).items()}
    usual = [*_USUAL, *sorted(key for key in flat if key.rpartition(".")[2] in _USUAL)]
    for key in [named] if named else usual:
        value = flat.get(key)
        if isinstance(value, (int, str)) and not isinstance(value, bool):
            return value
    return None
