"""The bar is that of a commit, never of the work tree, and what another commit has otherwise is told."""

from __future__ import annotations

import pytest

from exptrack.errors import SettingsError
from exptrack.model.change import Kind
from exptrack.model.checking import Bar
from exptrack.model.reproduction import Level
from exptrack.model.settings import Settings
from exptrack.operations.checking.bar import compare_bars, read_bar
from exptrack.project import Project


@pytest.fixture
def commit(repository, git):
    def call(text: str | None, folder: str = ".") -> str:
        """A commit with this exptrack.yaml, or without one."""
        file = repository / folder / "exptrack.yaml"
        file.parent.mkdir(exist_ok=True)
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text)
        git("add", "--all", cwd=repository)
        git("commit", "--quiet", "--allow-empty", "-m", "settings", cwd=repository)
        return git("rev-parse", "HEAD", cwd=repository)

    return call


@pytest.fixture
def context(repository):
    return Project(repository, settings=Settings()).context


def test_the_bar_is_that_of_the_commit(context, commit, repository):
    oid = commit("check: {require: exact, reruns: 2, timeout: 1m, ignore: docs/}\nmetrics: {loss: minimize}\n")
    (repository / "exptrack.yaml").write_text("check: {require: conceptual}\n")
    settings, bar, source = read_bar(context, oid, "main")
    assert bar == Bar(Level.EXACT, 2, 60.0, ("docs/",))
    assert (list(settings.metrics), source) == (["loss"], "main")


def test_without_a_file_the_defaults_count(context, commit):
    assert read_bar(context, commit(None), "main") == (Settings(), Bar(), "the defaults")
    assert read_bar(context, None, "main") == (Settings(), Bar(), "the defaults")


def test_an_empty_file_is_somebodys(context, commit):
    assert read_bar(context, commit(""), "main") == (Settings(), Bar(), "main")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("check: {requires: exact}", "unknown key 'check.requires', did you mean 'require'?"),
        ("check: {similar: lots}", "'check.similar' must be a share such as 0.05, or a percentage such as '5%'"),
        ("compare: {code: 1}", "'compare.code' must be a list of texts"),
        ("check: {", "line "),
    ],
)
def test_a_bar_that_cannot_be_read_is_named_with_its_commit(context, commit, text, problem):
    with pytest.raises(SettingsError) as raised:
        read_bar(context, commit(text), "origin/main")
    assert str(raised.value).startswith(f"exptrack.yaml of origin/main: {problem}")


def test_a_project_below_the_root_has_its_own_file(context, commit):
    oid = commit("check: {require: exact}\n", "sub")
    below = context._replace(project="sub")
    assert read_bar(below, oid, "main")[1].require is Level.EXACT
    assert read_bar(context, oid, "main")[2] == "the defaults"
    broken = commit("check: 1\n", "sub")
    with pytest.raises(SettingsError, match=r"^sub/exptrack\.yaml of main: 'check' must be a mapping$"):
        read_bar(below, broken, "main")


def changes(context, old: str, new: str) -> list[tuple]:
    return [
        (".".join(one.key), one.kind, one.old, one.new)
        for one in compare_bars(context, read_bar(context, old, "main")[0], new)
    ]


def test_what_a_branch_lowers_is_told(context, commit):
    old, new = commit("check: {require: exact}\n"), commit("check: {reruns: 2}\n")
    assert changes(context, old, new) == [
        ("check.require", Kind.CHANGED, "exact", "statistical"),
        ("check.reruns", Kind.CHANGED, 1, 2),
    ]
    assert changes(context, old, old) == []


def test_a_file_that_is_gone_is_one_change(context, commit):
    old, new = commit("check: {require: exact}\nseed: s\n"), commit(None)
    assert changes(context, old, new) == [("exptrack.yaml", Kind.CHANGED, "there", "gone")]


def test_a_file_that_said_nothing_may_go(context, commit):
    assert changes(context, commit(""), commit(None)) == []


@pytest.mark.parametrize(
    "text", ["check: {require: very}", "check: {volatile: 1}", "compare: {code: 1}", "a: [", "x: 1"]
)
def test_a_broken_file_is_a_change_and_no_error(context, commit, text):
    old, new = commit("check: {require: exact}\n"), commit(text)
    [(key, kind, before, after)] = changes(context, old, new)
    assert (key, kind, before) == ("exptrack.yaml", Kind.CHANGED, "readable")
    assert after.startswith("broken, ")
    assert "exptrack.yaml of" not in after


def test_a_broken_file_may_be_new(context, commit):
    [(key, kind, before, _)] = changes(context, commit(None), commit("a: ["))
    assert (key, kind, before) == ("exptrack.yaml", Kind.ADDED, None)
