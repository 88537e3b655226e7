"""What is described of a suite of datasets, and of nothing else."""

from __future__ import annotations

import random
import re

import pytest

from exptrack.analysis.experiments.grouping import Grouping, Row, group
from exptrack.analysis.experiments.suites import describe_suite
from exptrack.model.comparison import Rules
from exptrack.model.experiment import Pairing
from exptrack.model.run import Status
from exptrack.model.settings import Goal

RULES = Rules("accuracy", Goal.MAXIMIZE, pair_by=Pairing.DATASET)
GROUPING = Grouping(pair_by=Pairing.DATASET, pair_key="data")


def row(model, data, seed, value, status=Status.COMPLETED):
    return Row(f"{model}-{data}-{seed}", status, seed, {"model": model, "data": data}, value)


def describe(rows, rules=RULES, baseline="model=a"):
    return describe_suite(rules, rows, GROUPING, group(rows, GROUPING).configurations, {baseline})


def study(seeds=5, gain=0.0):
    draw = random.Random(5)
    return [
        row(model, data, seed, place + draw.gauss(gain * (model == "b"), 0.1))
        for model in "ab"
        for place, data in enumerate(("x", "y", "z"))
        for seed in range(seeds)
    ]


def test_the_interquartile_mean_stands_in_its_interval_and_the_candidate_wins_its_share():
    first, second = describe(study(gain=0.1))
    number = r"(-?\d+\.\d+)"
    told = rf"interquartile mean {number} \[95% stratified bootstrap CI {number}, {number}\] of 15 runs on 3 datasets"
    found = re.fullmatch(
        rf"model=b: described, not tested: {told}; a run is better than one of the baseline in (\d+)% of cases", second
    )
    middle, low, high, share = map(float, found.groups())
    # 15 of three levels, of which the middle one alone and two of each other are left: 1.1 +- 2*0.1/sqrt(9)
    assert low < middle < high
    assert middle == pytest.approx(1.1, abs=0.1)
    assert high - low == pytest.approx(4 * 0.1 / 3, abs=0.1)
    assert 50 < share < 100
    assert re.fullmatch(rf"model=a: described, not tested: {told}", first)


def test_where_less_is_better_the_share_is_of_lower_values():
    rows = [
        row(model, data, seed, value) for model, value in (("a", 2.0), ("b", 1.0)) for data in "xy" for seed in (0, 1)
    ]
    assert describe(rows)[1].endswith("in 0% of cases")
    assert describe(rows, RULES._replace(goal=Goal.MINIMIZE))[1].endswith("in 100% of cases")
    assert describe(rows, RULES._replace(goal=None))[1].endswith("of 4 runs on 2 datasets")


def test_reruns_are_averaged_and_datasets_that_one_lacks_left_out():
    rows = study(seeds=2)
    more = [
        row("a", "w", 0, 9.0),
        rows[0]._replace(name="again"),
        row("b", "x", 7, None),
        row("b", "x", 8, 9.0, Status.FAILED),
    ]
    assert describe([*rows, *more]) == describe(rows)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        study(seeds=1),
        [one for one in study() if one.params["data"] == "x"],
        [row(model, data, seed, 1e300) for model in "ab" for data in "xy" for seed in (0, 1)],
        [row("a", "x", 0, 1.0), row("b", "y", 0, 1.0)],
    ],
    ids=["nothing", "one run of each", "one dataset", "huge", "none in common"],
)
def test_what_is_no_suite_is_not_described(rows):
    assert describe(rows) == ()


def test_other_pairs_are_no_suite():
    rows = study()
    assert describe(rows, RULES._replace(pair_by=Pairing.SEED)) == ()
