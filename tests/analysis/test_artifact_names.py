"""Which names an artifact may have."""

from __future__ import annotations

import pytest

from exptrack.analysis.artifacts import FOLDER, check_name
from exptrack.analysis.trust import is_inside
from exptrack.errors import ExptrackError


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("loss.png", "loss.png"),
        ("plots/épo que/图.png", "plots/épo que/图.png"),
        ("./a//b/./c", "a/b/c"),
        ("-x", "-x"),
        ("a:b\\c", "a:b\\c"),
        ("x" * 250, "x" * 250),
    ],
)
def test_a_name_may_have_folders_and_is_made_plain(name, plain):
    assert check_name(name) == plain
    assert is_inside(FOLDER + plain, is_data=True)


@pytest.mark.parametrize(
    "name",
    [
        "", " ", ".", "./", "/etc/passwd", "..", "../a", "a/../../b", "a/..", "a/", "a\nb", "a\0b", "\x1b[31m", "a\x9bb", "x" * 251,
        "é" * 126, "/".join(["x" * 200] * 6), "\udc80", ".git/config", "a/.GIT/x", "a/.dvc/config", "git~1", None, 3, b"a",
    ],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_or_cannot_be_written_is_refused(name):
    with pytest.raises(ExptrackError, match="cannot be named"):
        check_name(name)
