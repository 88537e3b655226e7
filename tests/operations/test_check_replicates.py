"""Which runs a check fetches beside those that are claimed."""

from __future__ import annotations

from exptrack.operations.checking.beside import choose
from exptrack.operations.sharing.arriving import Filter


def refs(month, count):
    return [f"refs/exptrack/runs/{month}/run-{month}-{number}" for number in range(count)]


def test_the_runs_of_an_experiment_are_fetched_where_the_remote_has_few_that_are_not_here():
    members = ["refs/exptrack/runs/2026-02/a", "refs/exptrack/runs/2026-01/b"]
    few, many = refs("2026-02", 400), refs("2025-12", 400)
    assert choose(few, "rate", members) == Filter(experiment="rate")
    assert choose(few + many, "rate", members) == Filter(months=("2026-01", "2026-02"), experiment="rate")
    assert choose(refs("2026-02", 501), "rate", members) is None
    assert choose(many + refs("2025-11", 400), "rate", members) is None
    assert choose([], "rate", members) is None
