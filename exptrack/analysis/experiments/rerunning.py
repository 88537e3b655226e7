"""The command line that runs a configuration once more, with a fresh seed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from exptrack.analysis.arguments import ARGUMENTS, parse_value
from exptrack.analysis.editing.overrides import parse_overrides
from exptrack.analysis.experiments.labels import tell_value
from exptrack.analysis.seeds import find_seed_key
from exptrack.errors import ExptrackError
from exptrack.model.run import Record
from exptrack.model.tree import Value, flatten


def write_rerun(
    record: Record, seed: int, experiment: str, variables: Mapping[str, Value], seed_name: str | None = None
) -> str:
    """`exptrack run -e NAME -S lr=0.1 --seed 7 -- python train.py`: as the run of `record` was, but for the seed.

    What the run was given by `-S` is given again, and so is each of the experiment's `variables` that its files hold; what its own words
    said is in them. A seed among these words is replaced there, any other by `--seed`.
    """
    key = find_seed_key(record.params, seed_name)
    command, is_placed = _place_seed(record, key, seed)
    words = ["exptrack", "run", "-e", experiment]
    words += [word for one in _overrides(record, key, variables) for word in ("-S", one)]
    words += [] if is_placed else ["--seed", str(seed)]
    words += [word for path in _outputs(record) for word in ("-o", path)]
    return shlex.join([*words, "--", *command] if command else words)


def _place_seed(record: Record, key: str | None, seed: int) -> tuple[list[str], bool]:
    """The command's words with the seed in the place of the old one, and whether there was such a place."""
    words, old = list(record.command), record.seed
    if key is None or old is None or not words:
        return words, False
    names = {key, key.replace("_", "-"), key.replace("-", "_")}
    for position in range(len(words) - 1, -1, -1):
        name, mark, value = words[position].partition("=")
        bare = name.lstrip("-") if name.startswith("--") else name.lstrip("+")
        if bare not in names:
            continue
        if mark and parse_value(value) == old:
            words[position] = f"{name}={seed}"
            return words, True
        following = words[position + 1 : position + 2]
        if name.startswith("--") and following and parse_value(following[0]) == old:
            words[position + 1] = str(seed)
            return words, True
    return words, False


def _overrides(record: Record, seed_key: str | None, variables: Mapping[str, Value]) -> list[str]:
    given: dict[str, str] = {}
    for word in record.overrides:
        try:
            [one] = parse_overrides([word])
        except (ExptrackError, ValueError):
            continue
        dotted = ".".join(one.key)
        if dotted != seed_key:
            given[dotted] = word
    held = {
        key: value
        for source, tree in record.params.items()
        if source != ARGUMENTS
        for key, value in flatten(tree).items()
    }
    said = flatten(record.params.get(ARGUMENTS, {}))
    for key, value in variables.items():
        if key in held and key not in said and key not in given and not _is_said(record, key):
            given[key] = f"{key}={spell(value)}"
    return list(given.values())


def _is_said(record: Record, key: str) -> bool:
    """Whether the command's own words give a parameter that a file holds, too."""
    names = {key, key.replace("_", "-"), key.replace("-", "_")}
    return any(word.partition("=")[0].lstrip("-+") in names for word in record.command)


def spell(value: Value) -> str:
    """A value as `-S` takes it."""
    if isinstance(value, str) and not isinstance(parse_value(value), str):
        return json.dumps(value)
    return tell_value(value)


def _outputs(record: Record) -> list[str]:
    return [one.path for one in record.outputs if one.stage is None]
