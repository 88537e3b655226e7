"""What stands before a test: whether two samples may be compared, whose runs failed, and whether it is time to decide."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from exptrack.analysis.stats.counts import fisher
from exptrack.analysis.stats.intervals import failure_limit
from exptrack.analysis.stats.ranks import mann_whitney
from exptrack.analysis.verdicts.looks import LEAST_ALPHA, look_alphas
from exptrack.analysis.wording import counted
from exptrack.model.comparison import Rules, Sample
from exptrack.model.experiment import Pairing
from exptrack.model.settings import Goal

ALPHA_OF_FAILURES = 0.05


class Failures(NamedTuple):
    """Failed runs of all runs, of the baseline and the candidate, and Fisher's p of the rates being one."""

    baseline: tuple[int, int]
    candidate: tuple[int, int]
    p: float

    @property
    def is_serious(self) -> bool:
        """Whether the rates differ, or the candidate's is the larger: then completed runs alone do not tell which is better."""
        return self.p <= ALPHA_OF_FAILURES or self._order > 0

    @property
    def reason(self) -> str:
        (a, n), (b, m) = self.baseline, self.candidate
        word = "more" if self._order > 0 else "fewer"
        return f"{word} failures ({b} of {m} against {a} of {n})"

    @property
    def _order(self) -> int:
        (a, n), (b, m) = self.baseline, self.candidate
        return b * n - a * m


class Plan(NamedTuple):
    """At which alpha it is decided. `waits` says what the word waits for, if it does; `notes` are lines to a claim, `flags` words."""

    alpha: float
    waits: str = ""
    notes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def clean(sample: Sample) -> Sample:
    """The sample with finite values alone; what is left out counts as missing."""
    values = {unit: float(value) for unit, value in sample.values.items() if math.isfinite(value)}
    return sample._replace(values=values, missing=sample.missing + len(sample.values) - len(values))


def find_mismatch(rules: Rules, baseline: Sample, candidate: Sample) -> str:
    """Why two samples cannot be compared: the data that they were evaluated on is not known to be the same; empty if it is.

    A fold, dataset or split that only one has is not compared, and neither is its data.
    """
    one, other = set(baseline.evaluated), set(candidate.evaluated)
    is_keyed = rules.pair_by in {Pairing.FOLD, Pairing.DATASET, Pairing.SPLIT}
    for path in sorted(one & other if is_keyed else one | other):
        for sample in (baseline, candidate):
            known = sample.evaluated.get(path, ())
            if not known:
                return f"it is not known what {path} was in the evaluation of {sample.label}"
            if len(set(known)) > 1:
                return f"{sample.label} was evaluated on {len(set(known))} states of {path}"
        if set(baseline.evaluated[path]) != set(candidate.evaluated[path]):
            return f"evaluated on different {path}"
    return ""


def count_failures(baseline: Sample, candidate: Sample) -> Failures | None:
    """Runs that did not complete, or gave no finite value, of all; None if there are none. Reruns of a seed count as runs."""
    (a, n), (b, m) = map(_failed, (baseline, candidate))
    return Failures((a, n), (b, m), fisher(a, n, b, m) if n and m else 1.0) if a or b else None


def describe_failures(failures: Failures, labels: tuple[str, str]) -> tuple[str, ...]:
    """Lines on failures: counts, Fisher's p, and what may still fail of those that did not."""
    (a, n), (b, m) = failures.baseline, failures.candidate
    lines = [f"failed: {b} of {m} against {a} of {n} (Fisher p={failures.p:.2g})"]
    for label, failed, total in zip(labels, (a, b), (n, m), strict=True):
        if not failed and total:
            lines.append(f"{label}: {limit_failures(total)}")
    return tuple(lines)


def limit_failures(clean_runs: int) -> str:
    """What the rate of failures may be where none was seen."""
    return f"no failure in {counted(clean_runs, 'run')}, so its rate of failures is below {failure_limit(clean_runs):.0%} (95% limit)"


def rank_with_failures(rules: Rules, baseline: Sample, candidate: Sample) -> tuple[int, float]:
    """The direction in the metric's own sign (1, 0, -1) and exact p of the rank test in which each failed run is the worst of all."""
    worst = math.inf if rules.goal is Goal.MINIMIZE else -math.inf
    x, y = ((*sample.values.values(), *[worst] * _failed(sample)[0]) for sample in (baseline, candidate))
    found = mann_whitney(sorted(x), sorted(y))
    middle = len(x) * len(y) / 2
    return (found.u > middle) - (found.u < middle), found.p


def find_plan(rules: Rules, n: int) -> Plan:
    """At which alpha `n` runs of each are decided on, and whether the word waits for more of them.

    Declared looks stand before the planned number. Between two looks nothing is decided: looking at each n from 3 to 10 with the alphas
    of looks at 3, 5 and 10 makes 5.9 % false claims (simulated: 20,000 studies). Datasets are not seeds: their number is no plan.
    """
    rules = rules._replace(alpha=max(rules.alpha, LEAST_ALPHA))
    if rules.pair_by is Pairing.DATASET:
        return Plan(rules.alpha)
    if rules.looks:
        return _find_look(rules, n)
    if rules.planned is None:
        note = "seeds were not planned: claims found by adding seeds until they appear are false far more often"
        return Plan(rules.alpha, notes=(note,), flags=("seeds_not_planned",))
    if n < rules.planned:
        return Plan(rules.alpha, waits=f"{n} of {rules.planned} planned runs")
    if n > rules.planned:
        note = f"{n} runs where {rules.planned} were planned: claims found by adding seeds until they appear are false far more often"
        return Plan(rules.alpha, notes=(note,), flags=("more_than_planned",))
    return Plan(rules.alpha)


def _find_look(rules: Rules, n: int) -> Plan:
    alphas = dict(zip(rules.looks, look_alphas(len(rules.looks), rules.alpha), strict=True))
    coming = [look for look in rules.looks if look >= n]
    if not coming:
        note = f"{n} runs where the last look was declared at {rules.looks[-1]}"
        return Plan(alphas[rules.looks[-1]], notes=(note,), flags=("more_than_planned",))
    alpha = alphas[coming[0]]
    told = f"look {rules.looks.index(coming[0]) + 1} of {len(rules.looks)}, alpha {alpha:.2g}"
    if coming[0] != n:
        return Plan(alpha, waits=f"{n} of {coming[0]} runs for {told}")
    return Plan(alpha, notes=(told,))


def common_units(samples: tuple[Mapping[str, float], ...]) -> tuple[str, ...]:
    """The units that all samples have, sorted."""
    return tuple(sorted(set(samples[0]).intersection(*samples[1:])))


def _failed(sample: Sample) -> tuple[int, int]:
    failed = sample.failed + sample.missing
    return failed, failed + len(sample.values) + sample.collapsed
