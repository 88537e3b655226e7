"""docs/api.md is run in the repository that the tutorial leaves."""

from __future__ import annotations

import doctest
import inspect
import re
from pathlib import Path

import pytest
from pages import Shell, blocks, code, read, table
from studies import GOAL, HIGH, LOW, Study

import exptrack
from exptrack import ActiveRun, ExptrackError, Project, Run

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "api.md"


@pytest.fixture
def slope(tmp_path, monkeypatch):
    shell = Shell(tmp_path, tmp_path / "scripts")
    for _ in shell.play(DOCS / "tutorial.md"):
        pass
    monkeypatch.setenv("PATH", shell.path)
    monkeypatch.chdir(shell.folder)


def test_its_examples_show_what_happens(slope):
    examples = "\n".join(blocks(PAGE, "python"))
    test = doctest.DocTestParser().get_doctest(examples, {}, PAGE.name, str(PAGE), 0)
    said = []
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=said.append)
    assert result.attempted > 20
    assert result.failed == 0, "".join(said)


def test_it_names_every_property_of_a_run():
    public = {name for name in dir(Run) if not name.startswith("_")} - {"count", "index"}
    assert {code(row[0]) for row in table(PAGE, "properties")} == public


def test_it_names_the_errors_that_are_exported():
    errors = {name for name in exptrack.__all__ if re.fullmatch(r"\w+Error", name)} - {"ExptrackError"}
    assert {code(row[0]) for row in table(PAGE, "errors")} == errors
    for name in errors:
        assert issubclass(getattr(exptrack, name), ExptrackError)


def test_it_names_the_columns_of_a_comparison_with_their_types(repository, git):
    study = Study(repository, git)
    study.declare(GOAL)
    study.fill({"lr": 0.1}, LOW)
    study.fill({"lr": 0.3}, HIGH)
    project = Project(repository)
    frame = project.to_dataframe(project.compare(metric="accuracy", baseline="lr=0.1"))
    rows = table(PAGE, "table: frame of a comparison")
    said = {name: code(kind) for names, kind, _ in rows for name in re.findall(r"`([^`]+)`", names)}
    assert {name.replace("params.lr", "params.KEY"): str(kind) for name, kind in frame.dtypes.items()} == said


@pytest.mark.parametrize(
    "method", [name for name, _ in inspect.getmembers(Project, inspect.isfunction) if not name.startswith("_")]
)
def test_it_names_every_method_of_a_project(method):
    # `files` gives what the commands need of a commit, `content` what a person asks for.
    assert method == "files" or f"project.{method}(" in read(PAGE)


def test_it_names_all_of_an_active_run_and_no_more():
    own = {"write", "warn", "settle"}  # for exptrack's own use
    public = {name for name in [*dir(ActiveRun), *vars(ActiveRun(None, None))] if not name.startswith("_")} - own
    named = {name for row in table(PAGE, "active run") for name in re.findall(r"`(\w+)[(`]", row[0])}
    assert named - {"with"} == public
    for row in table(PAGE, "active run"):
        for name, given in re.findall(r"`(\w+)\(([^)]*)\)`", row[0]):
            parameters = [
                str(one).split(":")[0] for one in inspect.signature(getattr(ActiveRun, name)).parameters.values()
            ]
            said = re.findall(r"\*?\w+(?=[=,]|$)", re.sub(r"=\w+", "", given))
            assert said == parameters[1 : len(said) + 1], name


@pytest.mark.parametrize("name", [name for name in exptrack.__all__ if name.islower()])
def test_each_function_for_scripts_is_named(name):
    assert re.search(rf"`(?:exptrack\.)?{name}\(", read(PAGE)), name
