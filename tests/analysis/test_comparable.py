"""What a run used, as trees: whatever two records hold, their difference applied to one gives the other."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.comparable import data_tree, environment_tree, params_tree, pointers_of
from exptrack.analysis.diff import diff, overview, patch, same
from exptrack.model.data import Omission, Pointer, Reason
from exptrack.model.environment import Environment, Gpu, Hardware, Interpreter, Package, Platform
from exptrack.model.run import Record, Status

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
KEYS = st.sampled_from(["a", "b", "a.b", "", "ü", "x|y", "args"])
NUMBERS = st.one_of(st.integers(-2, 2), st.sampled_from([0.5, math.nan, math.inf, -0.0, 1e300, 10**400]))
LEAVES = st.one_of(NUMBERS, st.booleans(), st.none(), st.sampled_from(["", "1", "text", "two\nlines"]))
VALUES = st.recursive(
    LEAVES, lambda below: st.one_of(st.lists(below, max_size=2), st.dictionaries(KEYS, below, max_size=3)), max_leaves=6
)
TREES = st.dictionaries(KEYS, VALUES, max_size=3)
POINTERS = st.builds(
    Pointer,
    path=st.sampled_from(["data", "data/a", "b c"]),
    digest=st.sampled_from(["12", "34.dir"]),
    modified=st.sampled_from([None, True, False]),
)
RECORDS = st.builds(
    Record,
    name=st.just("one"),
    status=st.just(Status.COMPLETED),
    started=st.just(START),
    params=st.dictionaries(st.sampled_from(["params.yaml", "args", "conf/b.toml"]), TREES, max_size=3),
    metrics=st.dictionaries(
        KEYS, st.recursive(NUMBERS, lambda below: st.dictionaries(KEYS, below, max_size=2)), max_size=3
    ),
    data=st.lists(POINTERS, max_size=2).map(tuple),
    outputs=st.lists(POINTERS, max_size=2).map(tuple),
)


def trees(record: Record) -> dict[str, dict]:
    return {
        "params": params_tree(record.params),
        "metrics": record.metrics,
        "data": data_tree(pointers_of(record).values()),
    }


def leaves(tree):
    return patch({}, diff({}, tree, "any"))


@given(RECORDS, RECORDS)
def test_the_difference_of_two_records_applied_to_one_gives_the_other(old, new):
    for area, before in trees(old).items():
        after = trees(new)[area]
        changes = diff(before, after, area)
        assert same(patch(before, changes), leaves(after))
        assert {one.area for one in changes} <= {area}
        assert diff(after, after, area) == ()


@given(st.lists(RECORDS, min_size=3, max_size=4))
def test_a_table_of_several_has_a_row_where_any_two_differ(records):
    for area in ("params", "metrics", "data"):
        all_trees = [trees(record)[area] for record in records]
        rows = {row.key for row in overview(all_trees, area)}
        assert rows == {change.key for tree in all_trees for change in diff(all_trees[0], tree, area)}


def test_outputs_and_large_files_stand_beside_the_pointers_of_a_run():
    record = Record(
        "one",
        Status.COMPLETED,
        START,
        data=(Pointer("data", "12.dir", modified=True),),
        outputs=(Pointer("model", "34"),),
        not_captured=(
            Omission("big", Reason.TOO_LARGE, size=5, digest="sha256:56"),
            Omission("other", Reason.NESTED_REPOSITORY, digest="78"),
            Omission("third", Reason.IGNORED),
        ),
    )
    assert data_tree(pointers_of(record).values()) == {
        "big": "sha256:56",
        "model": "md5:34",
        "data": "md5:12.dir modified",
    }
    assert list(pointers_of(record, with_outputs=False)) == ["data"]


def test_an_output_that_had_a_pointer_is_what_the_command_wrote():
    old, new = Pointer("model", "12", modified=True), Pointer("model", "34")
    record = Record("one", Status.COMPLETED, START, data=(old,), outputs=(new,))
    assert pointers_of(record) == {"model": new}
    assert pointers_of(record, with_outputs=False) == {"model": old}


def test_parameters_of_the_command_line_can_be_left_out():
    params = {"args": {"seed": 7}, "params.yaml": {"lr": 1}}
    assert params_tree(params) == {"lr": 1, "seed": 7}
    assert params_tree(params, with_arguments=False) == {"lr": 1}


def test_an_environment_is_a_tree_without_what_is_not_known():
    environment = Environment(
        Platform("Linux", "6.1", "x86_64"),
        Hardware("a CPU", 2, None, (Gpu("a GPU", 5),)),
        Interpreter("/usr/bin/python", "3.11.2", "cpython", "path"),
        (Package("numpy", "1.26"), Package("mine", "0.1", "/src/mine", "0123456789abcdef", dirty=True, editable=True)),
        {"TZ": "UTC"},
    )
    assert environment_tree(environment) == {
        "interpreter": {"implementation": "cpython", "version": "3.11.2"},
        "packages": {"numpy": "1.26", "mine": "0.1 from /src/mine at 0123456789 with uncommitted changes"},
        "platform": {"system": "Linux", "release": "6.1", "machine": "x86_64"},
        "hardware": {"cpu": "a CPU", "cores": 2, "gpus": ["a GPU"]},
        "variables": {"TZ": "UTC"},
    }
    assert environment_tree(Environment(Platform("", "", ""), Hardware())) == {
        "platform": {"system": "", "release": "", "machine": ""}
    }
