"""Annotations beside a job: GitHub's workflow commands, GitLab's report."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.backends.host.forge import add_to_report, annotate, format_github


def parse(line):
    """As GitHub's runner reads a workflow command."""
    command, properties, message = re.fullmatch(r"::([a-z-]+)(?: (.*?))?::(.*)", line, re.DOTALL).groups()
    pairs = dict(part.split("=", 1) for part in (properties or "").split(","))
    title = pairs["title"].replace("%3A", ":").replace("%2C", ",")
    unescape = lambda text: text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")  # noqa: E731
    return command, unescape(title), unescape(message)


@given(st.text(), st.text())
def test_what_github_reads_is_what_was_said(title, text):
    line = format_github(title, text, is_warning=True)
    assert "\n" not in line
    assert "\r" not in line
    assert parse(line) == ("warning", title, text)


def test_it_is_one_line():
    said = format_github("exptrack: a,b", "50% of\nit", is_warning=False)
    assert said == "::notice title=exptrack%3A a%2Cb::50%25 of%0Ait"


@pytest.mark.parametrize("before", [None, b"", b"nonsense", b"[1]", b'{"exptrack": 1, "mine": [2]}'])
def test_gitlab_gets_one_link_more(before):
    once = add_to_report(before, "x" * 300, "https://example.com/1")
    twice = json.loads(add_to_report(once, "second", "https://example.com/1"))
    assert [one["external_link"]["label"] for one in twice["exptrack"]] == ["x" * 255, "second"]
    assert twice.get("mine") == ([2] if before and b"mine" in before else None)


def test_elsewhere_nothing_is_written_and_what_cannot_be_is_not(tmp_path, capfd):
    annotate({}, "t", "x", is_warning=True)
    annotate({"GITLAB_CI": "true"}, "t", "x", is_warning=True)
    annotate({"GITLAB_CI": "true", "EXPTRACK_GITLAB_ANNOTATIONS": f"{tmp_path}/no/such"}, "t", "x", is_warning=True)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")
    annotate({"GITHUB_ACTIONS": "true"}, "t", "x", is_warning=False)
    assert capfd.readouterr() == ("", "\n::notice title=t::x\n")
