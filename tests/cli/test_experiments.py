"""`exptrack experiments`: what is planned, recorded and failed."""

import json
import shlex
import sys

import pytest

from exptrack.model.experiment import Experiment
from exptrack.model.experimentstate import ConfigurationState, ExperimentState, Progress
from exptrack.render.experiments import format_experiments

SETTINGS = """
metrics: {accuracy: maximize}
experiments:
  rate:
    hypothesis: a lower rate is better
    metric: accuracy
    variables: {lr: [0.25, 0.5]}
    baseline: {lr: 0.5}
    seeds: 2
    holdout: test
  deep: {metric: accuracy}
"""
TRAIN = """import json, sys
values = {"accuracy": 0.5, "test": 0.75}
if "nothing" not in sys.argv:
    json.dump(values, open("metrics.json", "w"))
sys.exit("fail" in sys.argv)
"""


@pytest.fixture
def project(repository):
    (repository / "exptrack.yaml").write_text(SETTINGS)
    (repository / "params.yaml").write_text("lr: 0.25\nseed: 1\n")
    (repository / "train.py").write_text(TRAIN)
    return repository


@pytest.fixture
def train(project, exptrack):
    def run(*options, words=(), status=0):
        done = exptrack("run", "-q", "-e", "rate", *options, "--", sys.executable, "train.py", *words)
        assert done.returncode == status, done.stderr

    return run


def ask(exptrack, *words):
    done = exptrack("experiments", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_before_the_first_run_all_is_planned(project, exptrack):
    assert ask(exptrack) == (
        "experiment  state        configurations  recorded  failed  metric    hypothesis\n"
        "rate        not started  2               0 of 4    0       accuracy  a lower rate is better\n"
        "deep        not started  1               0         0       accuracy  -\n"
    )


def test_runs_are_counted_by_configuration_and_seed(project, exptrack, train):
    train("--name", "one")
    train("--name", "again")
    train("--name", "failed", "-S", "seed=2", words=("fail",), status=1)
    train("--name", "silent", "-S", "seed=3", words=("nothing",))
    train("--name", "other", "-S", "lr=0.5")
    train("--name", "beyond", "--anyway", "-S", "lr=2")
    assert ask(exptrack, "rate") == (
        "experiment  rate\n"
        "state       incomplete\n"
        "hypothesis  a lower rate is better\n"
        "metric      accuracy\n"
        "variables   lr: 0.25, 0.5\n"
        "baseline    lr=0.5\n"
        "seeds       2 planned for each configuration\n"
        "alpha       0.05\n"
        "holdout     test, sealed\n"
        "\n"
        "configuration      planned  recorded  failed  repeated  without the metric\n"
        "lr=0.5 (baseline)  2        1         0       0         0\n"
        "lr=0.25            2        1         1       1         1\n"
        "\n"
        "runs that are none of its configurations:\n"
        "  beyond  lr=2 is none of 0.25, 0.5\n"
        "\n"
        "next: the missing runs, which `exptrack experiments rate --commands` prints\n"
    )
    assert "rate        incomplete   2               2 of 4    1 " in ask(exptrack)


def test_it_is_complete_when_each_configuration_has_its_runs(project, exptrack, train):
    for rate in ("0.25", "0.5"):
        for seed in ("1", "2"):
            train("-S", f"lr={rate}", "-S", f"seed={seed}")
    [rate] = json.loads(ask(exptrack, "rate", "--json"))
    assert rate["state"] == "complete"
    assert [one["recorded"] for one in rate["configurations"]] == [2, 2]
    removed = rate["configurations"][0]["runs"][0]
    assert exptrack("rm", "-y", removed).returncode == 0
    assert json.loads(ask(exptrack, "rate", "--json"))[0]["state"] == "incomplete"


def test_a_run_that_is_under_way_is_seen(project, exptrack):
    (project / "train.py").write_text(
        "import subprocess, sys\n"
        "done = subprocess.run([sys.executable, '-m', 'exptrack', 'experiments', 'rate', '--json'], capture_output=True, text=True)\n"
        "open('seen', 'w').write(done.stdout)\n"
    )
    assert exptrack("run", "-e", "rate", "--", sys.executable, "train.py").returncode == 0
    [rate] = json.loads((project / "seen").read_text())
    assert (rate["state"], [one["running"] for one in rate["configurations"]]) == ("running", [1, 0])


def test_a_name_that_only_runs_have_is_listed(project, exptrack):
    assert exptrack("run", "-q", "-e", "old", "--", sys.executable, "train.py").returncode == 0
    assert "old         not declared  -               1 " in ask(exptrack)
    assert ask(exptrack, "old") == (
        "experiment  old\n"
        "state       not declared\n"
        "runs        1, filed under a name that exptrack.yaml does not declare\n"
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (SETTINGS, "no experiment 'raet' in exptrack.yaml: did you mean 'rate'?"),
        ("", "no experiment 'raet' in exptrack.yaml: declare it below `experiments`"),
        ("experiments: {zzz: {}}", "no experiment 'raet' in exptrack.yaml: there is 'zzz'"),
    ],
)
def test_a_name_that_is_none_is_told(project, exptrack, settings, said):
    (project / "exptrack.yaml").write_text(settings)
    done = exptrack("experiments", "raet")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"exptrack: {said}\n")


def test_without_an_experiment_it_says_so(repository, exptrack):
    done = exptrack("experiments")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "exptrack: no experiment yet: declare one below `experiments` in exptrack.yaml\n"
    assert exptrack("experiments", "--json").stdout == "[]\n"


def test_a_wrong_declaration_is_one_line(project, exptrack):
    (project / "exptrack.yaml").write_text("experiments: {rate: {variables: {lr: 1}}}\n")
    done = exptrack("experiments")
    assert done.returncode == 2
    assert done.stderr == (
        "exptrack: exptrack.yaml: 'experiments.rate.variables.lr' must be a list of its values, such as [0.1, 0.01]\n"
    )


def test_a_huge_grid_is_no_burden(project, exptrack, train):
    values = ", ".join(map(str, range(100)))
    grid = ", ".join(f"{name}: [{values}]" for name in "abcdefgh")
    (project / "exptrack.yaml").write_text(f"experiments: {{rate: {{metric: accuracy, variables: {{{grid}}}}}}}\n")
    (project / "params.yaml").write_text("\n".join(f"{name}: 1" for name in "abcdefgh"))
    train()
    [rate] = json.loads(ask(exptrack, "rate", "--json"))
    assert (rate["grid"], len(rate["configurations"])) == (100**8, 1)
    assert f"{100**8 - 1:,} more configurations" in ask(exptrack, "rate")


def test_a_hypothesis_is_cut_to_the_width_of_the_terminal():
    declared = Experiment("rate", hypothesis="a lower rate is better than a higher one", metric="accuracy", seeds=2)
    some = ConfigurationState({}, planned=2, recorded=5)
    state = ExperimentState("rate", Progress.COMPLETE, declared, (some,), grid=1, runs=5)
    lines = format_experiments([state], width=84).splitlines()
    assert lines[1].startswith("rate        complete  1               5 (2 planned)  0       accuracy  a lower ")
    assert lines[1].endswith("…")
    assert max(map(len, lines)) <= 84
    assert format_experiments([state]).endswith("a lower rate is better than a higher one")


def test_the_missing_runs_are_printed_as_commands_that_a_shell_makes(project, exptrack):
    (project / "params.yaml").write_text("lr: 0.25\nseed: 1\n")
    printed = exptrack("experiments", "rate", "--commands", "--", sys.executable, "train.py", "--quiet")
    assert printed.returncode == 0, printed.stderr
    lines = printed.stdout.splitlines()
    assert [line.split(" -- ")[0] for line in lines] == [
        f"exptrack run -e rate -S lr={lr} --seed {seed}" for lr in (0.25, 0.5) for seed in (0, 1)
    ]
    for line in lines:
        assert exptrack(*shlex.split(line)[1:]).returncode == 0
    done = exptrack("experiments", "rate", "--commands")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "exptrack: all planned runs of rate are recorded or under way\n"
    assert exptrack("experiments", "rate").stdout.endswith("\nnext: `exptrack compare -e rate`\n")
    refused = exptrack("experiments", "--commands")
    assert (refused.returncode, refused.stderr) == (
        2, "exptrack: --commands needs the name of an experiment: `exptrack experiments NAME --commands`\n"
    )  # fmt: skip


def test_a_run_that_was_only_executed_again_is_no_planned_run(train, exptrack):
    train("--name", "first")
    before = exptrack("experiments", "rate").stdout
    assert exptrack("reproduce", "first").returncode == 0
    assert exptrack("experiments", "rate").stdout == before
