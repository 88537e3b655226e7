"""Trees and flat mappings; trees of several sources as one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.model.tree import flatten, nest, unite

KEYS = st.text(st.sampled_from("ab._1"), max_size=4)
TREES = st.recursive(
    st.integers(0, 3), lambda below: st.dictionaries(st.sampled_from("abc"), below, min_size=1, max_size=3)
)


def test_dotted_keys_nest():
    assert nest({"a.b": 1, "c": 2, "a.d.e": 3}) == {"a": {"b": 1, "d": {"e": 3}}, "c": 2}


@pytest.mark.parametrize("flat", [{"a": 1, "a.b": 2}, {"a.b": 2, "a": 1}])
def test_a_key_below_a_value_keeps_its_dot(flat):
    assert nest(flat) == {"a": 1, "a.b": 2}
    assert nest({"x.a": 1, "x.a.b.c": 2}) == {"x": {"a": 1, "a.b.c": 2}}


@given(st.dictionaries(KEYS, st.integers(), max_size=6))
def test_a_flat_mapping_nested_and_flattened_is_the_same(flat):
    assert flatten(nest(flat)) == flat


def test_lists_are_numbered_and_empty_ones_are_leaves():
    tree = {"f1": [0.5, [1, 2]], "a": {"b": {}, "c": []}, "d.e": 1, "t": "xy", "l": [{"m": 1}], "n": None}
    assert flatten(tree) == {
        "f1.0": 0.5, "f1.1.0": 1, "f1.1.1": 2, "a.b": {}, "a.c": [], "d.e": 1, "t": "xy", "l.0.m": 1, "n": None,
    }  # fmt: skip
    assert flatten({}) == {}


def test_what_sources_add_stands_beside_the_first():
    assert unite("p", {"args": {"new": 2, "a": {"c": 3}}, "p": {"a": {"b": 1}, "x": 4}}) == {
        "a": {"b": 1, "c": 3},
        "x": 4,
        "new": 2,
    }


def test_what_clashes_stands_below_the_name_of_its_source():
    sources = {"args": {"lr": 1, "new": 2}, "p": {"lr": {"deep": 3}, "x": 4}, "b.json": {"x": 5}}
    assert unite("p", sources) == {"lr": {"deep": 3}, "x": 4, "args": {"lr": 1}, "new": 2, "b.json": {"x": 5}}


@given(
    st.dictionaries(
        st.sampled_from(["first", "second", "third"]), st.dictionaries(st.sampled_from("abc"), TREES, max_size=3)
    )
)
def test_no_leaf_of_any_source_is_lost(sources):
    leaves = sum(len(flatten(tree)) for tree in sources.values())
    united = flatten(unite("first", sources))
    assert len(united) == leaves
    assert sorted(united.values()) == sorted(value for tree in sources.values() for value in flatten(tree).values())
