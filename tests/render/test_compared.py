"""Comparisons and choices of many configurations, or of ones with long names: the baseline stays in sight."""

from __future__ import annotations

from datetime import UTC, datetime

from exptrack.model.comparison import Comparison, Configuration, Rules, Sample
from exptrack.model.selection import Chosen, Selected
from exptrack.model.settings import Goal
from exptrack.render.comparison import format_comparison
from exptrack.render.selection import format_selected

RULES = Rules("accuracy", Goal.MAXIMIZE)


def made(label: str, *, is_baseline: bool = False) -> Configuration:
    return Configuration(label, {}, "", (label,), Sample(label, {"0": 0.5}), is_baseline=is_baseline, mean=0.5)


def test_a_long_label_loses_its_end_and_not_the_mark_of_the_baseline():
    line = format_comparison(Comparison(RULES, (made("x" * 70, is_baseline=True),))).splitlines()[-1]
    assert line.startswith(f"{'x' * 48}… (baseline)  1  ")


def test_the_baseline_is_listed_beside_the_ten_best():
    candidates = tuple(made(f"lr={place:02}") for place in range(15))
    chosen = Chosen("", datetime(2026, 1, 5, tzinfo=UTC), "Ada", "accuracy", "lr=00", ("lr=00",), ("lr=13",), among=15)
    told = format_selected(Selected("rate", RULES, chosen, True, candidates, baseline="lr=13")).splitlines()
    assert [line.split()[0] for line in told[3:14]] == [*(f"lr={place:02}" for place in range(10)), "lr=13"]
    assert told[3].endswith("selected")
    assert told[13].endswith("baseline")
    assert told[14] == "  4 more; --json lists all"
