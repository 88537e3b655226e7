"""Runs of an experiment that were removed are counted, since removing those that one does not like is choosing by results."""

from __future__ import annotations

import pytest
from studies import EXPERIMENT, GOAL, HIGH, LOW

from exptrack.errors import ExptrackError
from exptrack.model.run import Status
from exptrack.operations.comparing.removed import count_removed, tell_removed
from exptrack.operations.conclude import conclude
from exptrack.operations.experiments import list_experiments
from exptrack.operations.remove import choose, remove
from exptrack.project import Project


def test_removed_runs_are_told_wherever_the_experiment_is(study, ask, repository):
    study.declare(GOAL + EXPERIMENT)
    study.fill({"lr": 0.1}, LOW, experiment="rate")
    study.fill({"lr": 0.3}, [*HIGH, 0.2], experiment="rate")
    study.add({"lr": 0.3, "seed": 9}, {}, experiment="rate", status=Status.FAILED)
    context = Project(repository).context
    bad = [f"run-{number:03}" for number in (9, 10)]
    remove(context, choose(context, bad))
    assert count_removed(context) == {"rate": {Status.COMPLETED: 1, Status.FAILED: 1}}
    line = "2 runs of the experiment were removed, 1 of which had completed: what they gave counts nowhere"
    assert line in ask(experiment="rate").notes
    assert [(one.runs, one.removed) for one in list_experiments(context)] == [(8, 2)]
    assert line in conclude(context, "rate").threats


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({}, None),
        ({Status.COMPLETED: 1}, "1 run of the experiment was removed, which had completed"),
        ({Status.CRASHED: 1}, "1 run of the experiment was removed, which had not completed"),
        ({Status.FAILED: 2}, "2 runs of the experiment were removed, none of which had completed"),
    ],
)
def test_removed_runs_in_words(counts, said):
    assert tell_removed(counts) == (() if said is None else (f"{said}: what they gave counts nowhere",))


def test_a_step_that_no_run_has(study, ask):
    study.fill({"lr": 0.1}, LOW)
    with pytest.raises(ExptrackError, match="no run has accuracy at step 7: "):
        ask(metric="accuracy", step=7.0)
    with pytest.raises(ExptrackError, match="no run has a history of accuracy: "):
        ask(metric="accuracy", step="best")


def test_the_seed_groups_nothing(study, ask):
    study.fill({"lr": 0.1}, LOW)
    with pytest.raises(
        ExptrackError, match="'seed' is the seed: runs with other seeds are replicates, so leave it out"
    ):
        ask(metric="accuracy", group_by=("params.seed",))
