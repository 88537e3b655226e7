"""Pages that walk through a job are run from their first line to their last."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import Shell, is_shown, normalise, shape

DOCS = Path(__file__).parent.parent / "docs"
# A grid of 8 configurations in place of 18, and 5 fresh runs in place of 10.
SMALLER = {
    "sgd momentum adam": "sgd adam",
    "[sgd, momentum, adam]": "[sgd, adam]",
    "5 10 20": "5 20",
    "[5, 10, 20]": "[5, 20]",
    "--fresh 10": "--fresh 5",
}


@pytest.mark.parametrize(("page", "fewest"), [("tutorial.md", 20), ("reproducibility.md", 8), ("promotion.md", 15)])
def test_the_page_shows_what_happens(page, fewest, tmp_path):
    steps = 0
    for step, came in Shell(tmp_path, tmp_path / "scripts").play(DOCS / page):
        assert is_shown(step.shown, came), f"$ {step.command}\n" + "\n".join(came)
        steps += 1
    assert steps >= fewest


def test_a_smaller_study_says_line_by_line_what_the_page_shows_of_the_whole_one(tmp_path):
    shell = Shell(tmp_path, tmp_path / "scripts")
    shell.lend("numpy", "PyYAML")
    commands = set()
    for step, came in shell.play(DOCS / "tutorial-hypothesis.md", SMALLER):
        shown, there = {shape(line) for line in step.shown} - {"…"}, {shape(line) for line in came}
        assert shown <= there, f"$ {step.command}\n" + "\n".join(came)
        if "…" not in step.shown:
            assert there == shown, f"$ {step.command}\n" + "\n".join(came)
        commands |= {*step.command.split()[1:2]} if step.command.startswith("exptrack") else set()
    assert {"experiments", "ls", "compare", "select", "unseal", "conclude"} <= commands
    assert "**Accepted:**" in (shell.folder / "conclusion.md").read_text()


def test_they_are_short():
    for page in ("tutorial.md", "reproducibility.md", "promotion.md", "tutorial-hypothesis.md"):
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
    ("line", "form"),
    [
        ("lr=0.1, opt=sgd (baseline)  3  94.07  0.85   ├──●─┤ │   ", "<parameters> (baseline) # # # <bar>"),
        ("lr=0.1, opt=adam  13  94  0.9  ·│ ·  not enough runs", "<parameters> # # # <bar> <verdict>"),
        ("  better: accuracy +2.64 points [95% CI +2.00, +3.28]", "<verdict>"),
        ("it looks 3.4 better than the baseline", "it looks # better than the baseline"),
    ],
)
def test_what_a_study_finds_is_left_out(line, form):
    assert shape(line) == form


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
