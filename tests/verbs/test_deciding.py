"""Choosing, unsealing and concluding from Python, on runs that a study left."""

from __future__ import annotations

import pytest
from studies import EXPERIMENT, GOAL, HIGH, LOW, MIDDLE, Study

from exptrack import ExptrackError, Project
from exptrack.model.annotation import AnnotationKind
from exptrack.model.comparison import Word
from exptrack.model.experimentstate import Progress
from exptrack.model.pipeline import StageRun, StageState
from exptrack.model.selection import Answer


@pytest.fixture
def project(repository, git):
    study = Study(repository, git)
    study.declare(GOAL + EXPERIMENT)
    for lr, values in ((0.1, LOW), (0.2, MIDDLE), (0.3, HIGH)):
        study.fill({"lr": lr}, values, experiment="rate")
    return Project(repository)


def test_a_choice_is_made_and_recorded(project):
    selected = project.select("rate", fresh=5)
    assert (selected.chosen.label, selected.chosen.planned, selected.is_new) == ("lr=0.3", 5, True)
    assert project.select("rate").is_new is False
    assert project.select("rate", again=True).is_new is True
    kinds = {one.kind for run in project.runs() for one in run.annotations}
    assert kinds == {AnnotationKind.SELECTION}


def test_a_hypothesis_is_concluded(project):
    conclusion = project.conclude("rate")
    assert conclusion.answer is Answer.ACCEPTED
    [state] = project.experiments("rate")
    assert (state.progress, state.answer) == (Progress.CONCLUDED, "accepted")


def test_an_experiment_of_which_nothing_is_decided_is_not_concluded(project):
    project.select("rate", fresh=3)
    conclusion = project.conclude("rate")
    assert conclusion.answer is Answer.NOT_YET
    assert conclusion.reason == (
        "lr=0.3 was selected, and it takes fresh runs of it and of the baseline: `exptrack select -e rate` prints their commands"
    )
    [state] = project.experiments("rate")
    assert (state.progress, state.answer) == (Progress.COMPLETE, "not yet")


def test_without_a_holdout_nothing_is_unsealed(project):
    project.select("rate")
    with pytest.raises(ExptrackError, match="'rate' has no holdout"):
        project.unseal("rate", "the numbers of the paper")


def test_a_comparison_takes_the_options_of_the_command(project):
    found = project.compare("params.lr >= 0.2", metric="accuracy", baseline="lr=0.2", group_by=["params.lr"])
    assert [(one.label, one.word) for one in found.verdicts] == [("lr=0.3", Word.BETTER)]


def test_a_pipeline_that_ran_nothing_anew_neither_takes_part_nor_confirms(repository, git):
    study = Study(repository, git)
    study.declare(GOAL + EXPERIMENT)
    for lr, values in ((0.1, LOW), (0.3, HIGH)):
        study.fill({"lr": lr}, values, experiment="rate")
    deps, outs = {"train.py": "md5:00"}, {"model": "md5:01"}
    for number, state in enumerate((StageState.RAN, StageState.SKIPPED, StageState.RESTORED)):
        stage = StageRun("train", state, "python train.py", 1.0, 1.0, deps, outs)
        study.add({"lr": 0.2, "seed": number}, {"accuracy": 0.95}, experiment="rate", stages=(stage,))
    selected = Project(repository).select("rate")
    assert selected.chosen.label == "lr=0.3"
    assert "not chosen from: lr=0.2 has 1 usable run, and 3 are needed" in selected.notes
    assert "2 runs left out: no stage was run anew, so the result is that of an earlier run" in selected.notes
