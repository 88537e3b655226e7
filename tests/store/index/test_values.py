"""A fact is kept as a kind and a value, and comes back as it was."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.store.index import values
from exptrack.store.index.values import (
    ANY,
    decode_fact,
    decode_text,
    decode_time,
    encode_fact,
    encode_time,
    find_kind,
    find_text,
)

TEXTS = st.text(st.characters(exclude_categories=()))
FACTS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(2**64), 2**64), st.floats(), TEXTS, st.sampled_from([[], {}])
)


def through_sqlite(kind: int, value: object) -> object:
    connection = sqlite3.connect(":memory:")
    connection.text_factory = decode_text
    connection.execute("CREATE TABLE facts(value)")
    connection.execute(f"INSERT INTO facts VALUES ({ANY.format(1)})", (value,))
    [(kept,)] = connection.execute("SELECT value FROM facts")
    connection.close()
    return decode_fact(kind, kept)


@given(FACTS)
def test_a_fact_comes_back_as_it_was(fact):
    back = through_sqlite(*encode_fact(fact))
    assert (type(back), repr(back)) == (type(fact), repr(fact))


@pytest.mark.parametrize(
    "fact", ["", "\udcff", "a\0b", 2**63, -(2**63), -(2**63) - 1, float("nan"), -0.0, float("-inf")]
)
def test_what_sqlite_has_no_value_for_comes_back_as_it_was(fact):
    assert repr(through_sqlite(*encode_fact(fact))) == repr(fact)


@given(st.lists(FACTS, min_size=1, max_size=4))
def test_the_kind_of_many_is_that_of_each(facts):
    kind = find_kind(facts)
    if kind is not None:
        assert {encode_fact(fact)[0] for fact in facts} == {kind}
        assert [through_sqlite(kind, fact) for fact in facts] == facts


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ([1.5, 2.0], values.FLOAT), ([1, 2], values.WHOLE), (["a", "b"], values.TEXT), ([True, False], values.BOOLEAN),
        ([1, 2.0], None), ([1.0, float("nan")], None), ([1, 2**63], None), (["a", "\udcff"], None), ([None], None), ([[]], None),
    ],
)  # fmt: skip
def test_many_that_are_bound_as_they_are_have_one_kind(facts, kind):
    assert find_kind(facts) == kind


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_comes_back_to_the_microsecond(moment):
    assert decode_time(encode_time(moment)) == moment
    assert encode_time(datetime(1970, 1, 2, 0, 0, 1, 5, UTC)) == 86_401_000_005


def test_nothing_is_bound_as_nothing():
    assert [find_text(text) for text in (None, "", "é", "\udcff")] == [None, "", "é", b"\xed\xb3\xbf"]
