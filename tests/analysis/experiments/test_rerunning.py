"""The command line that runs a configuration once more."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime

import pytest

from exptrack.analysis.experiments.rerunning import write_rerun
from exptrack.model.data import Pointer
from exptrack.model.run import Record, Status


def record(command="", **more):
    return Record(
        "one", Status.COMPLETED, datetime(2026, 11, 1, tzinfo=UTC), command=tuple(shlex.split(command)), **more
    )


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python a.py --lr 0.1 --seed 3", "python a.py --lr 0.1 --seed 9"),
        ("python a.py --seed=3 --lr 3", "python a.py --seed=9 --lr 3"),
        ("python a.py seed=3 lr=0.1", "python a.py seed=9 lr=0.1"),
        ("python a.py --seed 1 --seed 3", "python a.py --seed 1 --seed 9"),
    ],
)
def test_a_seed_in_the_words_is_replaced_there(command, expected):
    one = record(command, params={"args": {"lr": 0.1, "seed": 3}}, seed=3)
    assert write_rerun(one, 9, "e", {"lr": 0.1}) == f"exptrack run -e e -- {expected}"


def test_a_seed_of_a_file_is_given_as_an_option():
    one = record("python a.py", params={"params.yaml": {"lr": 0.1, "seed": 3}}, seed=3, overrides=("lr=0.1", "seed=3"))
    assert write_rerun(one, 9, "e", {"lr": 0.1}) == "exptrack run -e e -S lr=0.1 --seed 9 -- python a.py"


def test_variables_of_files_are_given_and_those_of_words_are_not():
    params = {"params.yaml": {"model": {"depth": 3, "kind": "1e5"}, "lr": 0.5}}
    one = record("python a.py --lr 0.5", params=params)
    told = write_rerun(one, 9, "my e", {"model.depth": 3, "model.kind": "1e5", "lr": 0.5, "other": 1})
    assert shlex.split(told) == [
        "exptrack", "run", "-e", "my e", "-S", "model.depth=3", "-S", 'model.kind="1e5"', "--seed", "9", "--", "python", "a.py", "--lr", "0.5",
    ]  # fmt: skip


def test_a_pipeline_has_no_command_and_outputs_are_kept_again():
    assert write_rerun(record(stages=()), 1, "e", {}) == "exptrack run -e e --seed 1"
    one = record("./train", outputs=(Pointer("model.npz", "ab12"),))
    assert write_rerun(one, 1, "e", {}) == "exptrack run -e e --seed 1 -o model.npz -- ./train"


def test_the_parameter_that_is_named_as_the_seed_counts():
    one = record("./train --init 3 --seed 5", params={"args": {"init": 3, "seed": 5}}, seed=3)
    assert write_rerun(one, 7, "e", {}, "init") == "exptrack run -e e -- ./train --init 7 --seed 5"
