"""Two values that differ never read alike, and no value reads as one of another type."""

from __future__ import annotations

import json
import math

import pytest
from differences import KEYS, LEAVES, TEXTS, VALUES
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.diff import same
from exptrack.render.text import display_width
from exptrack.render.values import clip_apart, format_loose, format_plain, name_keys, name_path, tell_apart


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.1 + 0.2, "0.3"), (1e-7, "1e-07"), (math.nan, "nan"), (-math.inf, "-inf"), (3, "3"), (True, "true"), (None, "null"), ("text", "text"),
        ("two words", "two words"), ("", '""'), ("-", '"-"'), ("1", '"1"'), ("1e3", '"1e3"'), ("nan", '"nan"'), ("true", '"true"'), (" a", '" a"'),
        ('"a"', '"\\"a\\""'), ("[1]", '"[1]"'), ([], "[]"), ({}, "{}"), ([1, True, None, "a"], '[1, true, null, "a"]'), ((0.1,), "[0.1]"),
        ("two\nlines", "two\\nlines"), ("\x1b[2J", "\\x1b[2J"), (10**20, "1" + "0" * 20), ([math.nan], "[NaN]"),
    ],
)  # fmt: skip
def test_a_value_reads_as_what_it_is(value, shown):
    assert format_plain(value) == shown


def test_a_number_that_python_does_not_write_is_shown_in_base_16():
    assert format_plain(16**4000) == "0x1" + "0" * 4000
    assert format_plain([16**4000, 1]) == '["0x1' + "0" * 4000 + '", "1"]'


@pytest.mark.parametrize(
    ("value", "shown"), [("13.7", "13.7"), ("1", "1"), ("", '""'), ("-", '"-"'), (" a", '" a"'), (16, "16"), (None, "null")]
)  # fmt: skip
def test_a_version_needs_no_quotes(value, shown):
    assert format_loose(value) == shown


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.1, 0.2], ["0.1", "0.2"]),
        ([0.1234567, 0.1234568], ["0.1234567", "0.1234568"]),
        ([0.1234567, 0.5], ["0.123457", "0.5"]),
        ([1, "1"], ["1", '"1"']),
        ([1, True], ["1", "true"]),
        (["true", True], ['"true"', "true"]),
        ([None, "null"], ["null", '"null"']),
        ([math.nan, "nan"], ["nan", '"nan"']),
        (["a\\nb", "a\nb"], ['"a\\\\nb"', '"a\\nb"']),
        (["e\u0301", "\u00e9"], ['"e\\u0301"', '"\\u00e9"']),
        (["❤\ufe0f", "❤"], ['"\\u2764\\ufe0f"', '"\\u2764"']),
        ([0.1234567, 0.1234568, 1], ["0.1234567", "0.1234568", "1"]),
        ([0.1, 0.1], ["0.1", "0.1"]),
    ],
)
def test_values_that_would_read_alike_are_shown_exactly(values, shown):
    assert list(tell_apart(values)) == shown


@given(st.lists(VALUES | LEAVES, min_size=2, max_size=4))
def test_what_differs_reads_differently(values):
    texts = tell_apart(values)
    assert all(text.isprintable() and text for text in texts)
    for value, text in zip(values, texts, strict=True):
        assert same(value, values[0]) or text != texts[0]


def test_of_long_texts_the_part_around_the_first_difference_is_shown():
    assert clip_apart(["x" * 50 + "a", "x" * 50 + "b"], 20) == ("…" + "x" * 18 + "a", "…" + "x" * 18 + "b")
    assert clip_apart(["x" * 50 + "a" * 50, "x" * 50 + "b"], 20) == ("…xxxxxx" + "a" * 12 + "…", "…xxxxxxb")
    assert clip_apart(["a" * 50, "b" * 50], 20) == ("a" * 19 + "…", "b" * 19 + "…")
    assert clip_apart(["x" * 50, "x" * 51], 20) == ("…" + "x" * 18, "…" + "x" * 19)
    assert clip_apart(["数" * 50 + "a", "数" * 50 + "b"], 20) == ("…" + "数" * 6 + "a", "…" + "数" * 6 + "b")
    assert clip_apart(["short", "long " * 9], 20) == ("short", "long long long long…")
    assert clip_apart(["x" * 50], 20) == ("x" * 19 + "…",)
    assert clip_apart([], 20) == ()


def test_of_three_long_texts_those_that_still_read_alike_are_numbered():
    one, other, third = "x" * 50 + "a" + "y" * 50, "x" * 50 + "a" + "y" * 50 + "z", "b"
    assert clip_apart([one, other, one, third], 20) == ("x" * 14 + "… #1", "x" * 14 + "… #2", "x" * 14 + "… #1", "b #3")


@given(st.lists(TEXTS, min_size=1, max_size=4), st.integers(-1, 60))
def test_clipped_texts_fit_and_stay_apart(texts, width):
    texts = tell_apart(texts)
    clipped = clip_apart(texts, width)
    assert len(set(clipped)) == len(set(texts))
    assert all(display_width(text) <= max(width, 12) for text in clipped)


def test_texts_of_a_megabyte_that_differ_at_the_end_are_clipped_around_it():
    assert clip_apart(["x" * 1_000_000 + "a", "x" * 1_000_000 + "b"], 12) == (
        "…" + "x" * 10 + "a",
        "…" + "x" * 10 + "b",
    )


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        ([("a", "b"), ("c",)], ("a.b", "c")),
        ([("a", "b"), ("a.b",)], ("a.b", '"a.b"')),
        ([("a.b",)], ("a.b",)),
        ([("",), ("a", ""), (" a",)], ('""', 'a.""', '" a"')),
        ([("a\nb",), ("a\\nb",)], ('"a\\nb"', '"a\\\\nb"')),
        ([("a\nb",)], ("a\\nb",)),
        ([('a."x', 'y"'), ("a", "x.y"), ("a", "x", "y")], ('"a.\\"x"."y\\""', 'a."x.y"', "a.x.y")),
    ],
)
def test_a_key_is_dotted_and_quoted_only_where_it_must_be(keys, names):
    assert name_keys(keys) == names


@given(st.lists(st.lists(KEYS, min_size=1, max_size=3).map(tuple), unique=True))
def test_no_two_keys_have_one_name(keys):
    names = name_keys(keys)
    assert len(set(names)) == len(keys)
    assert all(name.isprintable() and name == name.strip() != "" for name in names)


@given(TEXTS)
def test_a_path_is_one_line_with_visible_ends(path):
    name = name_path(path)
    assert name.isprintable()
    assert name == name.strip() != ""
    if name.startswith('"') and path.isprintable():
        assert json.loads(name) == path
