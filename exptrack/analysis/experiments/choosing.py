"""Choosing one of several configurations, and which runs may confirm the choice: those that did not take part in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import count, islice
from typing import NamedTuple

from exptrack.analysis.experiments.grouping import Row, sort_best
from exptrack.analysis.verdicts import noise_gain
from exptrack.analysis.verdicts.gates import clean, find_mismatch
from exptrack.analysis.wording import counted
from exptrack.model.comparison import Configuration, Rules
from exptrack.model.settings import Goal

FEWEST = 3
_DIGITS, _LARGEST = 18, 2**31
# STATISTICS 3.4: three seeds to screen 20 configurations and ten fresh ones to confirm the best find a gain of 2 SD in 91 % of studies.
FRESH = 10


class Screen(NamedTuple):
    """The configurations that may be chosen, best first, what is left out and why, and the gain that noise alone gives the best."""

    candidates: tuple[Configuration, ...]
    left_out: tuple[str, ...] = ()
    noise: float | None = None


def screen(configurations: Iterable[Configuration], rules: Rules, baseline: Configuration | None = None) -> Screen:
    """All with three usable runs or more, the baseline too, by the mean of the metric; fewer runs vary too much to be chosen from.

    What was not evaluated on the same data as the baseline is left out, too.
    """
    able, left_out = [], []
    for one in sort_best(configurations, rules.goal):
        usable = len(clean(one.sample).values)
        mismatch = find_mismatch(rules, baseline.sample, one.sample) if baseline is not None else ""
        if usable < FEWEST:
            left_out.append(
                f"not chosen from: {one.label} has {counted(usable, 'usable run')}, and {FEWEST} are needed"
            )
        elif mismatch:
            left_out.append(f"not chosen from: {one.label} is not comparable, {mismatch}")
        else:
            able.append(one)
    return Screen(tuple(able), tuple(left_out), noise_gain([one.sample for one in able]))


def gain(rules: Rules, chosen: Configuration, baseline: Configuration) -> float | None:
    """The difference of the means in the direction of the goal: above 0 the chosen one is better."""
    if chosen.mean is None or baseline.mean is None:
        return None
    difference = chosen.mean - baseline.mean
    return -difference if rules.goal is Goal.MINIMIZE else difference


def find_fresh(rows: Iterable[Row], took_part: Collection[str]) -> tuple[Row, ...]:
    """The rows that may confirm: they did not take part in a choice, and neither did another run of their seed."""
    listed = list(rows)
    used = {str(row.seed) for row in listed if row.name in took_part and row.seed is not None}
    return tuple(row for row in listed if row.name not in took_part and (row.seed is None or str(row.seed) not in used))


def fresh_seeds(rows: Iterable[Row], number: int) -> tuple[int, ...]:
    """Seeds that no run has had: whole numbers above all that are used, and below 2^31, which every library takes."""
    used = {int(text) for row in rows if len(text := str(row.seed)) <= _DIGITS and text.isdecimal()}
    first = max((seed for seed in used if seed < _LARGEST - number), default=-1) + 1
    free = (seed for seed in count(first) if seed not in used)
    return tuple(islice(free, number))


def find_holder(configurations: Iterable[Configuration], runs: Collection[str]) -> Configuration | None:
    """The configuration that most of these runs are of; None if it holds none."""
    counts = [(len({*one.runs} & {*runs}), one) for one in configurations]
    most, found = max(counts, key=lambda pair: pair[0], default=(0, None))
    return found if most else None
