"""Pages that walk through a job are run from their first line to their last."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import Shell, is_shown, normalise

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize(("page", "fewest"), [("tutorial.md", 20), ("reproducibility.md", 8), ("promotion.md", 15)])
def test_the_page_shows_what_happens(page, fewest, tmp_path):
    steps = 0
    for step, came in Shell(tmp_path, tmp_path / "scripts").play(DOCS / page):
        assert is_shown(step.shown, came), f"$ {step.command}\n" + "\n".join(came)
        steps += 1
    assert steps >= fewest


def test_they_are_short():
    for page in ("tutorial.md", "reproducibility.md", "promotion.md"):
        assert len((DOCS / page).read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize(
    ("line", "normal"),
    [
        ("run  first  4a12466b91a83fe4af5e18b4e484fc1bae7e7569", "run first <oid>"),
        ("index f902e5c..85be63c 100644", "index <oid>..<oid> 100644"),
        ("started   2026-11-21 03:12:49 UTC, took 0.1s", "started <time>, took <age>"),
        ("author    Ada <ada@example.com> on vm", "author Ada <ada@example.com> on <host>"),
        ("loss  0.00119631", "loss 0.00119631"),
    ],
)
def test_what_differs_from_day_to_day_is_left_out(line, normal):
    assert normalise(line) == normal


@pytest.mark.parametrize(
    ("shown", "came", "same"),
    [
        (["a", "b"], ["a", "b"], True),
        (["a", "…", "d"], ["a", "b", "c", "d"], True),
        (["a", "…"], ["a"], True),
        (["a"], ["a", "b"], False),
        (["a", "…", "d"], ["a", "b"], False),
        (["a 1s"], ["a   2m"], True),
    ],
)
def test_dots_stand_for_any_lines_and_nothing_else_does(shown, came, same):
    assert is_shown(tuple(shown), came) is same
