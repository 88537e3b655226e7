"""Numbers out of lines and trees; trees and flat mappings."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.patterns import match_metrics, numbers_only
from exptrack.model.tree import flatten

LOSS = re.compile(r"loss[=:] *(?P<loss>\S+)")
KEYS = st.text(st.sampled_from("ab._1"), max_size=4)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.5", 0.5), ("1e-5", 1e-5), ("1E+5", 1e5), ("-3", -3.0), ("+.5", 0.5), ("5.", 5.0), ("93%", 93.0), ("0.5,", 0.5), ("0.5;", 0.5),
        ("0.5)", 0.5), ("0.5.", 0.5), ("12.5%)", 12.5), ("inf", math.inf), ("-Infinity", -math.inf), ("INF,", math.inf), ("007", 7.0),
    ],
)  # fmt: skip
def test_a_number_is_read_as_it_is_printed(text, number):
    assert match_metrics([LOSS], f"epoch 3 loss={text}") == {"loss": number}


@pytest.mark.parametrize(
    "text",
    ["1,234", "1_000", "0x10", "abc", "1.2.3", "--1", "e5", "1e", "%", "\u0661", "tensor(0.5)", "nano", "infinite"],
)
def test_what_is_no_number_is_skipped(text):
    assert match_metrics([LOSS], f"loss={text}") == {}


def test_nan_is_a_number():
    assert math.isnan(match_metrics([LOSS], "loss: nan")["loss"])


def test_two_underscores_nest_and_others_do_not():
    pattern = re.compile(r"(?P<val__top_1>\d+) (?P<_x>\d+) (?P<a__b__c>\d+) (?P<__y>\d+) (?P<z__>\d+)")
    assert match_metrics([pattern], "1 2 3 4 5") == {"val.top_1": 1, "_x": 2, "a.b.c": 3, "__y": 4, "z__": 5}


def test_all_patterns_are_tried_and_a_group_that_took_no_part_is_skipped():
    patterns = [re.compile(r"acc (?P<acc>\S+)(?: top5 (?P<top5>\S+))?"), LOSS, re.compile(r"never (?P<never>.)")]
    assert match_metrics(patterns, "acc 0.9 loss: 2") == {"acc": 0.9, "loss": 2.0}
    assert match_metrics(patterns, "acc 0.9 top5 0.99") == {"acc": 0.9, "top5": 0.99}
    assert match_metrics([], "acc 0.9") == {}


def test_numbers_are_kept_and_all_else_is_named():
    tree = {
        "acc": 0.9, "n": 3, "ok": True, "bad": False, "loss": "NaN", "low": "-inf", "name": "mlp", "none": None, "text": "0.93",
        "val": {"f1": [0.5, 0.25], "mixed": [1, "x"], "note": "hm", "empty": {}}, "only": {"words": "x"}, "list": [], "deep": [[1], {"a": 2}],
    }  # fmt: skip
    numbers, problems = numbers_only(tree, "metrics.json")
    assert math.isnan(numbers.pop("loss"))
    assert numbers == {
        "acc": 0.9, "n": 3, "ok": 1, "bad": 0, "low": -math.inf, "val": {"f1": [0.5, 0.25]}, "list": [], "deep": [[1], {"a": 2}],
    }  # fmt: skip
    assert type(numbers["ok"]) is int
    assert problems == (
        "metrics.json: 'name' is not a number",
        "metrics.json: 'none' is not a number",
        "metrics.json: 'text' is not a number",
        "metrics.json: 'val.mixed.1' is not a number",
        "metrics.json: 'val.note' is not a number",
        "metrics.json: 'only.words' is not a number",
    )


def test_many_problems_are_counted():
    numbers, problems = numbers_only({str(index): "x" for index in range(2000)}, "m.json")
    assert numbers == {}
    assert len(problems) == 21
    assert problems[-1] == "m.json: 1,980 more values are not numbers"


@given(
    st.dictionaries(
        KEYS,
        st.recursive(
            st.none() | st.floats() | st.text(), lambda i: st.lists(i) | st.dictionaries(KEYS, i), max_leaves=6
        ),
    )
)
def test_what_is_kept_has_numbers_for_leaves(tree):
    numbers, _ = numbers_only(tree, "m")
    assert all(type(leaf) in {int, float} or leaf == [] for leaf in flatten(numbers).values() if leaf != {})
    again, problems = numbers_only(numbers, "m")
    assert repr(again) == repr(numbers)
    assert problems == ()
