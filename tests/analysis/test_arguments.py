"""Parameters in the words of a command, and their place among those of the files."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.arguments import merge_arguments, parse_arguments, parse_value
from exptrack.model.tree import flatten


@pytest.mark.parametrize(
    ("words", "params"),
    [
        ("--lr 0.1", {"lr": 0.1}),
        ("--lr=0.1 --epochs=5", {"lr": 0.1, "epochs": 5}),
        ("lr=0.1 model.depth=3", {"lr": 0.1, "model.depth": 3}),
        ("+lr=0.1 ++opt.name=sgd ~gone=1", {"lr": 0.1, "opt.name": "sgd"}),
        ("--verbose --lr 1e-5", {"verbose": True, "lr": 1e-5}),
        ("--lr -0.1 --shift -5", {"lr": -0.1, "shift": -5}),
        ("--no-cache", {"no-cache": True}),
        ("--layers 64 32 16 data.csv", {"layers": [64, 32, 16]}),
        ("--name a b", {"name": "a"}),
        ("--lr 1 --lr 2", {"lr": 2}),
        ("--multirun lr=0.1,0.2", {"multirun": True, "lr": "0.1,0.2"}),
        ("-k v -x=1 -lr 3", {}),
        ("-P lr=3", {"lr": 3}),
        ("/a=b 1a=b ./x=y =c http://h?a=b numpy==1.2 a b/c=d", {}),
        ("url=http://h?a=b", {"url": "http://h?a=b"}),
        ("--a 1 -- --b 2 c=3", {"a": 1, "c": 3}),
        ("--in - --out", {"in": "-", "out": True}),
        ("--flag --", {"flag": True}),
        ("--text 'two words' note='a\nb'", {"text": "two words", "note": "a\nb"}),
        ("--empty= other=", {"empty": "", "other": ""}),
        ("--größe 3", {"größe": 3}),
        ("--learning-rate 3 --a_b 4", {"learning-rate": 3, "a_b": 4}),
        ("--config conf.py", {"config": "conf.py"}),
        ("-- --", {}),
    ],
)
def test_what_a_script_was_told(words, params):
    assert parse_arguments(["python", "train.py", *shlex.split(words)]) == params


def test_what_only_the_interpreter_or_a_launcher_was_told_is_no_parameter():
    assert parse_arguments(shlex.split("env A=1 python -X a=b -W c=d -c 'x=1' --lr 0.1")) == {"lr": 0.1}
    assert parse_arguments(shlex.split("torchrun --nproc-per-node 2 train.py --lr 0.1")) == {"lr": 0.1}
    assert parse_arguments([]) == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", 0.1), ("1e-5", 1e-5), ("10", 10), ("010", 10), ("0x1F", 31), ("true", True), ("False", False), ("null", None),
        ("on", "on"), ("yes", "yes"), ("~", "~"), ("", ""), ("nan", "nan"), (".inf", ".inf"), ("-.inf", "-.inf"), ("1e999", "1e999"),
        ("[1, 2]", [1, 2]), ("[1,2]", [1, 2]), ("[a, 'b']", ["a", "b"]), ("[.nan]", ["NaN"]), ('{"a": [1]}', {"a": [1]}), ("{a:1}", "{a:1}"),
        ("[1", "[1"), ("[a: b: c]", "[a: b: c]"), ("{x}", "{x}"), ("a, b", "a, b"), ("[" * 5000 + "]" * 5000, "[" * 5000 + "]" * 5000),
        ("2026-01-31", "2026-01-31"), ("None", "None"), ("'q'", "'q'"),
    ],
)  # fmt: skip
def test_a_value_has_the_type_that_it_reads_as(text, value):
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


@given(
    st.lists(
        st.text(st.sampled_from("-=+ab.1[]{}, ~"), max_size=6)
        | st.sampled_from(["--a", "b=1", "-0.1", "--", "--no-a"]),
        max_size=8,
    )
)
def test_any_words_are_read(words):
    assert isinstance(parse_arguments(["train", *words]), dict)


PARAMS = {
    "params.yaml": {
        "lr": 0.1,
        "learning_rate": 1,
        "model": {"depth": 2, "drop-out": 0.5},
        "cache": True,
        "seed": 1,
        "a.b": 1,
    },
    "conf/other.json": {"seed": 2, "opt": {"name": "sgd"}},
}


def test_a_known_parameter_is_replaced_where_it_stands():
    merged = merge_arguments(
        PARAMS, {"learning-rate": 2, "model.depth": 3, "model.drop_out": 0, "opt.name": "adam", "a.b": 5}
    )
    assert merged == {
        "params.yaml": {
            "lr": 0.1,
            "learning_rate": 2,
            "model": {"depth": 3, "drop-out": 0},
            "cache": True,
            "seed": 1,
            "a.b": 5,
        },
        "conf/other.json": {"seed": 2, "opt": {"name": "adam"}},
    }


def test_all_else_stands_under_args_nested():
    assert merge_arguments(PARAMS, {"batch": 8, "data.path": "x", "model.width": 4})["args"] == {
        "batch": 8,
        "data": {"path": "x"},
        "model": {"width": 4},
    }


def test_a_parameter_of_two_files_is_not_guessed():
    merged = merge_arguments(PARAMS, {"seed": 3})
    assert merged == {**PARAMS, "args": {"seed": 3}}


def test_a_group_is_not_overwritten_by_a_word():
    assert merge_arguments(PARAMS, {"model": "resnet"}) == {**PARAMS, "args": {"model": "resnet"}}


def test_no_turns_a_known_boolean_off_and_nothing_else():
    assert merge_arguments(PARAMS, {"no-cache": True})["params.yaml"]["cache"] is False
    assert merge_arguments(PARAMS, {"no-lr": True}) == {**PARAMS, "args": {"no-lr": True}}
    assert merge_arguments(PARAMS, {"no-cache": "x"}) == {**PARAMS, "args": {"no-cache": "x"}}
    assert merge_arguments({"p": {"no-cache": False, "cache": True}}, {"no-cache": True}) == {
        "p": {"no-cache": True, "cache": True}
    }


def test_nothing_said_changes_nothing_and_the_given_params_are_not_touched():
    before = repr(PARAMS)
    assert merge_arguments(PARAMS, {}) == PARAMS
    merge_arguments(PARAMS, {"model.depth": 9, "x": 1, "no-cache": True})
    assert repr(PARAMS) == before
    assert merge_arguments({}, {"x": 1}) == {"args": {"x": 1}}


@given(st.dictionaries(st.text(st.sampled_from("ab."), max_size=4), st.integers(), max_size=4))
def test_no_argument_is_lost(arguments):
    merged = merge_arguments({"p": {"a": {"b": 0}, "b": 0}}, arguments)
    assert set(arguments.values()) - set(flatten(merged).values()) == set() or any(
        "-" in key or "_" in key for key in arguments
    )
