"""What the words of `log` are taken for where they are no query, no range and no rev as they stand."""

from __future__ import annotations

import pytest

from exptrack.errors import ExptrackError, QueryError
from exptrack.project import Project


@pytest.fixture
def project(exptrack, repository):
    for name in ("one", "two"):
        assert exptrack("run", "--name", name, "--", "true", f"train.rate={len(name)}").returncode == 0
    return Project(repository)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["tag", "=", "best"], "exptrack log 'tag = best'"),
        (["name", "~", "relu*"], "exptrack log 'name ~ relu*'"),
        (["not", "tag", "=", "best"], "exptrack log 'not tag = best'"),
        (["main..", "tag", "=", "best"], "exptrack log main.. 'tag = best'"),
        (["one", "status", "!=", "failed", "and", "tag", "=", "best"], "exptrack log one 'status != failed and tag = best'"),
    ],
)  # fmt: skip
def test_a_query_that_was_not_quoted_is_shown_as_one_word(project, words, line):
    with pytest.raises(ExptrackError) as caught:
        project.log(*words)
    assert str(caught.value) == f"a query is one word, so quote it: {line}"


@pytest.mark.parametrize(
    ("words", "message", "caret"),
    [
        (["rate", "=", "3"], "'rate' is no field: did you mean 'params.train.rate'?", "rate = 3\n^"),
        (["main..", "rate", "=", "3"], "'rate' is no field: did you mean 'params.train.rate'?", "rate = 3\n^"),
        (["tag", "="], "expected a value at the end: quote it if it is a text", "tag =\n     ^"),
        (["="], "expected a comparison before '=', such as 'status = failed'", "=\n^"),
        (["rate = 3"], "'rate' is no field: did you mean 'params.train.rate'?", "rate = 3\n^"),
        (["tag = a", "rate = 3"], "'rate' is no field: did you mean 'params.train.rate'?", "rate = 3\n^"),
    ],
)
def test_the_fault_of_a_query_is_shown_in_its_own_words(project, words, message, caret):
    with pytest.raises(QueryError) as caught:
        project.log(*words)
    assert (str(caught.value), caught.value.caret) == (message, caret)
