"""The package's face."""

from __future__ import annotations

import pytest

import exptrack
from exptrack import Project


def test_what_is_public_is_there_and_nothing_else():
    for name in exptrack.__all__:
        assert getattr(exptrack, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        exptrack.Nothing  # noqa: B018


def test_a_project_gives_its_runs(repository):
    project = exptrack.Project(repository)
    assert list(project.runs()) == []
    assert project.settings.metrics == {}


def test_a_run_may_be_given_by_its_rev(repository, exptrack):
    (repository / "exptrack.yaml").write_text("capture:\n  patterns: ['loss (?P<loss>.*)']\n")
    exptrack("run", "--name", "brave-otter", "--", "echo", "loss 0.5")
    project = Project(repository)
    [run] = project.runs()
    assert project.environment("brave") == project.environment(run)
    assert [point.value for point in project.history("@", "loss")] == [0.5]
    assert project.content("brave-otter", "params.yaml").data == b"lr: 0.25\n"
    assert repr(project.runs()) == "<Runs: 1 (brave-otter)>"
    assert repr(project) == f"<Project: {repository}>"
