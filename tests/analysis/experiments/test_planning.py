"""The command lines of the runs that an experiment still lacks."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta

import pytest

from exptrack.analysis.experiments.planning import write_missing
from exptrack.analysis.experiments.states import describe_experiment
from exptrack.errors import ExptrackError
from exptrack.model.experiment import Experiment, Pairing
from exptrack.model.experimentstate import ExperimentState, Progress
from exptrack.model.run import Record, Status

RATES = Experiment("rates", metric="accuracy", variables={"lr": (0.1, 0.2)}, seeds=2)
PLAIN = ("python", "train.py")


def make(lr, seed, command=PLAIN, status=Status.COMPLETED, minute=0, source="params.yaml"):
    return Record(
        f"run-{lr}-{seed}",
        status,
        datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=minute),
        command=command,
        seed=seed,
        params={source: {"lr": lr}},
        metrics={"accuracy": 1.0} if status is Status.COMPLETED else {},
        experiment="rates",
    )


def plan(records=(), command=(), experiment=RATES, running=()):
    state = describe_experiment(experiment, list(records), list(running))
    return write_missing(state, {one.name: one for one in records}, command)


def test_all_configurations_get_the_same_seeds_and_the_command_that_is_given():
    assert plan(command=PLAIN) == tuple(
        f"exptrack run -e rates -S lr={lr} --seed {seed} -- python train.py" for lr in (0.1, 0.2) for seed in (0, 1)
    )


def test_what_is_recorded_or_under_way_is_left_out_and_its_seeds_come_first():
    found = plan([make(0.1, 7)], PLAIN, running=[make(0.2, 3)])
    assert found == (
        "exptrack run -e rates -S lr=0.1 --seed 0 -- python train.py",
        "exptrack run -e rates -S lr=0.2 --seed 7 -- python train.py",
    )
    assert plan([make(lr, seed) for lr in (0.1, 0.2) for seed in (0, 1)], PLAIN) == ()


def test_a_seed_that_failed_is_not_tried_again():
    found = plan([make(0.1, 0, status=Status.FAILED), make(0.1, 1)], PLAIN)
    assert [line for line in found if "lr=0.1" in line] == [
        "exptrack run -e rates -S lr=0.1 --seed 2 -- python train.py"
    ]


def test_without_a_command_runs_are_made_as_those_before_them():
    words = ("python", "train.py", "--lr", "0.1", "--seed", "5")
    first = make(0.1, 5, words, source="args")._replace(params={"args": {"lr": 0.1, "seed": 5}})
    again = plan([first], experiment=RATES._replace(variables={"lr": (0.1,)}))
    assert again == ("exptrack run -e rates -- python train.py --lr 0.1 --seed 0",)
    assert plan([make(0.1, 0), make(0.1, 1)]) == tuple(
        f"exptrack run -e rates -S lr=0.2 --seed {seed} -- python train.py" for seed in (0, 1)
    )


def test_values_are_spelled_so_that_a_shell_and_run_read_them_back():
    odd = RATES._replace(variables={"name": ("a b", "7", 7, "it's", None, True)}, seeds=1)
    values = [shlex.split(line)[5] for line in plan(command=("sh", "-c", "echo $HOME"), experiment=odd)]
    assert values == ["name=a b", 'name="7"', "name=7", "name=it's", "name=null", "name=true"]
    assert shlex.split(plan(command=("sh", "-c", "echo $HOME"), experiment=odd)[0])[-1] == "echo $HOME"


@pytest.mark.parametrize(
    ("experiment", "records", "said"),
    [
        (RATES, (), "no run of rates says which command is to be run: give it"),
        (RATES, (make(0.1, 0, source="args"),), "the command of run-0.1-0 gives lr itself"),
        (RATES._replace(seeds=None), (), "no number of runs is planned for rates: write `seeds: 5`"),
        (RATES._replace(pair_by=Pairing.FOLD, pair_key="fold"), (), "the runs of rates are of each fold"),
    ],
)
def test_what_cannot_be_planned_is_told(experiment, records, said):
    with pytest.raises(ExptrackError, match=said):
        plan(records, experiment=experiment)


def test_an_experiment_that_is_not_declared_plans_nothing():
    with pytest.raises(ExptrackError, match="does not declare the experiment other, so no run of it is planned"):
        write_missing(ExperimentState("other", Progress.NOT_DECLARED), {})
