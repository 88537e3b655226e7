"""Bars on a terminal."""

from __future__ import annotations

import sys

from screen import watch

SCRIPT = """
import sys, time
from exptrack.cli.progress import Bars
bars = Bars()
bars.end()
bars.begin("reading", 3)
print("loaded" if "rich" in sys.modules else "spared")
time.sleep(0.6)
bars.advance(2)
bars.end()
print("answer")
bars.advance(1)
bars.begin("again", 3)
bars.advance(1)
bars.end()
print("done", end="")
"""


def test_bars_are_away_when_their_task_has_ended_and_may_begin_again(tmp_path):
    status, screen = watch([sys.executable, "-c", SCRIPT], tmp_path)
    assert status == 0
    assert "reading" in screen
    assert "2 of 3" in screen
    assert screen.startswith("spared\n")
    assert screen.endswith("answer\ndone")
    assert "again" not in screen
