"""Histories keep every value in its order, in files that any tool reads and that lie nowhere else."""

from __future__ import annotations

import math
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.history import (
    Point,
    Points,
    collect,
    format_history,
    gather,
    parse_history,
    path_of,
    read_name,
)

NUMBERS = st.floats() | st.integers(-(2**60), 2**60).map(float)
# A NUL and what is no character are quoted too, but not so that each name has a path of its own.
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.lists(
    st.sampled_from(["", ".", "..", "a", "A.tsv", "a.tsv", ".git", ".GIT", ".git ", ".gitmodules", "git~1", "x y", "%2E", "ü", "\\", ":"]), max_size=4
).map("/".join)  # fmt: skip


def entry(name: str, value: object, time: float = 0.0, **more: object) -> dict[str, object]:
    return {"kind": "metrics", "time": time, "values": {name: value}, **more}


def test_the_values_of_each_metric_come_in_the_order_they_were_logged():
    entries = [
        {"kind": "command", "time": 1.0, "pid": 1},
        entry("loss", 0.5, 2.0, step=10),
        entry("accuracy", 1, 3.0),
        {"kind": "metrics", "time": 4.0, "step": 20, "values": {"loss": "nan", "accuracy": "inf"}},
        {"kind": "metrics", "time": 5.0},
        entry("accuracy", 0.25, 5.0, step=None),
        {"kind": "ended", "time": 6.0},
    ]
    points = collect(entries)
    assert list(points) == ["loss", "accuracy"]
    assert points["accuracy"] == [Point(3.0, 0, 1.0), Point(4.0, 20, math.inf), Point(5.0, 2, 0.25)]
    assert points["loss"][0] == Point(2.0, 10, 0.5)
    assert math.isnan(points["loss"][1].value)
    assert collect([]) == {}


def test_the_file_is_laid_out_as_dvclive_does():
    points = [
        Point(1769860800.1239, 0, 0.6931),
        Point(1769860801.0, 1, 2.0),
        Point(1769860802.0, 2.5, math.nan),
        Point(1769860803.0, 3, -math.inf),
    ]
    assert format_history("train.loss", points) == (
        b"timestamp\tstep\ttrain.loss\n"
        b"1769860800124\t0\t0.6931\n"
        b"1769860801000\t1\t2\n"
        b"1769860802000\t2.5\tnan\n"
        b"1769860803000\t3\t-inf\n"
    )  # fmt: skip
    assert format_history("a\tb\nc", []) == b"timestamp\tstep\ta b c\n"


ROWS = st.lists(
    st.builds(
        Point,
        st.integers(0, 10**13).map(lambda milliseconds: milliseconds / 1000),
        st.floats(allow_nan=False) | st.integers() | st.sampled_from(["a b", "warm"]),
        NUMBERS,
        st.none() | st.integers() | st.floats(allow_nan=False),
    )
)


@given(ROWS, NAMES)
def test_what_is_written_is_read_back(rows, name):
    written = format_history(name, rows)
    assert repr(list(parse_history(written))) == repr([_plain(row) for row in rows])
    assert read_name(written) == name.replace("\t", " ").replace("\n", " ")
    assert format_history(name, parse_history(written)) == written


def _plain(row: Point) -> Point:
    """A negative zero is written as zero, and an epoch without a fraction as a whole number."""
    epoch = (
        int(row.epoch)
        if isinstance(row.epoch, float) and abs(row.epoch) < 2**53 and row.epoch == int(row.epoch)
        else row.epoch
    )
    return row._replace(value=row.value + 0.0, epoch=epoch)


@given(ROWS)
def test_points_are_a_sequence(rows):
    points = Points(rows)
    same = repr(rows)
    assert repr(list(points)) == same
    assert repr([points[position] for position in range(len(points))]) == same
    assert repr(list(points[1:])) == repr(rows[1:])
    if all(row.value == row.value for row in rows):
        assert points == rows
    assert points != [*rows, Point(0.0, 0, 0.0)]


def test_an_epoch_stands_before_the_value():
    points = [Point(1.0, 10, 0.5), Point(2.0, 20, 0.25, 1.0), Point(3.0, 30, 0.125, 1.5)]
    assert format_history("loss", points) == (
        b"timestamp\tstep\tepoch\tloss\n"
        b"1000\t10\t\t0.5\n"
        b"2000\t20\t1\t0.25\n"
        b"3000\t30\t1.5\t0.125\n"
    )  # fmt: skip


def test_what_was_measured_of_the_system_is_no_metric():
    entries = [
        {"kind": "system", "time": 1.0, "values": {"system/cpu": 5.0}},
        entry("loss", 0.5, 2.0, epoch=1),
        {"kind": "rule", "time": 3.0, "text": "NaN"},
    ]
    logged = gather(entries)
    assert list(logged.histories) == ["system/cpu", "loss"]
    assert logged.metrics == {"loss": 0.5}
    assert logged.histories["loss"][0] == Point(2.0, 0, 0.5, 1)
    assert logged.others == entries[2:]
    assert logged.last == 2.0


def test_what_is_no_number_costs_only_itself():
    entries = [
        entry("a", "high"), entry("a", None), entry("a", [1]), entry("a", 10**400), entry("a", True, step="7"),
        entry("a", 1, step=True), entry("a", 2, step="x\ty\nz", epoch="many"),
    ]  # fmt: skip
    assert collect(entries)["a"] == [
        Point(0.0, 0, math.inf), Point(0.0, 7, 1.0), Point(0.0, 1, 1.0), Point(0.0, "x y z", 2.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "path"),
    [
        ("loss", "loss.tsv"),
        ("train/loss", "train/loss.tsv"),
        ("a/../b", "a/%2E%2E/b.tsv"),
        ("/etc/passwd", "%00/etc/passwd.tsv"),
        ("", "%00.tsv"),
        ("..", "%2E%2E.tsv"),
        ("a.tsv/b", "a%2Etsv/b.tsv"),
        ("a.tsv", "a.tsv.tsv"),
        (".git/hooks/x", "%2Egit/hooks/x.tsv"),
        (".GITmodules/x", "%2EGITmodules/x.tsv"),
        ("git~1/x", "git%7E1/x.tsv"),
        ("ü:\\\n\0", "%C3%BC%3A%5C%0A%00.tsv"),
        ("100%", "100%25.tsv"),
    ],
)
def test_a_path_stays_in_its_folder(metric, path):
    assert path_of(metric) == path


@given(NAMES)
def test_no_path_leads_elsewhere_or_is_gits_own(metric):
    path = PurePosixPath(path_of(metric))
    assert not path.is_absolute()
    assert str(path) == path_of(metric), "no part is empty or `.`"
    assert ".." not in path.parts
    assert not any(part.lower().startswith((".git", "git~")) for part in path.parts)
    assert path.suffix == ".tsv"
    assert path_of(metric).isascii()
    assert path_of(metric).isprintable()


@given(st.lists(NAMES, unique=True, min_size=2, max_size=6))
def test_each_metric_has_a_file_of_its_own_and_none_is_a_folder_too(metrics):
    paths = [path_of(metric) for metric in metrics]
    assert len(set(paths)) == len(paths)
    assert not any(other.startswith(f"{path}/") for path in paths for other in paths)
