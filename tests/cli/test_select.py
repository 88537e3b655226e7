"""`exptrack select`: a choice, recorded, and confirmed by runs that took no part in it."""

from __future__ import annotations

import json
import shlex
import sys

import pytest
from experiments import SETTINGS, annotations, declare, follow, measure, once


@pytest.fixture
def screened(repository, exptrack, tmp_path_factory):
    """Three rates with three seeds each."""
    once(tmp_path_factory, repository, exptrack, [0.1, 0.2, 0.3])


def ask(exptrack, *words, command="select"):
    done = exptrack(command, "-e", "rate", "--json", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def obey(exptrack, commands):
    """Run the commands that were printed."""
    words = [shlex.split(command) for command in commands]
    assert {one[0] for one in words} == {"exptrack"}
    follow(exptrack, [one[1:] for one in words])


def test_the_best_is_chosen_and_that_is_recorded_with_all_runs(screened, repository, exptrack):
    given = ask(exptrack)
    assert (given["new"], given["chosen"]["configuration"], given["baseline"]) == (True, "lr=0.1", "lr=0.3")
    assert (given["chosen"]["among"], given["chosen"]["planned"], given["flags"]) == (3, 10, ["selected_on_this_split"])
    assert given["chosen"]["difference"] == pytest.approx(0.2, abs=0.01)
    assert 0 < given["chosen"]["noise"] < 0.01
    lines = [annotations(repository, f"r{lr}-{seed}", "selection") for lr in (1, 2, 3) for seed in range(3)]
    assert all(one == lines[0] for one in lines)
    [line] = lines[0]
    assert line["value"]["experiment"] == "rate"
    assert line["value"]["runs"] == ["r1-0", "r1-1", "r1-2"]
    assert line["value"]["baseline"] == ["r3-0", "r3-1", "r3-2"]


def test_the_commands_make_the_runs_that_confirm_it(screened, repository, exptrack):
    given = ask(exptrack, "--fresh", "3")
    assert given["commands"] == [
        f"exptrack run -e rate -- sh measure.sh lr={lr} seed={seed}" for lr in (0.1, 0.3) for seed in (3, 4, 5)
    ]
    obey(exptrack, given["commands"][:4])
    half = ask(exptrack)
    assert (half["new"], half["fresh"], half["commands"]) == (
        False,
        {"chosen": 3, "baseline": 1},
        given["commands"][4:],
    )
    assert half["confirmation"]["word"] == "not enough runs"
    assert half["flags"] == ["selected_on_this_split"]
    obey(exptrack, half["commands"])
    whole = ask(exptrack)
    assert (whole["fresh"], whole["commands"], whole["flags"]) == ({"chosen": 3, "baseline": 3}, [], [])
    confirmation = whole["confirmation"]
    assert (confirmation["word"], confirmation["n"], confirmation["among"]) == ("better", [3, 3], 1)
    assert len(annotations(repository, "r1-0", "selection")) == 1


def test_a_rerun_of_a_seed_and_other_configurations_confirm_nothing(screened, exptrack):
    ask(exptrack, "--fresh", "3")
    measure(exptrack, [0.2], [3, 4])
    done = exptrack("run", "-e", "rate", "--", "sh", "measure.sh", "lr=0.1", "seed=2")
    assert done.returncode == 0
    assert ask(exptrack)["fresh"] == {"chosen": 0, "baseline": 0}


def test_chosen_anew_the_runs_that_confirmed_take_part(screened, exptrack):
    given = ask(exptrack, "--fresh", "3")
    obey(exptrack, given["commands"])
    again = ask(exptrack, "--again", "--fresh", "4")
    assert (again["new"], again["fresh"], again["chosen"]["planned"]) == (True, {"chosen": 0, "baseline": 0}, 4)
    assert "seed=6" in again["commands"][0]


def test_it_is_told_to_people(screened, exptrack):
    assert exptrack("select", "-e", "rate", "--fresh", "3").returncode == 0
    done = exptrack("select", "-e", "rate")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "experiment rate: 3 configurations by accuracy (maximize)"
    assert lines[2].split() == ["configuration", "n", "mean", "SD"]
    assert [line.split()[0] for line in lines[3:6]] == ["lr=0.1", "lr=0.2", "lr=0.3"]
    assert lines[3].endswith("selected")
    assert lines[5].endswith("baseline")
    assert "noise alone makes the best of 3 look" in done.stdout
    assert "not confirmed yet: 0 of 3 fresh runs of it, 0 of 3 of the baseline" in lines
    assert lines[-1] == "  exptrack run -e rate -- sh measure.sh lr=0.3 seed=5"


def test_the_planned_number_of_seeds_counts_and_cannot_be_changed_later(repository, exptrack):
    declare(repository, SETTINGS + "    seeds: 4\n")
    measure(exptrack, [0.1, 0.3], range(3))
    assert ask(exptrack)["chosen"]["planned"] == 4
    done = exptrack("select", "-e", "rate", "--fresh", "3")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "exptrack: 4 fresh runs of each were planned when 'rate' was selected from: add --again to choose anew\n"
    )


def test_where_nothing_looks_better_the_baseline_is_chosen(repository, exptrack):
    declare(repository, SETTINGS.replace("baseline: {lr: 0.3}", "baseline: {lr: 0.1}"))
    measure(exptrack, [0.1, 0.3], range(3))
    done = exptrack("select", "-e", "rate")
    assert "that is the baseline: no configuration looks better, and there is nothing to confirm" in done.stdout
    assert "exptrack run" not in done.stdout
    assert ask(exptrack)["commands"] == []


def test_without_a_baseline_there_is_a_choice_and_no_verdict(repository, exptrack):
    declare(repository, SETTINGS.replace("    baseline: {lr: 0.3}\n", ""))
    measure(exptrack, [0.1, 0.3], range(3))
    given = ask(exptrack, "--fresh", "3")
    assert (given["chosen"]["configuration"], given["chosen"]["difference"]) == ("lr=0.1", None)
    assert len(given["commands"]) == 3
    obey(exptrack, given["commands"])
    assert (
        "not confirmed yet: 3 of 3 fresh runs of it; without a baseline there is no verdict"
        in exptrack("select", "-e", "rate").stdout
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-e", "rat"], "no experiment 'rat' in exptrack.yaml: did you mean 'rate'?"),
        (["-e", "rate"], "no run of the experiment rate yet: make one with `exptrack run -e rate -- COMMAND`"),
    ],
)
def test_without_an_experiment_or_a_run_it_says_what_to_do(repository, exptrack, words, message):
    declare(repository)
    done = exptrack("select", *words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"exptrack: {message}\n")


def test_single_runs_are_not_chosen_from(repository, exptrack, look):
    declare(repository)
    measure(exptrack, [0.1, 0.3], [0])
    before = look.refs("refs/notes")
    done = exptrack("select", "-e", "rate")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no configuration of 'rate' has three usable runs of accuracy" in done.stderr
    assert look.refs("refs/notes") == before


def test_a_metric_without_a_goal_cannot_be_selected_by(repository, exptrack):
    declare(
        repository, SETTINGS.replace("accuracy: {goal: maximize, min_effect: 0.01}", "accuracy: {min_effect: 0.01}")
    )
    measure(exptrack, [0.3], [0])
    done = exptrack("select", "-e", "rate")
    assert (done.returncode, done.stderr) == (
        2,
        "exptrack: no goal of accuracy is declared: write `accuracy: maximize` or `minimize` below `metrics` in exptrack.yaml\n",
    )


def test_failed_runs_are_counted_and_seeds_of_files_are_given_as_options(repository, exptrack):
    (repository / "train.py").write_text(
        "import yaml\nparams = yaml.safe_load(open('params.yaml'))\nprint('accuracy', params['seed'] % 3 / 100 - params['lr'], 'test', 0)\n"
    )
    declare(repository)
    (repository / "params.yaml").write_text("lr: 0.1\nseed: 0\n")
    words = [
        ["-S", f"lr={lr}", "--seed", str(seed), "--", sys.executable, "train.py"]
        for seed in range(3)
        for lr in (0.1, 0.3)
    ]
    follow(exptrack, [["run", "-e", "rate", *one] for one in words])
    given = ask(exptrack, "--fresh", "3")
    assert given["chosen"]["configuration"] == "lr=0.1"
    assert shlex.split(given["commands"][-1])[:8] == ["exptrack", "run", "-e", "rate", "-S", "lr=0.3", "--seed", "5"]
    obey(exptrack, given["commands"])
    assert ask(exptrack)["fresh"] == {"chosen": 3, "baseline": 3}


def test_of_folds_each_is_run_once_more(repository, exptrack):
    folds = "    pair_by: {fold: fold, test_share: 0.5}\n"
    declare(repository, SETTINGS + folds)
    words = [["sh", "measure.sh", f"lr={lr}", f"fold={fold}", "seed=0"] for lr in (0.1, 0.3) for fold in range(3)]
    follow(exptrack, [["run", "-e", "rate", "--", *one] for one in words])
    given = ask(exptrack)
    assert given["commands"] == [
        f"exptrack run -e rate -- sh measure.sh lr={lr} fold={fold} seed=1" for lr in (0.1, 0.3) for fold in range(3)
    ]
    obey(exptrack, given["commands"][:1])
    assert [command.split()[-2] for command in ask(exptrack)["commands"]] == [
        "fold=1",
        "fold=2",
        "fold=0",
        "fold=1",
        "fold=2",
    ]
