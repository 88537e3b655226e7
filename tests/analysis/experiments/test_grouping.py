"""Runs become configurations: which are replicates, what they are called, and what is mixed in them."""

from __future__ import annotations

import math
import random

import pytest

from exptrack.analysis.experiments.grouping import Grouping, Row, find_configurations, group, sort_best, tell_lacking
from exptrack.model.comparison import Sample
from exptrack.model.experiment import Pairing
from exptrack.model.run import Status
from exptrack.model.settings import Goal


def row(name, seed=1, value=0.5, status=Status.COMPLETED, params=None, **more):
    return Row(name, status, seed, params or {"lr": 0.1}, value, **more)


def labels(rows, grouping=None):
    return [one.label for one in group(rows, grouping).configurations]


def test_configurations_are_named_by_what_they_differ_in():
    rows = [
        row(f"{kind}-{lr}-{seed}", seed, params={"model.kind": kind, "lr": lr, "batch": 32}, data={"a.csv": "md5:1"})
        for kind in ("mlp", "linear")
        for lr in (10, 0.5, 2.0)
        for seed in (1, 2)
    ]
    found = group(rows)
    assert [one.label for one in found.configurations] == [
        "lr=0.5, model.kind=linear", "lr=0.5, model.kind=mlp", "lr=2.0, model.kind=linear", "lr=2.0, model.kind=mlp",
        "lr=10, model.kind=linear", "lr=10, model.kind=mlp",
    ]  # fmt: skip
    assert found.configurations[0].params == {"lr": 0.5, "model.kind": "linear"}
    assert found.configurations[0].runs == ("linear-0.5-1", "linear-0.5-2")
    assert found.shared == {"batch": 32, "a.csv": "md5:1"}
    assert found.notes == ()


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [(1, 1.0, 1), (1, True, 2), (1, "1", 2), (0, False, 2), ([1], [1.0], 1), ([], {}, 2), (None, "", 2), (0.1, 0.1, 1)],
)
def test_values_are_the_same_as_numbers_are(old, new, count):
    rows = [row("a", params={"p": old}), row("b", params={"p": new})]
    assert len(labels(rows)) == len(set(labels(rows))) == count


def test_a_parameter_that_one_has_and_another_has_not_tells_them_apart():
    assert labels([row("a", params={"lr": 1}), row("b", params={"lr": 1, "momentum": 0.9})]) == [
        "without momentum",
        "momentum=0.9",
    ]
    assert labels([]) == []


def test_code_names_what_parameters_do_not():
    rows = [row("a", code="1" * 64), row("b", code="2" * 64), row("c", params={"lr": 1}, code="1" * 64)]
    found = group(rows).configurations
    assert [one.label for one in found] == ["lr=0.1, code 1111111", "lr=0.1, code 2222222", "lr=1"]
    assert [one.code for one in found] == ["1111111", "2222222", "1111111"]
    assert labels(rows[:2]) == ["code 1111111", "code 2222222"]
    assert [one.code for one in group(rows[:1]).configurations] == [""]
    (merged,) = group(rows[:2], Grouping(is_code_merged=True)).configurations
    assert (merged.label, merged.mixed, merged.code) == ("all runs", ("code (2 states)",), "1111111, 2222222")


def test_commands_name_what_parameters_and_code_do_not():
    assert labels([row("a", command="a.py"), row("b", command="b.py")]) == ["command a.py", "command b.py"]


def test_reruns_of_a_seed_count_once_and_failures_are_counted():
    rows = [
        row("a", 1, 1.0), row("b", 1, 3.0), row("c", 2, 5.0), row("d", None, 6.0), row("e", 3, None), row("f", 4, math.nan),
        row("g", 5, 9.0, Status.FAILED), row("h", 6, None, Status.CRASHED), row("1", None, 7.0),
    ]  # fmt: skip
    (found,) = group(rows).configurations
    assert found.sample == Sample(
        "all runs", {"1": 2.0, "2": 5.0, "d": 6.0, "run 1": 7.0}, failed=2, missing=2, collapsed=1, unseeded=2
    )
    assert (found.mean, found.low, found.median, found.high) == (5.0, 2.0, 5.5, 7.0)
    assert found.sd == pytest.approx(math.sqrt(14 / 3))
    assert found.interval == pytest.approx((5 - 3.182446 * found.sd / 2, 5 + 3.182446 * found.sd / 2, 0.95))
    assert len(found.runs) == 9


def test_without_a_usable_run_there_are_no_statistics():
    (found,) = group([row("a", value=None)]).configurations
    assert (found.mean, found.sd, found.interval, found.sample.values) == (None, None, None, {})
    (lone,) = group([row("a")]).configurations
    assert (lone.mean, lone.sd, lone.interval) == (0.5, None, None)
    (constant,) = group([row(str(seed), seed) for seed in range(4)]).configurations
    assert (constant.sd, constant.interval) == (0.0, None)


def test_datasets_are_units_and_seeds_are_averaged_inside_them_first():
    rows = [
        row("a", 1, 1.0, params={"lr": 1, "data": "x"}, evaluated={"t.csv": "1"}, data={"t.csv": "1"}),
        row("b", 1, 3.0, params={"lr": 1, "data": "x"}, evaluated={"t.csv": "1"}, data={"t.csv": "1"}),
        row("c", 2, 6.0, params={"lr": 1, "data": "x"}, evaluated={"t.csv": "1"}, data={"t.csv": "1"}),
        row("d", 1, 9.0, params={"lr": 1, "data": "y"}, evaluated={"t.csv": "2"}, data={"t.csv": "2"}),
    ]
    (found,) = group(rows, Grouping(pair_by=Pairing.DATASET, pair_key="data")).configurations
    assert found.sample.values == {"x": 4.0, "y": 9.0}
    assert found.sample.collapsed == 1
    assert found.sample.evaluated == {"t.csv of x": ("1",), "t.csv of y": ("2",)}
    assert found.mixed == ()


def test_what_differs_inside_is_named_and_left_out_when_strict():
    rows = [
        row("a", 1, data={"a.csv": "1"}, environment="x", evaluated={"a.csv": "1"}),
        row("b", 2, data={"a.csv": "2"}, environment="y", evaluated={"a.csv": "2"}),
        row("c", params={"lr": 2}),
    ]
    first, second = group(rows).configurations
    assert first.mixed == ("environment (2 states)", "a.csv (2 states)")
    assert first.sample.evaluated == {"a.csv": ("1", "2")}
    strict = group(rows, Grouping(is_strict=True))
    assert [one.label for one in strict.configurations] == [second.label]
    assert strict.notes == ("left out: lr=0.1 mixes environment (2 states), a.csv (2 states)",)


def test_some_parameters_alone_may_count():
    rows = [
        row("a", params={"lr": 1, "depth": 3, "batch": 8}),
        row("b", params={"lr": 1, "depth": 4, "batch": 8}),
        row("c", params={"lr": 2}),
    ]
    one, two = group(rows, Grouping(by=("lr",))).configurations
    assert (one.label, one.runs, one.mixed) == ("lr=1", ("a", "b"), ("depth (2 values)",))
    assert two.label == "lr=2"


def test_the_best_comes_first_and_the_unusable_last():
    found = group(
        [row("a", value=1.0), row("b", value=2.0, params={"lr": 2}), row("c", value=None, params={"lr": 3})]
    ).configurations
    assert [one.runs for one in sort_best(found, Goal.MAXIMIZE)] == [("b",), ("a",), ("c",)]
    assert [one.runs for one in sort_best(found, Goal.MINIMIZE)] == [("a",), ("b",), ("c",)]


def test_a_baseline_is_found_by_values_shared_or_not():
    found = group([row("a", params={"lr": 1, "depth": 3}), row("b", params={"lr": 2, "depth": 3})])
    assert [one.runs for one in find_configurations(found, {"lr": 1.0, "depth": 3})] == [("a",)]
    assert len(find_configurations(found, {"depth": 3})) == 2
    assert find_configurations(found, {"lr": 9}) == ()


def test_a_list_is_found_item_by_item():
    # Rows have the items of a list each by itself, a declared baseline has the list.
    found = group([row("a", params={"layers.0": 64}), row("b", params={"layers.0": 64, "layers.1": 32})])
    assert [one.runs for one in find_configurations(found, {"layers": [64, 32]})] == [("b",)]


def test_a_text_that_reads_as_a_number_is_in_quotes():
    rows = [row(str(value), params={"p": value}) for value in (1, "1", "true", True, "1e-3", "a.1", "")]
    assert sorted(labels(rows)) == ['p=""', 'p="1"', 'p="1e-3"', 'p="true"', "p=1", "p=a.1", "p=true"]


def test_what_no_configuration_has_is_told_with_what_there_is():
    found = group([row("a", params={"lr": 1, "depth": 3}), row("b", params={"lr": 2, "depth": 4})])
    assert tell_lacking(found, {"lr": 9}) == "no baseline: no configuration has lr=9: lr is 1 or 2"
    assert tell_lacking(found, {"lr": 1, "dept": 3}).endswith("none has the parameter 'dept', did you mean 'depth'?")
    assert tell_lacking(found, {"lr": 1, "depth": 4}).endswith(
        "no configuration has lr=1, depth=4; there is depth=3, lr=1 or depth=4, lr=2"
    )
    assert tell_lacking(group([]), {"lr": 1}).endswith("there is none, all are left out")


def many(groups, seeds):
    r = random.Random(1)
    shared = {f"section.p{place}": place / 2 for place in range(30)}
    return [
        row(
            f"r-{one}-{seed}",
            seed,
            r.random(),
            params={**shared, "lr": one % 50 / 10, "depth": one // 50},
            data={"a.csv": "1"},
        )
        for one in range(groups)
        for seed in range(seeds)
    ]


def test_the_order_of_runs_changes_nothing():
    rows = many(60, 4)
    other = rows[:]
    random.Random(2).shuffle(other)
    assert repr(group(rows)) == repr(group(other))


def test_ten_thousand_runs_are_grouped():
    assert len(group(many(500, 20)).configurations) == 500
