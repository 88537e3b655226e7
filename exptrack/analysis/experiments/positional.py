"""Configurations that only a number on the command line tells apart: mostly it is the seed, and has no name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from exptrack.analysis.experiments.grouping import Grouping, Row
from exptrack.analysis.wording import counted

_WHOLE = re.compile(r"(?<![\w.])\d+(?![\w.])", re.ASCII)
_SHOWN = 40  # letters on each side of the number


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
    """How many of the commands differ in one number at one place, and the command with N for it, where they are most.

    It may be a word of its own, or stand in the text of a script, as in `sh -c 'python train.py 1'`.
    """
    shapes: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for command in commands:
        for number in _WHOLE.finditer(command):
            shapes[command[: number.start()], command[number.end() :]].add(number[0])
    most = max(((len(values), shape) for shape, values in shapes.items()), default=(0, ("", "")))
    lead, tail = most[1]
    before = lead if len(lead) <= _SHOWN else f"…{lead[-_SHOWN:]}"
    after = tail if len(tail) <= _SHOWN else f"{tail[:_SHOWN]}…"
    return None if most[0] < 2 else (most[0], f"{before}N{after}")
