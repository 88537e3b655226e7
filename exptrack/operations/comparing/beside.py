"""What else differs between configurations than their parameters: what is compared, or what confounds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from exptrack.analysis.experiments.grouping import Grouped, Row
from exptrack.model.comparison import Configuration


def name_differences(rows: Sequence[Row], grouped: Grouped, baseline: Configuration) -> dict[str, tuple[str, ...]]:
    """By the label of each candidate the names of what it has otherwise than the baseline: code, environment, paths of data."""
    others = [one.label for one in grouped.configurations if one.label != baseline.label]
    return name_differences_beside(rows, grouped, dict.fromkeys(others, baseline))


def name_differences_beside(
    rows: Sequence[Row], grouped: Grouped, partners: Mapping[str, Configuration]
) -> dict[str, tuple[str, ...]]:
    """The same where each candidate, by its label, has a baseline of its own."""
    by_name = {row.name: row for row in rows}
    states = {one.label: _find_states(by_name[name] for name in one.runs) for one in grouped.configurations}
    bases = {label: states[base.label] for label, base in partners.items()}
    return {
        label: tuple(sorted(name for name in base.keys() | own.keys() if base.get(name) != own.get(name)))
        for label, base in bases.items()
        for own in [states[label]]
    }


def _find_states(rows: Iterable[Row]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for row in rows:
        for name, state in (("code", row.code), ("environment", row.environment), *row.data.items()):
            found.setdefault(name, set()).add(state)
    return {name: frozenset(some) for name, some in found.items()}
