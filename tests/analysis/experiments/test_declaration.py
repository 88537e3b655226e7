"""Experiments: what `exptrack.yaml` may declare, what it says when it declares something else, and which runs are theirs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.experiments.declaration import (
    canonical,
    configuration_of,
    find_missing,
    find_outside,
    is_configuration,
    parse_experiments,
)
from exptrack.analysis.yaml12 import load_yaml
from exptrack.errors import SettingsError
from exptrack.model.experiment import Experiment, Noise, Pairing, Predictions
from exptrack.model.tree import nest

FULL = """
optimisers:
  hypothesis: Adam beats SGD
    on the digits
  metric: accuracy
  secondary: [loss]
  variables: {model.kind: [linear, mlp], train: {optimiser: [sgd, adam], epochs: [5, 10, 20]}}
  static: {train.batch_size: 32}
  seeds: 5
  baseline: {model.kind: linear, train: {optimiser: sgd}, train.epochs: 5}
  pair_by: seed
  alpha: 0.01
  looks: [3, 5, 10]
  holdout: test_accuracy
  predictions: {path: predictions.csv, id: row, label: digit, prediction: guess, holdout: true}
"""


def parse(text):
    return parse_experiments(load_yaml(text))


def only(body):
    return parse(f"e: {body}")["e"]


def test_a_full_declaration_is_read_key_by_key():
    assert parse(FULL) == {
        "optimisers": Experiment(
            "optimisers",
            "accuracy",
            "Adam beats SGD on the digits",
            ("loss",),
            {"model.kind": ("linear", "mlp"), "train.optimiser": ("sgd", "adam"), "train.epochs": (5, 10, 20)},
            {"train.batch_size": 32},
            5,
            {"model.kind": "linear", "train.optimiser": "sgd", "train.epochs": 5},
            Pairing.SEED,
            alpha=0.01,
            looks=(3, 5, 10),
            holdout="test_accuracy",
            predictions=Predictions("predictions.csv", "row", "digit", "guess", holdout=True),
        )
    }


def test_what_is_not_said_has_its_default():
    assert parse_experiments({}) == {}
    assert only("") == only("{}") == Experiment("e")
    assert only("{baseline: main}").baseline == "main"
    assert only("{secondary: loss}").secondary == ("loss",)
    assert only("{noise: common}").noise is Noise.COMMON
    assert only("{predictions: a.csv}").predictions == Predictions("a.csv")
    assert only("{pair_by: none}").pair_by is Pairing.NONE
    fold = only("{pair_by: {fold: data.fold, test_share: 0.25}}")
    assert (fold.pair_by, fold.pair_key, fold.test_share) == (Pairing.FOLD, "data.fold", 0.25)
    dataset = only("{pair_by: {dataset: data.name}}")
    assert (dataset.pair_by, dataset.pair_key, dataset.test_share) == (Pairing.DATASET, "data.name", None)
    assert only("{variables: {layers: [[64], [64, 32]]}}").variables == {"layers": ([64], [64, 32])}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[]", "'experiments.e' must be a mapping"),
        ("{hypotesis: a}", "unknown key 'experiments.e.hypotesis', did you mean 'hypothesis'?"),
        ("{metric: 1}", "'experiments.e.metric' must be a text"),
        ("{secondary: [1]}", "'experiments.e.secondary' must be a list of texts"),
        ("{metric: a, secondary: [a]}", "'experiments.e.secondary' must be other metrics than 'experiments.e.metric'"),
        ("{variables: {lr: 0.1}}", "'experiments.e.variables.lr' must be a list of its values, such as [0.1, 0.01]"),
        ("{variables: {lr: []}}", "'experiments.e.variables.lr' must be a list of its values, such as [0.1, 0.01]"),
        ("{variables: {lr: [1, 1.0]}}", "'experiments.e.variables.lr' must be a list of different values: 1.0 is in it twice"),
        ("{variables: {seed: [1, 2]}}", "'experiments.e.variables.seed' must be left out: runs with other seeds are replicates, and experiments.e.seeds is their number"),
        ("{variables: {lr: [1]}, static: {lr: 1}}", "'experiments.e.static.lr' must be left out: it is among 'experiments.e.variables'"),
        ("{seeds: 0}", "'experiments.e.seeds' must be a whole number from 1"),
        ("{seeds: [1, 2]}", "'experiments.e.seeds' must be a whole number from 1"),
        ("{baseline: 3}", "'experiments.e.baseline' must be values of variables, or a run, branch or commit"),
        ("{baseline: {}}", "'experiments.e.baseline' must be values of variables, or a run, branch or commit"),
        ("{variables: {lr: [1]}, baseline: {lrr: 1}}", "unknown key 'experiments.e.baseline.lrr', did you mean 'lr'?"),
        ("{variables: {lr: [1, 2]}, baseline: {lr: 3}}", "'experiments.e.baseline.lr' must be one of 1, 2"),
        ("{variables: {lr: [1], b: [1, 2]}, baseline: {lr: 1}}", "'experiments.e.baseline.b' must be given: 1 or 2"),
        ("{pair_by: sed}", "'experiments.e.pair_by' must be none, seed, or a mapping such as {fold: data.fold, test_share: 0.25}, {dataset: data.name} or {split: data.split}"),
        ("{pair_by: fold}", "'experiments.e.pair_by' must be none, seed, or a mapping such as {fold: data.fold, test_share: 0.25}, {dataset: data.name} or {split: data.split}"),
        ("{pair_by: {fold: f, split: s}}", "'experiments.e.pair_by' must be none, seed, or a mapping such as {fold: data.fold, test_share: 0.25}, {dataset: data.name} or {split: data.split}"),
        ("{pair_by: {folds: f}}", "unknown key 'experiments.e.pair_by.folds', did you mean 'fold'?"),
        ("{pair_by: {fold: }}", "'experiments.e.pair_by.fold' must be the name of a parameter, such as data.fold"),
        ("{pair_by: {fold: f}}", "'experiments.e.pair_by.test_share' must be the test data's size over the training data's, more than 0, such as 0.25 for 5 folds"),
        ("{pair_by: {dataset: f, test_share: 1}}", "unknown key 'experiments.e.pair_by.test_share', known are dataset"),
        ("{pair_by: {split: f, test_share: 0}}", "'experiments.e.pair_by.test_share' must be the test data's size over the training data's, more than 0, such as 0.25 for 5 folds"),
        ("{alpha: 0.5}", "'experiments.e.alpha' must be a number from 0.000001 and below 0.5, such as 0.05"),
        ("{alpha: 0.0}", "'experiments.e.alpha' must be a number from 0.000001 and below 0.5, such as 0.05"),
        ("{alpha: 1e-300}", "'experiments.e.alpha' must be a number from 0.000001 and below 0.5, such as 0.05"),
        ("{baseline: {lr: 1}}", "'experiments.e.baseline' must be a run, branch or commit: there are no variables ('experiments.e.variables') that it could have values of"),
        ("{predictions: 3}", "'experiments.e.predictions' must be the path of a file, such as predictions.csv, or a mapping of path, id, label and prediction"),
        ("{looks: [2, 5]}", "'experiments.e.looks' must be a list of numbers of runs from 3 that grow, such as [3, 5, 10]"),
        ("{looks: [5, 5]}", "'experiments.e.looks' must be a list of numbers of runs from 3 that grow, such as [3, 5, 10]"),
        ("{noise: comon}", "'experiments.e.noise' must be unequal or common"),
        ("{noise: common, pair_by: seed}", "'experiments.e.noise' must be left out: runs are compared by pairs ('experiments.e.pair_by')"),
        ("{predictions: {id: a}}", "'experiments.e.predictions.path' must be the path of the file, such as predictions.csv"),
        ("{predictions: {paht: a}}", "unknown key 'experiments.e.predictions.paht', did you mean 'path'?"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named_in_one_line(body, message):
    with pytest.raises(SettingsError) as caught:
        only(body)
    assert str(caught.value) == f"exptrack.yaml: {message}"


def test_an_experiment_has_a_name():
    with pytest.raises(SettingsError, match="an experiment in 'experiments' must have a name"):
        parse_experiments({"": {}})


def test_values_outside_are_told_and_unset_ones_are_missing():
    (experiment,) = parse(FULL).values()
    good = {"model": {"kind": "mlp"}, "train": {"optimiser": "adam", "epochs": 10.0, "batch_size": 32, "more": 1}}
    assert find_outside(experiment, good) == find_missing(experiment, good) == ()
    bad = {"model": {"kind": "tree"}, "train": {"optimiser": ["adam"], "batch_size": True}}
    assert find_outside(experiment, bad) == (
        "model.kind=tree is none of linear, mlp",
        'train.optimiser=["adam"] is none of sgd, adam',
        "train.batch_size=true where 32 is declared",
    )
    assert find_missing(experiment, bad) == ("train.epochs",)


@pytest.mark.parametrize("form", [dict, nest])
def test_a_configuration_is_the_values_of_the_variables_however_they_are_nested(form):
    (experiment,) = parse(FULL).values()
    params = form({"train.epochs": 5, "model.kind": "mlp", "train.lr": 1, "train.optimiser": "sgd"})
    found = configuration_of(experiment, params)
    assert list(found.items()) == [("model.kind", "mlp"), ("train.optimiser", "sgd"), ("train.epochs", 5)]
    assert is_configuration({"train.epochs": 5.0, "model.kind": "mlp"}, params)
    assert not is_configuration({"train.epochs": 10}, params)
    assert not is_configuration({"train": {"epochs": 10}}, params)
    assert not is_configuration({"other": 10}, params)


@pytest.mark.parametrize(("old", "new", "same"), [(1, 1.0, True), (1, True, False), (1, "1", False), (None, "None", False), ([1], [1.0], True), ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True), (1e300, 10**300, False), (0.1, 0.1, True)])  # fmt: skip
def test_values_are_alike_as_numbers_are(old, new, same):
    assert (canonical(old) == canonical(new)) is same


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))  # fmt: skip
def test_any_yaml_is_read_or_refused_in_one_line(value):
    try:
        parse_experiments({"e": value})
    except SettingsError as error:
        assert "\n" not in str(error).replace("\\n", "")  # noqa: PT017 - it need not be raised
