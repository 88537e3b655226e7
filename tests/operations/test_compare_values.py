"""Comparing the runs of a repository: which values count, how they are tested, and what is said of bad input."""

from __future__ import annotations

import math
import re

import pytest
from studies import EXPERIMENT, GOAL, HIGH, LOW, MIDDLE

from exptrack.errors import ExptrackError, RevError, SettingsError
from exptrack.model.comparison import Word
from exptrack.model.data import Pointer
from exptrack.model.pipeline import StageRun, StageState
from exptrack.model.run import Status


def words_of(comparison):
    return {one.label: one.word for one in comparison.verdicts}


class TestValues:
    def test_the_best_of_a_history_or_a_step_counts(self, study, ask):
        history = b"timestamp\tstep\taccuracy\n1\t0\t0.5\n2\t1\t0.9\n3\t2\t0.8\n"
        for seed in range(3):
            study.add({"seed": seed}, {"accuracy": 0.8}, files={".exptrack/history/accuracy.tsv": history})
        assert ask(metric="accuracy", step="best").configurations[0].mean == 0.9
        assert ask(metric="accuracy", step=0).configurations[0].mean == 0.5
        with pytest.raises(ExptrackError, match="no run has accuracy at step 7"):
            ask(metric="accuracy", step=7)

    def test_other_data_of_the_evaluation_is_not_compared(self, study, ask):
        study.declare("metrics:\n  accuracy: {goal: maximize, evaluated_on: [data/test.csv]}\n")
        old, new = (Pointer("data/test.csv", digest) for digest in ("ab" * 16, "cd" * 16))
        study.fill({"lr": 0.1}, LOW, data=(old,))
        study.fill({"lr": 0.2}, HIGH, data=(new,))
        study.fill({"lr": 0.3}, HIGH)
        found = ask(metric="accuracy", baseline="lr=0.1")
        assert words_of(found) == {"lr=0.2": Word.NOT_COMPARABLE, "lr=0.3": Word.NOT_COMPARABLE}
        lines = {one.label: one.line for one in found.verdicts}
        assert lines["lr=0.2"] == "not comparable: evaluated on different data/test.csv"
        assert "it is not known what data/test.csv was" in lines["lr=0.3"]
        forced = ask(metric="accuracy", baseline="lr=0.1", is_forced=True)
        assert all(one.difference is not None and one.word is not Word.BETTER for one in forced.verdicts)

    def test_a_file_of_the_evaluation_that_git_has_is_known(self, study, ask):
        study.declare("metrics:\n  accuracy: {goal: maximize, evaluated_on: test.csv}\n")
        (study.folder / "test.csv").write_text("1\n")
        study.commit("a test")
        study.fill({"lr": 0.1}, LOW)
        study.fill({"lr": 0.2}, HIGH)
        assert words_of(ask(metric="accuracy", baseline="lr=0.1")) == {"lr=0.2": Word.BETTER}
        (study.folder / "test.csv").write_text("2\n")
        study.commit("another test")
        study.fill({"lr": 0.3}, HIGH)
        assert words_of(ask(metric="accuracy", baseline="lr=0.1"))["lr=0.3"] is Word.NOT_COMPARABLE

    def test_other_training_data_is_named(self, study, ask):
        old, new = (Pointer("data/train.csv", digest) for digest in ("ab" * 16, "cd" * 16))
        study.fill({"lr": 0.1}, LOW, data=(old,))
        study.fill({"lr": 0.2}, HIGH, data=(new,))
        [verdict] = ask(metric="accuracy", baseline="lr=0.1").verdicts
        assert (verdict.word, "differs from the baseline in data/train.csv, too" in verdict.notes) == (
            Word.BETTER,
            True,
        )


class TestDesign:
    def test_folds_are_corrected_for_what_their_training_data_shares(self, study, ask):
        study.declare(
            "metrics:\n  accuracy: maximize\nexperiments:\n  cv:\n    metric: accuracy\n    variables: {model: [a, b]}\n"
            "    baseline: {model: a}\n    pair_by: {fold: fold, test_share: 0.25}\n"
        )
        for fold, (one, other) in enumerate(
            zip([0.8, 0.82, 0.79, 0.81, 0.8], [0.83, 0.84, 0.8, 0.84, 0.81], strict=True)
        ):
            study.add({"model": "a", "fold": fold}, {"accuracy": one}, experiment="cv")
            study.add({"model": "b", "fold": fold}, {"accuracy": other}, experiment="cv")
        [verdict] = ask(experiment="cv").verdicts
        # t = .02/sqrt(.0001*(1/5+.25)) = 2.981 with 4 degrees of freedom, where the plain paired t test has 4.472 and p=.011.
        assert (verdict.test, round(verdict.p, 4), verdict.n) == ("Nadeau-Bengio", 0.0407, (5, 5))

    def test_datasets_are_ranked(self, study, ask):
        study.declare(
            "metrics:\n  accuracy: maximize\nexperiments:\n  sets:\n    metric: accuracy\n    variables: {model: [a, b]}\n"
            "    baseline: {model: a}\n    pair_by: {dataset: data}\n"
        )
        for place in range(6):
            for seed in range(2):
                study.add({"model": "a", "data": f"d{place}", "seed": seed}, {"accuracy": 0.5}, experiment="sets")
                study.add(
                    {"model": "b", "data": f"d{place}", "seed": seed},
                    {"accuracy": 0.6 + place / 100},
                    experiment="sets",
                )
        found = ask(experiment="sets")
        [verdict] = found.verdicts
        # Six of six in one direction: 2/2**6.
        assert (verdict.word, verdict.test, verdict.p, verdict.n) == (Word.BETTER, "Wilcoxon", 0.03125, (6, 6))
        better, _ = found.described
        assert better == (
            "model=b: described, not tested: interquartile mean 0.625 [95% stratified bootstrap CI 0.625, 0.625] of 12 runs on 6 datasets; "
            "a run is better than one of the baseline in 100% of cases"
        )

    def test_dunnett_only_where_it_was_declared_before_the_first_run(self, study, ask):
        declared = GOAL + EXPERIMENT
        study.declare(declared + "    noise: common\n")
        for lr, values in ((0.1, LOW), (0.2, MIDDLE), (0.3, HIGH)):
            study.fill({"lr": lr}, values, experiment="rate")
        assert {one.test for one in ask(experiment="rate").verdicts} == {"Dunnett"}
        study.declare(declared)
        assert {one.test for one in ask(experiment="rate").verdicts} == {"Welch"}

    def test_dunnett_that_was_declared_later_is_welch(self, study, ask):
        study.declare(GOAL + EXPERIMENT)
        for lr, values in ((0.1, LOW), (0.2, MIDDLE), (0.3, HIGH)):
            study.fill({"lr": lr}, values, experiment="rate")
        study.declare(GOAL + EXPERIMENT + "    noise: common\n")
        found = ask(experiment="rate")
        assert {one.test for one in found.verdicts} == {"Welch"}
        assert "noise: common, was unequal" in found.rules.changed

    def test_a_pipeline_that_ran_nothing_anew_is_no_replicate(self, study, ask):
        for state in (StageState.RAN, StageState.SKIPPED, StageState.SKIPPED):
            stage = StageRun("train", state, "python train.py", 1.0, 1.0, {"train.py": "md5:00"}, {"model": "md5:01"})
            study.add({"lr": 0.1}, {"accuracy": 0.5}, stages=(stage,))
        found = ask(metric="accuracy")
        assert [len(one.runs) for one in found.configurations] == [1]
        assert "2 runs left out: no stage was run anew, so the result is that of an earlier run" in found.notes


class TestBadInput:
    def test_no_run(self, study, ask):
        with pytest.raises(ExptrackError, match="no run yet"):
            ask()

    def test_one_run(self, study, ask):
        study.add({"lr": 0.1}, {"accuracy": 0.5})
        study.add({"lr": 0.2}, {"accuracy": 0.6})
        [verdict] = ask(metric="accuracy", baseline="lr=0.1").verdicts
        assert (verdict.word, verdict.p) == (Word.NOT_ENOUGH, None)

    def test_an_unknown_metric_names_the_nearest(self, study, ask):
        study.fill({"lr": 0.1}, LOW)
        with pytest.raises(ExptrackError, match="no run has the metric 'acuracy': did you mean 'accuracy'"):
            ask(metric="acuracy")

    def test_several_metrics_and_none_named(self, study, ask):
        study.add({"lr": 0.1}, {"accuracy": 0.5, "loss": 1})
        with pytest.raises(ExptrackError, match=r"by which metric.* accuracy, loss"):
            ask()

    def test_an_unknown_experiment_names_the_nearest(self, study, ask):
        study.declare(GOAL + EXPERIMENT)
        study.fill({"lr": 0.1}, LOW, experiment="rate")
        with pytest.raises(ExptrackError, match=r"no experiment 'rat' in exptrack.yaml: did you mean 'rate'"):
            ask(experiment="rat")
        with pytest.raises(ExptrackError, match=r"no experiment '' in exptrack.yaml: there is 'rate'"):
            ask(experiment="")

    def test_an_experiment_without_runs(self, study, ask):
        study.declare(GOAL + EXPERIMENT)
        study.fill({"lr": 0.1}, LOW)
        with pytest.raises(ExptrackError, match="no run of the experiment rate yet"):
            ask(experiment="rate")

    def test_a_baseline_that_is_none(self, study, ask):
        study.fill({"lr": 0.1}, LOW)
        study.fill({"lr": 0.2}, HIGH)
        for asked, said in (
            ("lr=7", "no configuration has lr=7: lr is 0.1 or 0.2"),
            ("llr=7", "no configuration has llr=7: none has the parameter 'llr', did you mean 'lr'?"),
            ("lr=", "no configuration has lr=null: lr is 0.1 or 0.2"),
        ):
            with pytest.raises(ExptrackError, match=re.escape(f"no baseline: {said}")):
                ask(metric="accuracy", baseline=asked)
        with pytest.raises(RevError, match="nobody"):
            ask(metric="accuracy", baseline="nobody")
        with pytest.raises(ExptrackError, match="cannot be read"):
            ask(metric="accuracy", baseline="lr=1,x")

    def test_an_unknown_key_of_compare_names_the_known_one(self, study, ask):
        study.declare(f"{GOAL}compare: {{cod: [src]}}\n")
        study.fill({"lr": 0.1}, LOW)
        with pytest.raises(SettingsError, match=r"unknown key 'compare\.cod', did you mean 'code'\?"):
            ask(metric="accuracy")

    def test_no_candidate(self, study, ask):
        study.fill({"lr": 0.1}, LOW)
        found = ask(metric="accuracy", baseline="lr=0.1")
        assert (found.verdicts, found.notes) == (
            (),
            ("no candidate, so no verdict: all runs that are compared are of the baseline",),
        )

    def test_what_diverged_in_each_run_is_not_left_out(self, study, ask):
        study.fill({"lr": 0.1}, LOW)
        study.fill({"lr": 9}, [math.nan] * 3)
        study.fill({"kind": "other"}, LOW, metric="loss")
        found = ask(metric="accuracy", baseline="lr=0.1")
        assert [(one.label, one.word) for one in found.verdicts] == [("lr=9", Word.NOT_ENOUGH)]
        assert "1 configuration without accuracy left out" in found.notes

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, True])
    def test_what_is_no_finite_number_is_missing(self, study, ask, value):
        study.fill({"lr": 0.1}, LOW)
        study.fill({"lr": 0.2}, [*HIGH, value])
        found = ask(metric="accuracy", baseline="lr=0.1")
        assert {one.label: one.sample.missing for one in found.configurations} == {"lr=0.1": 0, "lr=0.2": 1}

    def test_a_baseline_that_failed(self, study, ask):
        study.fill({"lr": 0.1}, LOW, status=Status.FAILED)
        study.fill({"lr": 0.2}, HIGH)
        [verdict] = ask(metric="accuracy", baseline="lr=0.1").verdicts
        assert (verdict.word, verdict.p) == (Word.NOT_ENOUGH, None)

    def test_constants(self, study, ask):
        study.fill({"lr": 0.1}, [0.5] * 4)
        study.fill({"lr": 0.2}, [0.5] * 4)
        study.fill({"lr": 0.3}, [0.75] * 4)
        found = ask(metric="accuracy", baseline="lr=0.1")
        assert words_of(found) == {"lr=0.2": Word.IDENTICAL, "lr=0.3": Word.DETERMINISTIC}
        assert {one.p for one in found.verdicts} == {None}

    def test_a_goal_that_is_not_declared(self, study, ask):
        for lr, values in ((0.1, LOW), (0.2, HIGH)):
            study.fill({"lr": lr}, values, metric="f1")
        found = ask(metric="f1", baseline="lr=0.1")
        assert words_of(found) == {"lr=0.2": Word.WITHHELD}
        assert any(line.startswith("no goal of f1 is declared") for line in found.notes)

    def test_a_metric_that_is_sealed(self, study, ask):
        study.declare("metrics:\n  accuracy: {goal: maximize, holdout: true}\n")
        study.fill({"lr": 0.1}, LOW)
        with pytest.raises(ExptrackError, match="metric 'accuracy' is sealed"):
            ask(metric="accuracy")

    def test_runs_of_something_else_are_left_out_and_counted(self, study, ask):
        study.fill({"lr": 0.1}, LOW)
        study.add({"rows": 7}, {"cleaned": 12})
        found = ask(metric="accuracy")
        assert len(found.configurations) == 1
        assert "1 configuration without accuracy left out" in found.notes
