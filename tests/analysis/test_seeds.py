"""The seed is found where people write it."""

from __future__ import annotations

import pytest

from exptrack.analysis.seeds import find_seed, find_seed_key


@pytest.mark.parametrize(
    ("params", "seed"),
    [
        ({"params.yaml": {"seed": 7}}, 7),
        ({"params.yaml": {"random_state": 0}}, 0),
        ({"params.yaml": {"random_seed": -1}}, -1),
        ({"params.yaml": {"train": {"seed": "abc"}}}, "abc"),
        ({"params.yaml": {"model": {"random_state": 3}}, "args": {"lr": 1}}, 3),
        ({"params.yaml": {"lr": 1}}, None),
        ({}, None),
        ({"params.yaml": {"seed": None}}, None),
        ({"params.yaml": {"seed": True}}, None),
        ({"params.yaml": {"seed": 1.5}}, None),
        ({"params.yaml": {"seed": [1, 2]}}, None),
        ({"params.yaml": {"seeds": 5, "seeded": 6}}, None),
        ({"params.yaml": {"seed": {"data": 1}}}, None),
    ],
)
def test_a_seed_has_a_usual_name(params, seed):
    assert find_seed(params, None) == seed


@pytest.mark.parametrize(
    ("params", "named", "key"),
    [
        ({"a.yaml": {"train": {"seed": 1}, "lr": 1}}, None, "train.seed"),
        ({"a.yaml": {"train": {"seed": 1}, "lr": 1}}, "lr", "lr"),
        ({"a.yaml": {"train": {"seed": 1}}}, "seed", None),
        ({"a.yaml": {"folds": [{"seed": 1}]}}, None, "folds.0.seed"),
        ({"a.yaml": {"seed": None}}, None, None),
    ],
)
def test_it_has_a_name(params, named, key):
    assert find_seed_key(params, named) == key


def test_the_shortest_name_counts_first_and_then_the_first_by_name():
    assert find_seed({"a.yaml": {"train": {"seed": 1}, "seed": 2, "random_state": 3}}, None) == 2
    assert find_seed({"a.yaml": {"train": {"seed": 1}, "data": {"seed": 4}, "random_state": 3}}, None) == 3
    assert find_seed({"a.yaml": {"train": {"seed": 1}, "data": {"seed": 4}}}, None) == 4


def test_one_that_is_no_seed_does_not_hide_another():
    assert find_seed({"a.yaml": {"seed": None, "train": {"seed": 1}}}, None) == 1


def test_a_named_parameter_counts_alone():
    params = {"params.yaml": {"seed": 1, "init": {"rng": 2}}}
    assert find_seed(params, "init.rng") == 2
    assert find_seed(params, "init.other") is None


def test_what_the_command_line_gave_counts():
    assert find_seed({"params.yaml": {"lr": 1}, "args": {"seed": 9}}, None) == 9
