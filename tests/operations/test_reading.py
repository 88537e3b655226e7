"""The library reads what the commands show."""

from __future__ import annotations

import math
import sys

import pytest

from exptrack.analysis.history import Point
from exptrack.errors import ExptrackError, QueryError, RevError
from exptrack.operations.histories import parse_history
from exptrack.project import Project


@pytest.fixture
def project(exptrack, repository):
    for name in ("one", "two", "three"):
        assert exptrack("run", "--name", name, "--", sys.executable, "train.py").returncode == 0
    return Project(repository)


def test_runs_are_selected_by_words(project):
    assert [run.name for run in project.log()] == ["three", "two", "one"]
    assert [run.name for run in project.log("one..", number=1)] == ["three"]
    assert [run.name for run in project.log("main", "name != two")] == ["three", "one"]
    with pytest.raises(RevError):
        project.log("nothing")
    with pytest.raises(QueryError):
        project.log("name =")


def test_a_file_and_a_folder_are_given(project):
    run = project.run("one")
    assert project.content(run, "metrics.json").data == b'{\n  "accuracy": 0.75\n}\n'
    assert project.content(run, "").names == (".exptrack/", ".gitignore", "metrics.json", "params.yaml", "train.py")
    with pytest.raises(ExptrackError, match=r"^run 'one' has no 'metric.json', did you mean 'metrics.json'\?$"):
        project.content(run, "metric.json")


def test_a_history_is_given_as_points():
    data = b"timestamp\tstep\tloss\n1500\t0\t1\n2500\t0.5\tinf\nbroken\n3500\ta b\t-2e-3\nx\t1\t2\n4500\t3\tnan\n"
    *points, last = parse_history(data)
    assert points == [Point(1.5, 0, 1.0), Point(2.5, 0.5, math.inf), Point(3.5, "a b", -0.002)]
    assert (last.time, last.step) == (4.5, 3)
    assert math.isnan(last.value)
    assert parse_history(b"") == ()


def test_a_run_without_histories_says_so(project):
    with pytest.raises(ExptrackError, match=r"^run 'one' has no histories: no metric was logged while it ran$"):
        project.history(project.run("one"), "loss")
