"""Which parameter is the seed, and what a script seeded with it, as fields of a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exptrack.analysis.fields import WrongFieldError, read_mapping, read_texts, without
from exptrack.model.seeding import Seeding
from exptrack.model.tree import Tree, Value, flatten

SEEDS = ("seed", "random_state", "random_seed")


def find_seed(params: Mapping[str, Tree], named: str | None) -> int | str | None:
    """The value of the parameter that `find_seed_key` finds; None if there is none."""
    flat = _flatten_all(params)
    key = _find_key(flat, named)
    value = None if key is None else flat[key]
    return value if isinstance(value, (int, str)) else None


def find_seed_key(params: Mapping[str, Tree], named: str | None) -> str | None:
    """The parameter that is `named`; if none is, the first of `seed`, `random_state`, `random_seed`, `*.seed`, ….

    None if there is no such parameter, or its value is neither a whole number nor a text.
    """
    return _find_key(_flatten_all(params), named)


def _flatten_all(params: Mapping[str, Tree]) -> dict[str, Value]:
    return {key: value for tree in params.values() for key, value in flatten(tree).items()}


def _find_key(flat: Mapping[str, Value], named: str | None) -> str | None:
    usual = [*SEEDS, *sorted(key for key in flat if key.rpartition(".")[2] in SEEDS)]
    for key in [named] if named else usual:
        value = flat.get(key)
        if isinstance(value, (int, str)) and not isinstance(value, bool):
            return key
    return None


def encode_seeding(seeding: Seeding | None) -> dict[str, Any] | None:
    """`seeding` of a record, as `docs/format.md` has it."""
    if seeding is None:
        return None
    return {"seed": seeding.seed, **without({"set": list(seeding.set), "open": list(seeding.open)})}


def decode_seeding(fields: dict[str, Any]) -> Seeding | None:
    """The same out of a record's fields; raises WrongFieldError."""
    found = read_mapping(fields, "seeding")
    if not found:
        return None
    if type(found.get("seed")) is not int:
        raise WrongFieldError("seeding.seed", "is not a whole number")
    try:
        return Seeding(found["seed"], read_texts(found, "set"), read_texts(found, "open"))
    except WrongFieldError as wrong:
        raise WrongFieldError(f"seeding.{wrong.key}", wrong.problem) from None
