"""`benchmarks/growth.py` measures how time and memory grow with the runs, and draws it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT))  # at the end: an installed package comes first

from benchmarks.growth import MARKS, PAGE, PICTURE, SMALL, measure_growth  # noqa: E402
from benchmarks.growthcases import ALL, BUILD, FLOOR, LATEST, RECORD, REFRESH, WARM  # noqa: E402
from benchmarks.growthpicture import draw  # noqa: E402
from benchmarks.growthtable import format_growth  # noqa: E402
from benchmarks.growthworld import World, add_more, copy, keep_runs  # noqa: E402
from benchmarks.measure import Case, Group, Row, measure  # noqa: E402
from benchmarks.populate import add_runs, make_runs  # noqa: E402
from benchmarks.report import check_page  # noqa: E402
from benchmarks.worlds import seal  # noqa: E402

MEGA = 10**6


@pytest.fixture
def world(tmp_path):
    (tmp_path / "kept").mkdir()
    return World(tmp_path, tmp_path / "kept", seal(tmp_path / "home"))


def made(seconds, peak=20 * MEGA):
    return Row("a group", Case("a case", (), Path()), (seconds,), (seconds,), (peak,), None, ())


FOUND = {
    FLOOR: {100: made(0.002), 1_000: made(0.003), 100_000: made(0.1)},
    LATEST: {100: made(0.05), 1_000: made(0.05), 100_000: made(0.3, 290 * MEGA)},
    ALL: {100: made(0.06), 1_000: made(0.1), 100_000: made(2.0, 310 * MEGA)},
    BUILD: {100: made(0.1), 1_000: made(0.2), 100_000: made(16.0, 90 * MEGA)},
    RECORD: {100: made(0.1), 1_000: made(0.1), 100_000: made(0.14)},
    WARM: {100: made(0.7), 1_000: made(0.9)},
}


def test_all_of_it_is_measured(world):
    found = measure_growth(world, SMALL._replace(dvc=0))
    assert {tuple(points) for points in found.values()} == {SMALL.runs}
    assert {FLOOR, LATEST, BUILD, REFRESH, RECORD} <= set(found)
    assert all(row.median > 0 and max(row.peaks) > MEGA for points in found.values() for row in points.values())
    text = format_growth(found)
    assert "\n### 60 runs, in full\n" in text
    assert b"exptrack ls -n 20, first build" in draw(found, "svg")


def test_what_was_promised_is_judged():
    text = format_growth(FOUND)
    assert text.startswith("3 of 5 promises are kept.")
    assert "| `exptrack ls -n 20` | 100,000 | 0.4 s | 0.3 s | yes |" in text
    assert "| `exptrack ls -n 20, first build` | 100,000 | 15 s | 16 s | no |" in text
    assert "| `exptrack ls` of `dvc exp show --json, warm` | 1,000 | 1/8.0 | 1/9.0 | yes |" in text
    assert "| `exptrack run -- true` of that with 100 | 100,000 | 1.5 | 1.4 | yes |" in text
    assert "| memory: the most is that of `exptrack ls` | 100,000 | 300 MB | 310 MB | no |" in text
    assert "| `dvc exp show --json, warm` | 700.0 | 900.0 |  |" in text


def test_the_picture_is_the_same_for_the_same_figures():
    picture = draw(FOUND, "svg")
    assert picture == draw(FOUND, "svg")
    assert picture.startswith(b"<?xml")


def test_runs_that_are_added_are_loose_and_are_taken_back(world, git):
    kept = keep_runs(world, 20)
    assert keep_runs(world, 20) == kept
    folder, before = copy(world, kept, "copy"), git("show-ref", cwd=kept)
    assert git("show-ref", cwd=folder) == before
    assert git("status", "--porcelain", cwd=folder) == ""
    add = add_more(world, folder, 5)
    for _ in range(2):
        add()
        assert len(git("show-ref", cwd=folder).splitlines()) == len(before.splitlines()) + 5
    assert git("fsck", "--strict", "--no-progress", cwd=folder) == ""
    assert len([path for path in (folder / ".git" / "refs" / "exptrack").rglob("later-*") if path.is_file()]) == 5
    assert git("show-ref", cwd=kept) == before


def test_added_runs_are_listed(tmp_path, exptrack):
    environ = seal(tmp_path / "home")
    make_runs(tmp_path / "runs", 20, environ)
    add_runs(tmp_path / "runs", "more", 3, environ)
    done = exptrack("ls", "-n", "4", cwd=tmp_path / "runs")
    assert [line.partition(" ")[0][:5] for line in done.stdout.splitlines()[1:4]] == ["more-"] * 3
    assert done.returncode == 0


def test_the_peak_is_that_of_the_command_alone(tmp_path):
    held = b"x" * (60 * MEGA)
    cases = (
        Case("small", ("true",), tmp_path),
        Case("large", (sys.executable, "-c", "b'x' * (80 * 10**6)"), tmp_path),
    )
    small, large = measure(Group("two", cases), os.environ, rounds=1)
    assert max(small.peaks) < 40 * MEGA < len(held) < 80 * MEGA < max(large.peaks)


def test_the_page_can_be_written_and_has_the_picture():
    if not os.access(PAGE, os.W_OK):
        pytest.skip("the page cannot be written here")
    check_page(PAGE, MARKS)
    assert f"]({PICTURE.name})" in PAGE.read_text(encoding="utf-8")
    assert b"<svg" in PICTURE.read_bytes()
