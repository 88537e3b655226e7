"""Runs that took no part in the choice of a configuration, and what they and the holdout say of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from exptrack.analysis.experiments.choosing import find_fresh, find_holder
from exptrack.analysis.experiments.grouping import Row
from exptrack.analysis.verdicts import decide
from exptrack.model.comparison import Configuration, Rules, Sample, Verdict
from exptrack.model.experiment import Noise, Pairing
from exptrack.model.selection import Chosen, PastUnsealing
from exptrack.operations.comparing.material import Material, sample
from exptrack.operations.comparing.past import find_unsealings
from exptrack.operations.context import Context

KEYED = frozenset({Pairing.FOLD, Pairing.DATASET, Pairing.SPLIT})
ON_THIS_SPLIT = "selected_on_this_split"


class Fresh(NamedTuple):
    """The chosen configuration and the baseline as their fresh runs alone show them; `names` are these runs."""

    chosen: Sample
    baseline: Sample | None
    names: tuple[str, ...]

    @property
    def counts(self) -> tuple[int, int]:
        return len(self.chosen.values), len(self.baseline.values) if self.baseline else 0


def confirming_rules(material: Material, chosen: Chosen) -> Rules:
    """One candidate, as many runs as were planned when it was chosen; no other looks."""
    planned = None if material.rules.pair_by in KEYED else chosen.planned
    return material.rules._replace(planned=planned, looks=(), noise=Noise.UNEQUAL)


def gather_fresh(context: Context, material: Material, choices: Sequence[Chosen]) -> Fresh:
    """What the runs say that took part in none of the choices: those of the chosen configuration, and of the baseline."""
    candidate, baseline = find_sides(material, choices[-1])
    rows = fresh_rows(material, choices)
    metric = material.rules.metric
    mine = sample(context, material, candidate, rows, metric)
    other = sample(context, material, baseline, rows, metric) if baseline else None
    held = {*(candidate.runs if candidate else ()), *(baseline.runs if baseline else ())}
    return Fresh(mine, other, tuple(row.name for row in rows if row.name in held))


def find_sides(material: Material, chosen: Chosen) -> tuple[Configuration | None, Configuration | None]:
    """The chosen configuration and the baseline, as they are now; no baseline if that was chosen, or none is declared."""
    configurations = material.grouped.configurations
    candidate = find_holder(configurations, chosen.runs)
    baseline = find_holder(configurations, chosen.baseline_runs)
    return candidate, None if candidate is baseline else baseline


def fresh_rows(material: Material, choices: Sequence[Chosen]) -> tuple[Row, ...]:
    """The rows that took part in none of the choices."""
    return find_fresh(material.rows, frozenset().union(*(one.took_part for one in choices)))


def confirm(rules: Rules, fresh: Fresh) -> Verdict | None:
    """The verdict on the fresh runs alone, for which nothing has to be corrected; None without a baseline or any fresh run of both."""
    if fresh.baseline is None or not min(fresh.counts):
        return None
    return decide(rules, fresh.baseline, [fresh.chosen])[0]


def find_seen(material: Material, chosen: Chosen) -> tuple[PastUnsealing, ...]:
    """When the holdout was unsealed after the choice was made."""
    return tuple(one for one in find_unsealings(material.runs, material.experiment.name) if one.time > chosen.time)


def is_confirmed(material: Material, chosen: Chosen, fresh: Fresh, verdict: Verdict | None) -> bool:
    """Whether there is a result that the choice had no part in: of as many fresh runs as were planned, or of a holdout (STATISTICS 3.4)."""
    return bool(find_seen(material, chosen)) or (verdict is not None and min(fresh.counts) >= chosen.planned)
