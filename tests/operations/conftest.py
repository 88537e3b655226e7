"""What tests of comparing share."""

from __future__ import annotations

import pytest
from studies import GOAL, Study

from exptrack.operations.compare import Asked, compare
from exptrack.project import Project


@pytest.fixture
def study(repository, git):
    made = Study(repository, git)
    made.declare(GOAL)
    return made


@pytest.fixture
def ask(repository):
    """Compare, opening the project anew."""

    def call(*words, **fields):
        return compare(Project(repository).context, Asked(words, **fields))

    return call
