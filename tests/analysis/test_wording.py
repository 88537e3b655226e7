"""Counts and names in sentences."""

from __future__ import annotations

import pytest

from exptrack.analysis.wording import counted, name_few


@pytest.mark.parametrize(("number", "shown"), [(0, "0 files"), (1, "1 file"), (1003, "1,003 files")])
def test_a_count_has_its_word(number, shown):
    assert counted(number, "file") == shown


@pytest.mark.parametrize(
    ("names", "shown"),
    [("", ""), ("a", "a"), ("ab", "a and b"), ("abcd", "a, b, c and d"), ("abcde", "a, b, c and 2 more")],
)
def test_of_many_names_the_first_few_are_told(names, shown):
    assert name_few(list(names), 3, " and ") == shown


def test_names_that_are_listed_have_commas_alone_until_there_are_more():
    assert name_few(["a", "b"], 1) == "a, b"
    assert name_few(["a"] * 2003, 1) == "a and 2,002 more"
