"""A fixed suite of datasets with several runs on each: what is said of it beside the tests by ranks, as a description only."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence

from exptrack.analysis.experiments.grouping import Grouping, Row, list_values
from exptrack.analysis.stats import mean
from exptrack.analysis.stats.effects import iqm, probability_of_improvement
from exptrack.analysis.stats.resampling import stratified_bootstrap
from exptrack.analysis.wording import counted
from exptrack.model.comparison import Configuration, Rules
from exptrack.model.experiment import Pairing
from exptrack.model.settings import Goal

_MOST = 10
_DRAWS = 2_000
_LARGEST = 1e60  # as of what is tested: sums and differences of these are finite


def describe_suite(
    rules: Rules, rows: Iterable[Row], grouping: Grouping, ordered: Sequence[Configuration], labels: Collection[str]
) -> tuple[str, ...]:
    """A line for each of the first ten configurations, and for the baseline, the only one of `labels` if there is one.

    It tells the interquartile mean over all runs on the datasets that all of them have, with the interval of a stratified bootstrap, and
    how often a run is better than one of the baseline on the same dataset. Nothing is told where runs are not paired by dataset, fewer
    than two datasets are common, or no dataset has two runs. Source: Agarwal et al. 2021, Deep reinforcement learning at the edge of the
    statistical precipice.
    """
    if rules.pair_by is not Pairing.DATASET:
        return ()
    usable = [one for one in ordered if one.sample.values]
    shown = [*usable[:_MOST], *(one for one in usable[_MOST:] if one.label in labels)]
    by_name = {row.name: row for row in rows}
    found = {one.label: list_values([by_name[name] for name in one.runs], grouping) for one in shown}
    common = sorted(set.intersection(*(set(one) for one in found.values()))) if found else []
    # Of a seed the mean of its reruns.
    tasks = {
        label: [[mean(values) for _, values in sorted(one[unit].items())] for unit in common]
        for label, one in found.items()
    }
    values = [own for task in tasks.values() for own in task]
    is_told = len(common) > 1 and any(len(own) > 1 for own in values)
    if not is_told or any(abs(value) > _LARGEST for own in values for value in own):
        return ()
    base = next((tasks[one.label] for one in shown if one.label in labels), None) if len(labels) == 1 else None
    return tuple(_describe(rules, label, own, base) for label, own in tasks.items())


def _describe(rules: Rules, label: str, own: Sequence[Sequence[float]], base: Sequence[Sequence[float]] | None) -> str:
    middle, low, high = stratified_bootstrap(own, iqm, _DRAWS)
    form = ".6g"
    if high - low > 1e-12:
        form = f".{max(0, 1 - math.floor(math.log10(high - low)))}f"
    texts = [format(value, form) for value in (middle, low, high)]
    unit = f" {rules.unit}" if rules.unit else ""
    runs = counted(sum(map(len, own)), "run")
    told = (
        f"{label}: described, not tested: interquartile mean {texts[0]}{unit} [95% stratified bootstrap CI {texts[1]}, {texts[2]}] "
        f"of {runs} on {len(own)} datasets"
    )
    if base is None or base is own or rules.goal is None:
        return told
    pairs = list(zip(base, own, strict=True))
    share = probability_of_improvement([(y, x) for x, y in pairs] if rules.goal is Goal.MINIMIZE else pairs)
    return f"{told}; a run is better than one of the baseline in {share:.0%} of cases"
