"""Comparing the runs of a repository: which are taken, how they are grouped, and by what was declared."""

from __future__ import annotations

import re

import pytest
from studies import EXPERIMENT, GOAL, HIGH, LOW, MIDDLE

from exptrack.errors import ExptrackError, RevError
from exptrack.model.comparison import Word
from exptrack.model.run import Links
from exptrack.project import Project


def test_runs_with_the_same_parameters_but_the_seed_are_replicates(study, ask):
    study.fill({"lr": 0.1, "depth": 3}, LOW)
    study.fill({"lr": 0.3, "depth": 3}, HIGH)
    found = ask(metric="accuracy", baseline="lr=0.1")
    assert [(one.label, len(one.runs), one.is_baseline) for one in found.configurations] == [
        ("lr=0.3", 4, False),
        ("lr=0.1", 4, True),
    ]
    [verdict] = found.verdicts
    assert verdict.word is Word.BETTER
    assert verdict.line == (
        "better: accuracy +0.100 [95% CI +0.085, +0.115], 4 vs 4 seeds, Welch p<0.0001, by more than min_effect 0.02"
    )
    assert found.shared == {"depth": 3}


def test_nothing_is_written(study, ask, repository, git):
    study.fill({"lr": 0.1}, LOW)
    study.fill({"lr": 0.3}, HIGH)
    before = git("for-each-ref", cwd=repository)
    ask(metric="accuracy", baseline="lr=0.1")
    assert git("for-each-ref", cwd=repository) == before


def test_without_a_baseline_there_is_no_verdict(study, ask):
    study.fill({"lr": 0.1}, LOW)
    found = ask(metric="accuracy")
    assert (found.verdicts, found.baseline, len(found.configurations)) == ((), None, 1)
    assert any(line.startswith("no baseline, so no verdict") for line in found.notes)


def test_a_query_says_among_how_many_it_is_decided(study, ask):
    for lr, values in ((0.1, LOW), (0.2, MIDDLE), (0.3, HIGH)):
        study.fill({"lr": lr}, values)
    assert {one.among for one in ask(metric="accuracy", baseline="lr=0.1").verdicts} == {2}
    found = ask("params.lr > 0.2", metric="accuracy", baseline="lr=0.1")
    assert [(one.label, one.among) for one in found.verdicts] == [("lr=0.3", 1)]


def test_within_an_experiment_all_its_configurations_count_whichever_are_asked_for(study, ask):
    study.declare(GOAL + EXPERIMENT)
    for lr, values in ((0.1, LOW), (0.2, MIDDLE), (0.3, HIGH)):
        study.fill({"lr": lr}, values, experiment="rate")
    for fields in ({"experiment": "rate"}, {}):
        found = ask("params.lr > 0.2", **fields)
        assert [(one.label, one.among) for one in found.verdicts] == [("lr=0.3", 2)]
        assert (found.experiment, found.tried, found.baseline) == ("rate", 3, "lr=0.1")
        assert found.rules.is_declared
        assert found.rules.changed == ()


def test_the_experiment_gives_metric_baseline_and_planned_seeds(study, ask):
    study.declare(GOAL + EXPERIMENT)
    study.fill({"lr": 0.1}, LOW, experiment="rate")
    study.fill({"lr": 0.3}, HIGH[:3], experiment="rate")
    study.fill({"lr": 0.3}, LOW)  # not of the experiment
    found = ask(experiment="rate")
    assert [(one.label, one.word, one.line.partition(";")[0]) for one in found.verdicts] == [
        ("lr=0.3", Word.WITHHELD, "withheld: 3 of 4 planned runs")
    ]


def test_secondary_metrics_are_exploratory_and_get_no_word(study, ask):
    study.declare(GOAL + EXPERIMENT)
    for lr, accuracy in ((0.1, LOW), (0.3, HIGH)):
        for seed, value in enumerate(accuracy):
            study.add({"lr": lr, "seed": seed}, {"accuracy": value, "loss": 1 - value}, experiment="rate")
    [verdict] = ask(experiment="rate").secondary["loss"]
    assert verdict.word is Word.WITHHELD
    assert verdict.line.startswith("exploratory: loss -0.100 [95% CI -0.115, -0.085], Welch p<0.0001")


def test_what_was_declared_after_the_first_run_is_named(study, ask):
    study.declare(GOAL + EXPERIMENT)
    study.fill({"lr": 0.1}, LOW, experiment="rate")
    study.declare(GOAL.replace("0.02", "0.01") + EXPERIMENT.replace("seeds: 4", "alpha: 0.1\n    pair_by: seed"))
    study.fill({"lr": 0.3}, MIDDLE, experiment="rate")
    found = ask(experiment="rate")
    assert found.rules.changed == (
        "min_effect: 0.01, was 0.02",
        "alpha: 0.1, was 0.05",
        "pair_by: seed, was none",
        "seeds: not declared, was 4",
    )
    assert not found.rules.is_declared
    assert any("pairs were not declared before the first run" in note for one in found.verdicts for note in one.notes)


def test_an_experiment_that_was_declared_after_its_runs_says_so(study, ask):
    study.fill({"lr": 0.1}, LOW, experiment="rate")
    study.declare(GOAL + EXPERIMENT)
    assert ask(experiment="rate").rules.changed == ("the experiment rate was not there when its first run started",)


def test_another_alpha_than_the_declared_one_is_named(study, ask):
    study.declare(GOAL + EXPERIMENT)
    study.fill({"lr": 0.1}, LOW, experiment="rate")
    found = ask(experiment="rate", alpha=0.01)
    assert (found.rules.alpha, found.rules.changed) == (0.01, ("alpha 0.01 asked for where 0.05 is declared",))
    with pytest.raises(ExptrackError, match=r"alpha 0.7 makes no sense"):
        ask(experiment="rate", alpha=0.7)


class TestCode:
    def test_other_code_is_another_configuration_and_a_readme_is_not(self, study, ask):
        study.fill({"lr": 0.1}, LOW[:2])
        (study.folder / "README.md").write_text("# more\n")
        study.commit("a readme")
        study.fill({"lr": 0.1}, LOW[2:])
        assert len(ask(metric="accuracy").configurations) == 1
        (study.folder / "train.py").write_text("other = True\n")
        study.commit("another model")
        study.fill({"lr": 0.1}, HIGH)
        found = ask(metric="accuracy")
        assert [re.fullmatch(r"code [0-9a-f]{7}", one.label) is not None for one in found.configurations] == [True] * 2
        merged = ask(metric="accuracy", is_code_merged=True)
        assert [one.mixed for one in merged.configurations] == [("code (2 states)",)]
        assert ask(metric="accuracy", is_code_merged=True, is_strict=True).configurations == ()

    def test_a_branch_is_compared_with_its_base(self, study, ask, git):
        study.fill({"lr": 0.1}, LOW)
        git("switch", "--quiet", "-c", "wider", cwd=study.folder)
        (study.folder / "train.py").write_text("wider = True\n")
        study.commit("wider")
        study.fill({"lr": 0.1}, HIGH)
        found = ask(metric="accuracy", baseline="main")
        assert [one.word for one in found.verdicts] == [Word.BETTER]
        assert [one.is_baseline for one in found.configurations] == [False, True]
        assert ask("wider", metric="accuracy", baseline="main").verdicts == found.verdicts
        for words in ((), ("wider",)):
            with pytest.raises(ExptrackError, match=r"'main' means the runs with its code, which --merge-code puts"):
                ask(*words, metric="accuracy", baseline="main", is_code_merged=True)

    def test_a_branch_whose_code_no_run_had_is_the_last_on_it_that_one_had(self, study, ask, git):
        study.fill({"lr": 0.1}, LOW)
        base = git("rev-parse", "HEAD", cwd=study.folder)
        git("switch", "--quiet", "-c", "wider", cwd=study.folder)
        (study.folder / "train.py").write_text("wider = True\n")
        study.commit("wider")
        study.fill({"lr": 0.1}, HIGH)
        git("switch", "--quiet", "main", cwd=study.folder)
        (study.folder / "train.py").write_text("ahead = True\n")
        study.commit("main went on")
        found = ask(metric="accuracy", baseline="main")
        assert [one.word for one in found.verdicts] == [Word.BETTER]
        assert (
            f"no run had the code of 'main': the last on it that had that of its commit had {base[:10]}" in found.notes
        )

    def test_a_branch_without_any_run_is_told(self, study, ask, git):
        git("switch", "--quiet", "--orphan", "empty", cwd=study.folder)
        (study.folder / "x.py").write_text("")
        study.commit("empty")
        git("switch", "--quiet", "main", cwd=study.folder)
        study.fill({"lr": 0.1}, LOW)
        with pytest.raises(RevError, match="no run had the code of 'empty': check it out"):
            ask(metric="accuracy", baseline="empty")


class TestChoice:
    def test_a_run_means_its_configuration(self, study, ask):
        for lr, values in ((0.1, LOW), (0.2, MIDDLE), (0.3, HIGH)):
            study.fill({"lr": lr}, values)
        found = ask("run-005", metric="accuracy", baseline="run-001")
        assert [(one.label, one.n) for one in found.verdicts] == [("lr=0.2", (4, 4))]

    def test_runs_chosen_by_the_metric_say_so(self, study, ask):
        study.fill({"lr": 0.1}, LOW)
        found = ask("metrics.accuracy > 0.8", metric="accuracy")
        assert any(line.startswith("runs were chosen by metrics.accuracy") for line in found.notes)

    def test_parameters_that_alone_count(self, study, ask):
        study.fill({"lr": 0.1, "depth": 1}, LOW[:2])
        study.fill({"lr": 0.1, "depth": 2}, LOW[2:])
        [one] = ask(metric="accuracy", group_by=("params.lr",)).configurations
        assert (len(one.runs), one.mixed) == (4, ("depth (2 values)",))
        with pytest.raises(ExptrackError, match="no run has the parameter 'dept': did you mean 'depth'"):
            ask(metric="accuracy", group_by=("dept",))

    def test_a_baseline_that_means_several_is_refused(self, study, ask):
        study.fill({"lr": 0.1, "depth": 1}, LOW)
        study.fill({"lr": 0.1, "depth": 2}, LOW)
        with pytest.raises(ExptrackError, match=r"which baseline.* 2 configurations, 'depth=1', 'depth=2'"):
            ask(metric="accuracy", baseline="lr=0.1")

    def test_a_removed_run_is_left_out_and_counted(self, study, ask, repository):
        study.fill({"lr": 0.1}, LOW)
        Project(repository).remove("run-001")
        assert ask(metric="accuracy").configurations[0].sample.values.keys() == {"1", "2", "3"}


def test_what_was_only_executed_again_is_no_draw_unless_it_is_named(study, ask):
    study.declare(GOAL + EXPERIMENT)
    study.fill({"lr": 0.1}, LOW, experiment="rate")
    study.fill({"lr": 0.3}, HIGH, experiment="rate")
    before = ask(experiment="rate")
    for value in (0.1, 0.2):
        study.add({"lr": 0.3}, {"accuracy": value}, links=Links(reproduces="run-005"), experiment="rate")
    again = study.add({"lr": 0.3, "seed": 0}, {"accuracy": 0.3}, name="again", links=Links(reproduces="run-005"))
    found = ask(experiment="rate")
    assert found.configurations == before.configurations
    assert found.verdicts == before.verdicts
    assert "2 runs left out: they executed other runs again" in found.notes
    named = ask(again, metric="accuracy", baseline="lr=0.1")
    assert any(again in one.runs for one in named.configurations)
    asked = ask("reproduces = run-005", metric="accuracy", baseline="lr=0.1")
    assert sum("again" in one.runs for one in asked.configurations) == 1
    with pytest.raises(
        RevError, match="run 'again' only executes run-005 again: it counts where its whole name is given"
    ):
        ask("agai", metric="accuracy", baseline="lr=0.1")
