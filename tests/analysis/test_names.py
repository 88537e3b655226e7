"""Names of runs."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.names import _ADJECTIVES, _ANIMALS, _LETTERS, check_name, is_name, make_up
from exptrack.errors import ExptrackError


@given(st.randoms(use_true_random=False))
def test_a_made_up_name_is_a_name(chance):
    name = make_up(chance.randrange)
    assert is_name(name)
    assert re.fullmatch(r"[a-z]+-[a-z]+-[0-9a-hjkmnp-tv-z]{4}", name)


def test_the_token_decides_alone():
    assert make_up(lambda count: 0) == "able-badger-0000"
    assert make_up(lambda count: count - 1) == "wise-wren-zzzz"


def test_made_up_names_seldom_repeat():
    chance = random.Random(1)
    assert len({make_up(chance.randrange) for _ in range(5000)}) > 4990


def test_the_words_are_many_short_and_different():
    for words in (_ADJECTIVES, _ANIMALS):
        assert len(set(words)) == len(words) == 64
        assert all(3 <= len(word) <= 8 and word.isascii() and word.islower() for word in words)
    assert len(set(_LETTERS)) == 32
    assert not set("ilou") & set(_LETTERS)


@pytest.mark.parametrize("name", ["a", "0", "brave-otter-k3f9", "deadbeef", "a--b", "a" * 100])
def test_what_can_be_a_name(name):
    assert is_name(name)
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("My Run", "'My Run' cannot name a run: use at most 100 of a-z, 0-9 and inner hyphens, such as 'my-run'"),
        ("a/b", "'a/b' cannot name a run: use at most 100 of a-z, 0-9 and inner hyphens, such as 'a-b'"),
        ("-a-", "'-a-' cannot name a run: use at most 100 of a-z, 0-9 and inner hyphens, such as 'a'"),
        ("a\n", "'a\\n' cannot name a run: use at most 100 of a-z, 0-9 and inner hyphens, such as 'a'"),
        ("", "'' cannot name a run: use at most 100 of a-z, 0-9 and inner hyphens"),
        ("..", "'..' cannot name a run: use at most 100 of a-z, 0-9 and inner hyphens"),
        ("lauf_ä.2", "'lauf_ä.2' cannot name a run: use at most 100 of a-z, 0-9 and inner hyphens, such as 'lauf-2'"),
        (
            "a" * 101,
            f"'{'a' * 100}…' cannot name a run: use at most 100 of a-z, 0-9 and inner hyphens, such as '{'a' * 100}'",
        ),
    ],
)
def test_what_cannot_is_refused_with_one_that_can(text, message):
    assert not is_name(text)
    with pytest.raises(ExptrackError) as raised:
        check_name(text)
    assert str(raised.value) == message


@given(st.text(max_size=150))
def test_an_advised_name_is_a_name(text):
    advised = "a"
    try:
        check_name(text)
    except ExptrackError as error:
        found = re.search(r", such as '([^']*)'$", str(error))
        advised = found[1] if found else advised
    assert is_name(advised)
