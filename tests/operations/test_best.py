"""The best of several was chosen by the runs that are compared: until others say something of it, that is flagged."""

from __future__ import annotations

import pytest
from studies import EXPERIMENT, GOAL, HIGH, LOW, MIDDLE

from exptrack.project import Project

FLAG = "selected_on_this_split"
HOLDOUT = GOAL.replace("  loss:", "  test: {goal: maximize, holdout: true}\n  loss:")


@pytest.fixture
def screened(study):
    study.declare(HOLDOUT + EXPERIMENT.replace("    seeds: 4\n", ""))
    for lr, values in ((0.1, LOW), (0.2, MIDDLE), (0.3, HIGH)):
        study.fill({"lr": lr}, values, experiment="rate")
    return study


def best(ask, *words, **fields):
    [verdict] = [one for one in ask(*words, experiment="rate", **fields).verdicts if one.label == "lr=0.3"]
    return verdict


def select(repository, fresh=3):
    return Project(repository).select("rate", fresh=fresh)


def confirm(study, rates=(0.1, 0.3), seeds=(10, 11, 12)):
    for lr in rates:
        for seed, noise in zip(seeds, (0.01, -0.01, 0.002), strict=False):
            study.add({"lr": lr, "seed": seed}, {"accuracy": 0.8 + (lr > 0.2) / 10 + noise}, experiment="rate")


def test_the_best_of_three_is_flagged_before_and_after_it_is_selected(screened, ask, repository):
    assert FLAG in best(ask).flags
    select(repository)
    assert FLAG in best(ask).flags


def test_fresh_runs_as_many_as_were_planned_take_the_flag_away_and_are_told(screened, ask, repository):
    select(repository)
    confirm(screened, seeds=(10, 11))
    assert FLAG in best(ask).flags
    confirm(screened, seeds=(12,))
    verdict = best(ask)
    assert FLAG not in verdict.flags
    [note] = [note for note in verdict.notes if "fresh runs alone" in note]
    assert note.startswith("selected on 20")
    assert "better: accuracy +0.1" in note
    assert "3 vs 3 seeds" in note


def test_a_choice_made_anew_is_to_be_confirmed_anew(screened, ask, repository):
    select(repository)
    confirm(screened)
    Project(repository).select("rate", again=True)
    assert FLAG in best(ask).flags


def test_the_result_counts_beside_the_baseline_and_by_the_metric_that_it_is_of(screened, ask, repository):
    select(repository)
    confirm(screened)
    assert FLAG in best(ask, baseline="lr=0.2").flags
    assert FLAG not in best(ask, baseline="lr=0.1").flags


def test_another_configuration_that_is_best_now_is_flagged(screened, ask, repository):
    select(repository)
    confirm(screened)
    screened.fill({"lr": 0.4}, [value + 0.05 for value in HIGH], experiment="rate")
    flags = {one.label: FLAG in one.flags for one in ask(experiment="rate").verdicts}
    assert flags == {"lr=0.4": True, "lr=0.3": False, "lr=0.2": False}


def test_whatever_part_is_asked_for_the_best_is_that_of_all(screened, ask):
    assert FLAG in best(ask, "params.lr = 0.3").flags
