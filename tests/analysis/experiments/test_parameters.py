"""Which parameter a metric goes with: what is measured, how it is said, and when nothing is."""

from __future__ import annotations

import pytest

from exptrack.analysis.experiments.grouping import Row, group
from exptrack.analysis.experiments.parameters import associate, describe
from exptrack.model.run import Status


def rows(*settings):
    """A row for each (parameters, value), each with its own seed."""
    return [Row(f"r{place}", Status.COMPLETED, place, params, value) for place, (params, value) in enumerate(settings)]


def told(*settings, variables=()):
    return [describe(one) for one in associate(group(rows(*settings)).configurations, variables)]


GRID = [
    ({"lr": lr, "kind": kind, "is_deep": is_deep, "epochs": 3}, 10 * lr + seed / 50 + (kind == "svm") / 20)
    for lr in (0.1, 0.2, 0.4)
    for kind in ("svm", "tree")
    for is_deep in (True, False)
    for seed in (0, 1)
]


def test_the_strongest_comes_first_with_its_interval_and_the_number_of_runs():
    assert told(*GRID) == [
        "lr: rank correlation +0.95 [95% CI +0.86, +0.98], 24 values, 3 levels",
        "kind: eta squared 0.00 [95% CI 0.00, 0.27], 24 values, 2 levels",
        "is_deep: eta squared 0.00 [95% CI 0.00, 0.27], 24 values, 2 levels",
    ]


def test_what_is_asked_for_is_told_though_it_is_one_value():
    assert told(*GRID, variables=("epochs",)) == ["epochs: it has one value, 24 values, 1 level"]


def test_a_parameter_that_is_not_set_is_a_value_of_names_and_none_of_numbers():
    settings = [
        ({"a": 1}, 0.1),
        ({"a": 2}, 0.2),
        ({"a": 3}, 0.3),
        ({"a": 4}, 0.4),
        ({"b": "x"}, 0.9),
        ({"b": "x"}, 0.8),
    ]
    found = {one.parameter: one for one in associate(group(rows(*settings)).configurations)}
    assert (found["a"].n, found["a"].levels, found["a"].value) == (4, 4, 1.0)
    assert (found["b"].n, found["b"].levels) == (6, 2)
    assert found["b"].value == pytest.approx(0.8972, abs=1e-4)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ([({"a": 1}, 0.1), ({"a": 2}, 0.2)], "a: it takes 3 values or more, 2 values, 2 levels"),
        ([({"a": 1}, 0.1), ({"a": 2}, 0.1), ({"a": 3}, 0.1)], "a: the metric does not vary, 3 values, 3 levels"),
        ([({"a": "x"}, 0.1), ({"a": "y"}, 0.2), ({"a": "z"}, 0.3)], "a: each of its values was run once, 3 values, 3 levels"),
        ([({"a": 1}, 0.1), ({"a": 2}, 0.2), ({"a": 3}, 0.3)], "a: rank correlation +1.00 (too few values for an interval), 3 values, 3 levels"),
        ([({"a": "x"}, 0.5), ({"a": "x"}, 0.5), ({"a": "y"}, 0.7)], "a: eta squared 1.00 (no value varies by itself), 3 values, 2 levels"),
        ([({"a": [1, 2]}, 0.5), ({"a": [1, 2.0]}, 0.6), ({"a": None}, 0.7)], "a: eta squared 0.75 [95% CI 0.00, 0.87], 3 values, 2 levels"),
    ],
)  # fmt: skip
def test_little_gives_no_number_and_says_why(settings, line):
    assert told(*settings) == [line]


def test_failed_runs_and_runs_without_the_metric_are_no_values():
    good = rows(*GRID)
    bad = [Row("f", Status.FAILED, 99, {"lr": 9.0}, 5.0), Row("m", Status.COMPLETED, 98, {"lr": 8.0}, None)]
    (first, *_) = associate(group([*good, *bad]).configurations, ("lr",))
    assert (first.n, first.levels) == (24, 3)


def test_of_no_runs_nothing_is_said():
    assert associate(()) == ()
    assert told(variables=("lr",)) == ["lr: it takes 3 values or more, 0 values, 0 levels"]
