"""The package's face."""

from __future__ import annotations

import pytest

import exptrack


def test_what_is_public_is_there_and_nothing_else():
    for name in exptrack.__all__:
        assert getattr(exptrack, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        exptrack.Nothing  # noqa: B018


def test_a_project_gives_its_runs(repository):
    project = exptrack.Project(repository)
    assert list(project.runs()) == []
    assert project.settings.metrics == {}
