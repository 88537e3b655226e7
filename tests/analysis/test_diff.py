"""A diff is a value: applied to the old side it gives the new one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.diff import diff, patch, same
from exptrack.model.change import Change, Kind

KEYS = st.sampled_from(["a", "b", "c", "a.b", ""])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.0, -0.0, 1.0, 1.5, math.nan, math.inf])
    | st.sampled_from(["", "1"])
)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
    ),
    max_size=4,
)


@given(TREES, TREES)
def test_the_difference_applied_to_the_old_side_gives_the_new_side(old, new):
    assert same(patch(old, diff(old, new, "params")), new)


@given(TREES)
def test_a_tree_does_not_differ_from_itself(tree):
    assert diff(tree, tree, "params") == ()
    assert same(patch(tree, ()), tree)


@given(TREES, TREES)
def test_trees_without_a_difference_are_the_same(old, new):
    assert (diff(old, new, "params") == ()) == same(old, new)


@given(TREES, TREES)
def test_the_way_back_mirrors_the_way_there(old, new):
    mirrored = {Kind.ADDED: Kind.REMOVED, Kind.REMOVED: Kind.ADDED, Kind.CHANGED: Kind.CHANGED}
    there, back = diff(old, new, "params"), diff(new, old, "params")
    assert [(change.key, change.kind) for change in there] == [(change.key, mirrored[change.kind]) for change in back]


@given(TREES, TREES)
def test_the_order_of_keys_in_the_trees_does_not_matter(old, new):
    backwards = dict(reversed(list(new.items())))
    assert repr(diff(old, new, "params")) == repr(diff(old, backwards, "params"))


@given(TREES, TREES)
def test_neither_side_is_touched(old, new):
    before = repr((old, new))
    patch(old, diff(old, new, "params"))
    assert repr((old, new)) == before


def test_a_difference_names_leaves_in_order():
    old = {"lr": 0.1, "model": {"depth": 2, "name": "mlp"}, "tags": ["a"], "gone": {"x": 1, "y": {}}}
    new = {"tags": ["a", "b"], "model": {"depth": 3, "name": "mlp"}, "lr": 0.1, "opt": {"name": "sgd", "beta": [0.9]}}
    assert diff(old, new, "params") == (
        Change("params", ("gone", "x"), Kind.REMOVED, 1),
        Change("params", ("gone", "y"), Kind.REMOVED, {}),
        Change("params", ("model", "depth"), Kind.CHANGED, 2, 3),
        Change("params", ("opt", "beta"), Kind.ADDED, None, [0.9]),
        Change("params", ("opt", "name"), Kind.ADDED, None, "sgd"),
        Change("params", ("tags",), Kind.CHANGED, ["a"], ["a", "b"]),
    )


def test_a_leaf_may_become_a_mapping_and_a_mapping_a_leaf():
    assert diff({"a": 1}, {"a": {"b": 2}}, "params") == (
        Change("params", ("a",), Kind.REMOVED, 1),
        Change("params", ("a", "b"), Kind.ADDED, None, 2),
    )
    assert patch({"a": {"b": 2}}, diff({"a": {"b": 2}}, {"a": 1}, "params")) == {"a": 1}
    assert patch({"a": {"b": 2}}, diff({"a": {"b": 2}}, {"a": {}}, "params")) == {"a": {}}
    assert patch({"a": {"b": 2}}, diff({"a": {"b": 2}}, {}, "params")) == {}


def test_a_patch_for_another_tree_puts_its_own_values_in():
    changes = diff({}, {"a": {"b": 2}}, "params")
    assert patch({"a": 1}, changes) == {"a": {"b": 2}}
    assert patch({"a": {}}, changes) == {"a": {"b": 2}}


@pytest.mark.parametrize(
    ("old", "new", "equal"),
    [
        (1, 1.0, True), (True, 1, False), (False, 0.0, False), (None, False, False), (None, None, True), ("1", 1, False),
        (math.nan, math.nan, True), (math.nan, math.inf, False), (math.nan, None, False), ([1, math.nan], [1.0, math.nan], True),
        ([1], [True], False), ([1], [1, 2], False), ([], {}, False), ("ab", ["a", "b"], False), ((1, 2), [1, 2], True),
        ([{"a": 1}], [{"a": 1.0}], True), ([{"a": 1}], [{"b": 1}], False), (2**60, float(2**60), True), (2**60 + 1, float(2**60), False),
    ],
)  # fmt: skip
def test_what_means_the_same(old, new, equal):
    assert same(old, new) is equal
    assert same(new, old) is equal
    assert (diff({"k": old}, {"k": new}, "params") == ()) is equal
