"""docs/sharing.md is run from its first line to its last."""

from __future__ import annotations

from pathlib import Path

from pages import Shell, is_shown

PAGE = Path(__file__).parents[2] / "docs" / "sharing.md"


def test_the_page_shows_what_happens(tmp_path):
    steps = 0
    for step, came in Shell(tmp_path, tmp_path / "scripts").play(PAGE):
        assert is_shown(step.shown, came), f"$ {step.command}\n" + "\n".join(came)
        steps += 1
    assert steps >= 15


def test_it_is_short():
    assert len(PAGE.read_text(encoding="utf-8").splitlines()) <= 300
