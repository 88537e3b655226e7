"""`exptrack run -e`: a run of an experiment has the parameters that this declares."""

import json
import sys

import pytest

SETTINGS = """
experiments:
  rate:
    hypothesis: a lower rate is better
    metric: accuracy
    variables: {lr: [0.25, 0.5]}
    static: {depth: 3}
    seeds: 3
"""
TRAIN = (sys.executable, "train.py")


@pytest.fixture
def project(repository):
    (repository / "exptrack.yaml").write_text(SETTINGS)
    return repository


def test_a_run_within_is_filed_without_a_word(project, exptrack):
    done = exptrack("run", "-e", "rate", "-q", "--", *TRAIN)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(exptrack("show", "--json").stdout)["experiment"] == "rate"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-S", "lr=0.1"), "lr=0.1 is none of 0.25, 0.5"),
        (("-S", "+depth=4"), "depth=4 where 3 is declared"),
    ],
)
def test_a_run_outside_is_refused_before_it_starts(project, exptrack, git, words, said):
    done = exptrack("run", "-e", "rate", *words, "--", *TRAIN)
    assert done.returncode == 125
    assert done.stderr == (
        f"exptrack: outside of the experiment 'rate': {said}; declare it in exptrack.yaml, "
        "or say --anyway and the run is filed under it all the same\n"
    )
    assert git("for-each-ref", "refs/exptrack", cwd=project) == ""
    assert exptrack("status").stdout == "nothing runs, and nothing waits for recovery\n"
    assert not (project / "metrics.json").exists()


def test_anyway_it_runs_and_both_the_user_and_the_record_hear_of_it(project, exptrack):
    (project / "params.yaml").write_text("lr: 0.125\n")
    done = exptrack("run", "-e", "rate", "--anyway", "-q", "--", *TRAIN)
    line = "outside of the experiment 'rate': lr=0.125 is none of 0.25, 0.5"
    assert done.returncode == 0
    assert line in done.stderr
    assert json.loads(exptrack("show", "--json").stdout)["problems"] == [line]


def test_a_variable_that_the_run_does_not_have_is_told(project, exptrack):
    (project / "exptrack.yaml").write_text("experiments: {deep: {metric: accuracy, variables: {depth: [1, 2]}}}\n")
    done = exptrack("run", "-e", "deep", "-q", "--", *TRAIN)
    assert done.returncode == 0
    assert "varies depth, which is no parameter of this run: its configuration is not known" in done.stderr


def test_a_wrong_name_is_told_and_the_run_goes_on(project, exptrack):
    done = exptrack("run", "-e", "rates", "-q", "--", *TRAIN)
    assert done.returncode == 0
    assert "exptrack.yaml declares no experiment 'rates': did you mean 'rate'?" in done.stderr


def test_a_rerun_is_as_the_run_was_whatever_is_declared_by_now(project, exptrack):
    assert exptrack("run", "-e", "rate", "--name", "one", "--", *TRAIN).returncode == 0
    (project / "exptrack.yaml").write_text(SETTINGS.replace("0.25, ", ""))
    assert exptrack("reproduce", "one", "--require", "exact").returncode == 0


def test_anyway_without_an_experiment_means_nothing(project, exptrack):
    done = exptrack("run", "--anyway", "--", *TRAIN)
    assert (done.returncode, done.stderr) == (
        125,
        "exptrack: --anyway is about the parameters of an experiment: name it with -e\n",
    )
