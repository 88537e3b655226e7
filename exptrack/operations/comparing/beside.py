"""What else differs between configurations than their parameters: what is compared, or what confounds it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from exptrack.analysis.grouping import Grouped, Row
from exptrack.model.comparison import Configuration


def name_differences(rows: Sequence[Row], grouped: Grouped, baseline: Configuration) -> dict[str, tuple[str, ...]]:
    """By the label of each candidate the names of what it has otherwise than the baseline: code, environment, paths of data."""
    by_name = {row.name: row for row in rows}
    states = {one.label: _find_states(by_name[name] for name in one.runs) for one in grouped.configurations}
    base = states.pop(baseline.label)
    return {
        label: tuple(sorted(name for name in base.keys() | own.keys() if base.get(name) != own.get(name)))
        for label, own in states.items()
    }


def _find_states(rows: Iterable[Row]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for row in rows:
        for name, state in (("code", row.code), ("environment", row.environment), *row.data.items()):
            found.setdefault(name, set()).add(state)
    return {name: frozenset(some) for name, some in found.items()}
