"""The scripts that comment stand in two files, since each forge reads its own: where the forges are alike, so are they."""

from __future__ import annotations

import ast

import pytest
from checks import HOLDS, checked
from workflows import read

from exptrack.render.checkmarkdown import MARKER, format_markdown

SCRIPTS = (
    read("github/exptrack-check.yml")["jobs"]["comment"]["steps"][-1]["run"],
    read("gitlab/exptrack.gitlab-ci.yml")["exptrack-comment"]["script"][0].split("<<'END'\n")[1].split("\nEND\n")[0],
)
GITHUB, GITLAB = map(ast.parse, SCRIPTS)


def functions(tree: ast.Module) -> dict[str, str]:
    return {one.name: ast.dump(one) for one in tree.body if isinstance(one, ast.FunctionDef)}


def constants(tree: ast.Module) -> dict[str, object]:
    assigned = [one for one in tree.body if isinstance(one, ast.Assign) and isinstance(one.value, ast.Constant)]
    return {ast.unparse(one.targets[0]): one.value.value for one in assigned}


def test_what_an_unreviewed_job_left_is_read_alike():
    assert functions(GITHUB)["read"] == functions(GITLAB)["read"]
    assert constants(GITHUB).items() >= {"MARKER": MARKER, "SIZE": constants(GITLAB)["SIZE"]}.items()
    assert constants(GITLAB)["MARKER"] == MARKER


def test_they_go_the_same_way():
    assert [*functions(GITHUB)] == ["read", "call", "find_comment", "post"]
    assert [*functions(GITLAB)] == ["read", "call", "find_note", "post"]


@pytest.mark.parametrize("tree", [GITHUB, GITLAB])
def test_a_report_of_any_length_fits(tree):
    report = format_markdown(checked(*[HOLDS] * 500))
    assert report.startswith(MARKER)
    assert len(report) <= constants(tree)["SIZE"]
