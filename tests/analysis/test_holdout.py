"""What is sealed and what is not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.codec import decode_holdout, encode_holdout
from exptrack.analysis.history import Point, Points
from exptrack.analysis.holdout import hide, is_holdout, list_names, seal_file, seal_output, split, with_sealed
from exptrack.errors import RecordError
from exptrack.model.run import SEALED
from exptrack.model.settings import Goal, MetricDeclaration
from exptrack.model.tree import flatten, merge

NAMES = st.sampled_from(["a", "b", "test", "a.b", "test.a"])
TREES = st.dictionaries(
    NAMES, st.recursive(st.floats(), lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3)), max_size=4
)


@pytest.mark.parametrize(
    ("key", "is_one"),
    [
        ("test", True),
        ("test.a", True),
        ("test.0", True),
        ("tests", False),
        ("a.test", False),
        ("eval.json.test", True),
        ("eval.json.test.a", True),
        ("eval.json.tests", False),
    ],
)
def test_a_name_is_one_or_lies_below_one_or_below_a_file(key, is_one):
    assert is_holdout(key, ["test"], ["eval.json"]) is is_one


@given(TREES, st.sets(NAMES))
def test_both_parts_together_are_the_tree_and_each_has_its_own(tree, holdouts):
    seen, sealed = split(tree, holdouts)
    assert not any(is_holdout(key, holdouts) for key in flatten(seen))
    assert all(is_holdout(key, holdouts) for key in flatten(sealed))
    assert str(_sorted(merge(seen, sealed))) == str(_sorted(tree))
    hidden = flatten(hide(tree, holdouts))
    assert all((hidden[key] == SEALED) is is_holdout(key, holdouts) for key in hidden)


def _sorted(tree):
    return {key: _sorted(tree[key]) for key in sorted(tree)} if isinstance(tree, dict) else tree


def test_lists_are_sealed_whole():
    seen, sealed = split({"f1": [1, 2], "loss": 0.5}, ["f1"])
    assert (seen, list_names(sealed)) == ({"loss": 0.5}, ("f1.0", "f1.1"))


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("m.json", '{\n  "a": 1,\n  "test": 2\n}\n', '{\n  "a": 1\n}\n'),
        ("m.yaml", "# mine\na: 1\ntest: 2\n", "# mine\na: 1\n"),
        ("m.toml", "a = 1\ntest = 2\n", "a = 1\n"),
        ("m.json", '{"a": 1}', None),
        ("m.json", "{", None),
        ("m.txt", "a: 1\ntest: 2\n", ""),
    ],
)
def test_a_file_keeps_all_but_the_holdout(path, before, after):
    found = seal_file(path, before.encode(), ["test"])
    assert found == (None if after is None else after.encode())


def test_only_the_value_is_taken_out_of_the_output():
    text = "epoch 1 loss=0.5 test=0.75%\ntest=0.5 test=0.5\nno value\n"
    patterns = (r"loss=(?P<loss>\S+) test=(?P<test>\S+)", r"^test=(?P<test>\S+)")
    assert seal_output(text, patterns, ["test"]) == "epoch 1 loss=0.5 test=sealed\ntest=sealed test=0.5\nno value\n"
    assert seal_output(text, patterns, ["other"]) == text


def test_what_is_sealed_stays_a_holdout_with_its_goal():
    declared = {"test": MetricDeclaration("test", Goal.MINIMIZE)}
    found = with_sealed(declared, ["test", "more"])
    assert found["test"] == MetricDeclaration("test", Goal.MINIMIZE, holdout=True)
    assert found["more"].holdout


@given(TREES)
def test_a_holdout_is_read_back_equal(tree):
    history = {"test": [Point(1.5, 0, float("nan"))]}
    assert str(decode_holdout(encode_holdout(tree, history))) == str(_sorted(tree))


@pytest.mark.parametrize("data", [b"", b"[]", b'{"metrics": 1}', b'{"metrics": {"a": "b"}}', b"{}"])
def test_a_broken_one_is_told_or_empty(data):
    if data == b"{}":
        assert decode_holdout(data) == {}
        return
    with pytest.raises(RecordError) as caught:
        decode_holdout(data)
    assert "\n" not in str(caught.value)


def test_histories_are_kept_with_it():
    content = json.loads(encode_holdout({"test": 0.5}, {"test": [Point(1.5, 3, 0.25), Point(2.0, 4, 0.5)]}))
    assert content == {"schema": 1, "metrics": {"test": 0.5}, "history": {"test": [[1.5, 3, 0.25], [2.0, 4, 0.5]]}}
    odd = {"b": Points([Point(1.5, 0, float("nan"), 2)]), "\ud800": [Point(1.0, "a", float("-inf"))]}
    assert encode_holdout({"test": 0.5}, odd).decode() == (
        '{\n  "history": {\n    "b": [[1.5,0,"NaN",2]],\n    "\\ud800": [[1.0,"a","-Infinity"]]\n  },\n'
        '  "metrics": {\n    "test": 0.5\n  },\n  "schema": 1\n}\n'
    )
