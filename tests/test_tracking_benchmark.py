"""`benchmarks/tracking.py` measures trackers beside each other, and kills them."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.measure import BenchmarkError  # noqa: E402
from benchmarks.report import BEGIN, check_page, write_page  # noqa: E402
from benchmarks.trackers import TOOLS  # noqa: E402
from benchmarks.trackertable import Figures, Killed, format_tools  # noqa: E402
from benchmarks.tracking import MARKS, PAGE, SMALL, World, kill, measure  # noqa: E402
from benchmarks.worlds import seal  # noqa: E402

OURS = Figures("exptrack, run.log_metrics", "1.0", ({"call": 2e-6, "cpu": 4e-6, "rate": 2e5},), (Killed(9, 9, True),))


def made(tool: str, call: float, *kills: Killed) -> Figures:
    return Figures(tool, "1.0", ({"call": call, "cpu": call, "rate": 1 / call},), kills)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path, seal(tmp_path / "home"))


def test_each_part_is_measured(world, monkeypatch):
    monkeypatch.setattr("benchmarks.tracking.TOOLS", {name: one for name, one in TOOLS.items() if "X" not in name})
    parts = list(measure(world, SMALL._replace(long=0.05, points=300)))
    assert [part.splitlines()[0] for part in parts] == [
        "### three metrics a step, beside other trackers",
        "### a million points",
        "### a run that logs nothing, in milliseconds",
        "### the recorder, beside a script",
        "### several at once",
    ]
    ours, functions = parts[0].splitlines()[4:6]
    assert ours.startswith("| exptrack, run.log_metrics (")
    assert functions.startswith("| exptrack.log_metrics (")
    assert ours.endswith("| yes |")
    assert "\n| 300 calls, 1 metric each |" in parts[1]
    assert "\n| 4 forked processes |" in parts[4]


@pytest.mark.parametrize(
    ("tool", "survives"), [("exptrack.log_metrics", True), ("DVCLive", True), ("tensorboardX", False)]
)
def test_a_kill_shows_who_loses_nothing(world, tool, survives):
    if not find_spec(TOOLS[tool].module):
        pytest.skip(f"{tool} is not installed: it is of the extra peers")
    found = kill(world, tool, world.make("killed"), 0.1)
    assert found.noted > 0
    assert found.whole
    # What a queue still held is lost, unless the last call had not yet returned.
    assert found.steps >= found.noted if survives else found.steps <= found.noted + 1


def test_it_is_judged_beside_the_fastest_that_survives():
    lossy, slow = made("lossy", 1e-5, Killed(9, 3, True)), made("slow", 1e-4, Killed(9, 10, True))
    text = format_tools([OURS, lossy, slow, made("slower", 1e-3, Killed(9, 9, True)), Figures("gone", None)])
    assert "| lossy (1.0) | 10.0 | 10.0 | 10.0 | 5.0 | 10.0 | 100,000 | 100,000 | lost 6 of 9 | no |" in text
    assert "| gone |  |  |  |  |  |  |  |  | not installed |" in text
    assert text.endswith("the fastest is slow: `run.log_metrics` is 50 times as fast (promised: 20; met).")
    fast = format_tools([OURS, made("fast", 3e-5, Killed(9, 9, True))])
    assert fast.endswith("is 15 times as fast (promised: 20; missed).")
    twice = made("twice", 1e-4, Killed(9, 12, False))
    assert "| lost 0 of 9, not in order | no |" in format_tools([OURS, twice])


def test_the_figures_go_between_their_own_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"a\n{MARKS[0]}\nold\n{MARKS[1]}\n{BEGIN}\nothers\n")
    write_page(page, "new", MARKS)
    assert page.read_text() == f"a\n{MARKS[0]}\nnew\n{MARKS[1]}\n{BEGIN}\nothers\n"
    with pytest.raises(BenchmarkError, match="has no lines"):
        check_page(page)


def test_the_page_has_them():
    if not os.access(PAGE, os.W_OK):
        pytest.skip("the page cannot be written here")
    check_page(PAGE, MARKS)
