"""YAML 1.2 as DVC reads it: the same values as ruamel's, and a round trip for everything that we write."""

from __future__ import annotations

import math

import pytest
import yaml
from dvc.utils.serialize import loads_yaml
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.yaml12 import dump_yaml, load_yaml, parse_scalar

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
WORDS = st.from_regex(r"[-+.]?[0-9oxbeEnayNY_:.]{0,8}", fullmatch=True) | st.sampled_from(
    [
        "on",
        "Off",
        "yes",
        "NO",
        "null",
        "~",
        "true",
        "False",
        "=",
        "<<",
        "2001-01-01",
        "2001-01-01 12:30:00",
        ".inf",
        "-.INF",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS | WORDS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | WORDS, inner, max_size=3), max_leaves=12
)
TREES = st.dictionaries(TEXTS | WORDS, VALUES, max_size=4)

SCALARS = (
    "1e-5 1e5 1E+5 1. .5 -.5 1.5e3 1.e3 on off yes no y n 010 08 0o10 0o7_1 0x1F -0x1F 0b11 1_000 1__0 0_7 00 +1 -1 -0 -0.0 1e400 "
    ".inf -.inf +.inf .INF ~ null Null NULL nULL true True TRUE tRUE 1:30 1:30.5 12:30:45 0o8 0x 1e 1.2.3 0.1_5 1-2 a .a .. "
    "123456789012345678901234567890 -.infinity nan inf 1e5x 0.1.0 +.nan 1,000 5% 3rd"
)


@pytest.mark.parametrize("word", SCALARS.split())
def test_a_plain_scalar_means_what_dvc_reads(word):
    ours, theirs = load_yaml(f"a: {word}")["a"], loads_yaml(f"a: {word}")["a"]
    assert (ours, type(ours)) == (theirs, type(theirs))
    assert (parse_scalar(word), type(parse_scalar(word))) == (theirs, type(theirs))


@pytest.mark.parametrize(
    "text",
    [
        "b: &x {p: 1, q: 2}\nc: {<<: *x, p: 3}",
        "b: &x {p: 1}\nd: &y {p: 2, r: 3}\nc:\n  <<: [*x, *y]\n  q: 9",
        "c: {p: 1, <<: {p: 2, q: 4}}",
        "c: {'<<': {a: 1}}",
        "a: &l [1, {b: 2}]\nb: *l",
        "a: !!str 3\nb: !!float 3\nc: !!int '3'",
        "a: '1'\nb: \"1e5\"\nc: |\n  x\n  y\nd: >-\n  1\n  2",
        "- 1\n- [a, {b: null}]",
        "a:\nb: {}\nc: []",
        "# nothing but a comment\nx: ü # and one more\n",
        'a: "\\x41\\u00e9"',
        "---\na: 1\n...\n",
    ],
)
def test_a_document_means_what_dvc_reads(text):
    assert load_yaml(text) == loads_yaml(text)


def test_what_ruamel_reads_in_its_own_way_is_read_as_the_core_schema_says():
    assert load_yaml("{a: .5e3, b: 2001-01-01, c: 2001-01-01T10:00:00Z, d: =}") == {
        "a": 500.0,
        "b": "2001-01-01",
        "c": "2001-01-01T10:00:00Z",
        "d": "=",
    }
    assert load_yaml("a: 0b") == {"a": "0b"}


def test_nan_is_a_float():
    value = load_yaml("a: .nan")["a"]
    assert isinstance(value, float)
    assert math.isnan(value)


def test_a_key_becomes_the_word_that_was_written():
    assert load_yaml("{1: a, true: b, ~: c, 1e-5: d, on: e}") == {
        "1": "a",
        "true": "b",
        "~": "c",
        "1e-5": "d",
        "on": "e",
    }


def test_an_empty_document_is_none():
    assert [load_yaml(text) for text in ("", "---\n", "# a comment\n", "\n\n")] == [None] * 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: key 'a' stands here a second time, first in line 1"),
        ("a: 1\nb:\n  1: x\n  '1': y", "line 4: key '1' stands here a second time, first in line 3"),
        ("a: b: c", "line 1: mapping values are not allowed in this context"),
        ("a: 1\nb: é\nc: \x07", "line 3: a character that YAML does not allow"),
        ("a: 1\nb: \udc80", "line 2: a character that YAML does not allow"),
        ("a: 1\n--- 2", "line 2: a second document begins here"),
        ("a:\n  b: *x", "line 2: alias *x stands for nothing"),
        ("a: &a [*a]", "line 1: a value that contains itself"),
        ("\na: !!python/object/apply:os.system [x]", "line 2: a tag that means nothing here: tag:yaml.org,2002:python/object/apply:os.system"),
        ("a: !!int x", "line 1: a tag that means nothing here: tag:yaml.org,2002:int"),
        ("? [1, 2]\n: 3", "line 1: a key must be a word, not a list, a mapping or an alias"),
        ("a: {<<: 1}", "line 1: only a mapping or a list of mappings can be merged with '<<'"),
        ("a: {<<: {b: 1}, <<: {c: 1}}", "line 1: key '<<' stands here a second time, first in line 1"),
        ("a: " + "[" * 50_000, "line 1: nested more than 200 deep"),
        ("a:\n  - &a [x, x]\n" + "".join(f"  - &{new} [{','.join(['*' + old] * 10)}]\n" for old, new in zip("abcdefg", "bcdefgh", strict=True)),
         "line 8: more than 1,000,000 values"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_with_its_line(text, message):
    with pytest.raises(ValueError) as raised:
        load_yaml(text)
    assert str(raised.value) == message


@given(st.text(st.sampled_from(" \n\t:-[]{}'\"#&*!|>%@,?ab1."), max_size=30))
def test_any_text_is_read_or_refused_in_one_line(text):
    reason = ""
    try:
        load_yaml(text)
    except ValueError as error:
        reason = str(error)
    assert "\n" not in reason


@given(TREES)
def test_what_is_written_reads_back_equal(tree):
    assert load_yaml(dump_yaml(tree)) == tree


@given(TREES)
def test_what_is_written_means_the_same_to_dvc_and_to_pyyaml(tree):
    text = dump_yaml(tree)
    assert loads_yaml(text) == tree
    assert yaml.safe_load(text) == tree


def test_the_order_of_keys_is_kept():
    assert dump_yaml({"b": 1, "a": {"z": 1e-5, "x": [1, None]}, "on": "yes"}) == (
        "b: 1\na:\n  z: 1.0e-05\n  x:\n  - 1\n  - null\n'on': 'yes'\n"
    )


def test_a_tuple_is_written_as_a_list_and_nothing_as_an_alias():
    shared = {"x": 1}
    assert load_yaml(dump_yaml({"a": (1, 2), "b": shared, "c": shared})) == {"a": [1, 2], "b": shared, "c": shared}
    assert "&" not in dump_yaml({"b": shared, "c": shared})


def test_a_lone_surrogate_is_written_as_the_replacement_character():
    assert load_yaml(dump_yaml({"a": "x\udc80"})) == {"a": "x\ufffd"}
