"""Configurations that only a number on the command line tells apart: mostly it is the seed, and has no name."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Sequence

from exptrack.analysis.grouping import Grouping, Row
from exptrack.analysis.wording import counted

_WHOLE = re.compile(r"\d+", re.ASCII)


def note_positional(rows: Sequence[Row], grouping: Grouping) -> tuple[str, ...]:
    """A line where runs without a known seed have the same parameters and code, and commands that differ in one whole number alone."""
    if grouping.by is not None:
        return ()
    groups: defaultdict[tuple[object, ...], set[str]] = defaultdict(set)
    for row in rows:
        if row.seed is None and row.command:
            params = tuple(sorted((key, repr(value)) for key, value in row.params.items()))
            groups[params, "" if grouping.is_code_merged else row.code].add(row.command)
    found = [one for commands in groups.values() if (one := _find_shape(sorted(commands)))]
    if not found:
        return ()
    number, shape = max(found)
    told = (
        f"{counted(number, 'configuration')} differ in nothing but a number of `{shape}`: if it is the seed, give it a name (--seed N), "
        "or take it from $EXPTRACK_SEED and run with `exptrack run --seed N`, and they are replicates"
    )
    return (told,)


def _find_shape(commands: Sequence[str]) -> tuple[int, str] | None:
    """How many of the commands differ in one number at one place, and the command with N for it, where they are most."""
    shapes: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for command in commands:
        words = shlex.split(command)
        for place, word in enumerate(words):
            if _WHOLE.fullmatch(word):
                shapes[(*words[:place], "", *words[place + 1 :])].add(word)
    most = max(((len(values), shape) for shape, values in shapes.items()), default=(0, ()))
    if most[0] < 2:
        return None
    return most[0], " ".join(shlex.quote(word) if word else "N" for word in most[1])
