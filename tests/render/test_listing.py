"""A table of runs shows what differs, numbers under each other, and nothing that a run holds can break it."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

import pytest

from exptrack.analysis.columns import all_columns, default_columns
from exptrack.analysis.rows import RunRows
from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import Record, Run, Status
from exptrack.render.listing import Table, format_listing
from exptrack.render.text import display_width

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOW = START + timedelta(minutes=5)


def run(name: str, metrics=None, /, **params: object) -> Run:
    record = Record(name, Status.COMPLETED, START, params={"params.yaml": params}, metrics=metrics or {})
    return Run(record, f"oid of {name}", f"refs/exptrack/runs/2026-01/{name}")


def table(*runs: Run, width: int | None = None, columns=None, is_colored: bool = False) -> Table:
    rows = RunRows(runs)
    return format_listing(rows, columns or default_columns(rows).columns, NOW, width, is_colored=is_colored)


def listing(*runs: Run, **options) -> str:
    return table(*runs, **options).text


def tagged(run: Run, *tags: str) -> Run:
    return run._replace(
        annotations=tuple(Annotation(str(i), AnnotationKind.TAG, START, "", tag) for i, tag in enumerate(tags))
    )


def test_only_parameters_that_differ_have_a_column():
    assert listing(run("one", {"loss": 0.5}, lr=0.1, depth=3), run("two", {"loss": 0.25}, lr=0.2, depth=3)) == (
        "name   age  status     loss   lr\n"
        "one   5min  completed  0.5   0.1\n"
        "two   5min  completed  0.25  0.2"
    )  # fmt: skip


def test_numbers_stand_with_their_points_under_each_other():
    losses = (10, 0.25, 1e-7, 1.5e9, math.nan, -math.inf, -3.75, 1 / 3)
    runs = [run(name, {"loss": loss}) for name, loss in zip("abcdefgh", losses, strict=True)]
    assert listing(*runs, run("i"), columns=("name", "metrics.loss")) == (
        "name         loss\n"
        "a       10\n"
        "b        0.25\n"
        "c        1e-07\n"
        "d        1.5e+09\n"
        "e      nan\n"
        "f     -inf\n"
        "g       -3.75\n"
        "h        0.333333\n"
        "i        -"
    )


def test_what_a_run_does_not_have_is_a_hyphen():
    text = listing(run("one", {"a": 1}, x=1), run("two", {"b": {"c": 2}}))
    assert text.splitlines()[0].split() == ["name", "age", "status", "a", "b.c", "x"]
    assert [line.split()[3:] for line in text.splitlines()[1:]] == [["1", "-", "1"], ["-", "2", "-"]]


def test_a_parameter_or_metric_named_as_another_column_takes_no_ones_place():
    text = listing(
        run("one", {"loss": 0.5, "age": 7}, name="resnet", loss="hinge"),
        run("two", {"loss": 0.25, "age": 8}, name="vgg", loss="l2"),
    )
    assert text == (
        "name   age  status     metrics.age  metrics.loss  params.loss  params.name\n"
        "one   5min  completed            7          0.5   hinge        resnet\n"
        "two   5min  completed            8          0.25  l2           vgg"
    )


def test_tags_and_experiments_have_a_column_where_there_are_any():
    first = run("one")
    first = first._replace(record=first.record._replace(experiment="digits"))
    assert listing(tagged(first, "best", "old", "best"), run("two")) == (
        "name   age  status     experiment  tags\n"
        "one   5min  completed  digits      best,old\n"
        "two   5min  completed"
    )  # fmt: skip


def test_every_field_can_be_a_column():
    record = Record(
        "one", Status.FAILED, START, START + timedelta(seconds=90), 90.0, author="Ada <a@b>", host="box", seed=3,
        command=("python", "my train.py"), note="first\nsecond", experiment="digits",
    )  # fmt: skip
    note = Annotation("start:note", AnnotationKind.NOTE, START, "", "first\nsecond")
    full = Run(record, "c0ffee" * 7, "ref", annotations=(note,))
    names = all_columns(RunRows([full, run("two")]))
    head, first, second = listing(full, run("two"), columns=names).splitlines()
    assert re.split(r"  +", head) == [
        "name", "age", "status", "experiment", "seed", "duration", "started", "ended", "author", "host", "command", "commit", "notes",
    ]  # fmt: skip
    assert re.split(r"  +", first) == [
        "one", "5min", "failed", "digits", "3", "1min 30s", "2026-01-31T12:00:00Z", "2026-01-31T12:01:30Z", "Ada <a@b>", "box",
        "python 'my train.py'", "c0ffeec0ff", r"first\nsecond",
    ]  # fmt: skip
    assert re.split(r"  +", second)[3:6] == ["-", "-", "2026-01-31T12:00:00Z"]


def test_hostile_names_and_values_stay_in_their_cells():
    evil = "\x1b[2J\u202e\n\0数字"
    first = run("one", {evil: 1.0, "b": 2}, **{evil: evil, "x": 1})
    first = first._replace(record=first.record._replace(experiment=evil))
    text = listing(tagged(first, evil), run("two", {"b": 3}, x=2))
    assert len(text.splitlines()) == 3
    assert all(line.isprintable() for line in text.split("\n"))


def test_a_long_text_is_cut_in_its_cell_and_a_wide_one_keeps_the_next_column_in_line():
    text = listing(
        run("one", prompt="word " * 1000, x=1), run("two", prompt="数" * 1000, x=2), run("six", prompt="short", x=3)
    )
    lines = text.splitlines()
    assert text.count("…") == 2
    assert {display_width(line) for line in lines} == {display_width(lines[0])}
    assert display_width(lines[0]) < 80


@pytest.mark.parametrize("width", [3, 20, 22, 40, 41, 80, 200])
def test_columns_that_do_not_fit_are_dropped_whole_from_the_right(width):
    runs = [run("one", dict.fromkeys("abcdef", 0.123456), x="数" * 30, y="words " * 9), run("two")]
    whole = table(*runs)
    part = table(*runs, width=width)
    lines = part.text.splitlines()
    assert all(display_width(line) <= width for line in lines)
    heads = whole.text.splitlines()[0].split()
    assert part.dropped == len(heads) - len(lines[0].split())
    assert width < 4 or lines[0].split() == heads[: len(heads) - part.dropped]
    assert not re.search(r"\d…", part.text)  # of a number a piece would be a lie


def test_the_last_column_may_be_a_piece_of_a_text():
    text = listing(run("one", prompt="word " * 10), run("two", prompt="short"), width=40)
    assert text.splitlines()[1] == "one   5min  completed  word word word w…"
    assert table(run("one", prompt="word " * 10), run("two", prompt="short"), width=30).dropped == 1


def test_columns_are_dropped_by_their_ranks_and_stand_in_their_order():
    first = run("one", {"loss": 0.5, "acc": 0.25}, lr=1)
    first = first._replace(record=first.record._replace(experiment="a-long-experiment"))
    rows = RunRows([tagged(first, "best"), run("two")])
    columns = ("name", "experiment", "tag", "metrics.loss", "params.lr")
    ranks = ("name", "metrics.loss", "tag", "experiment", "params.lr")
    heads = [
        " ".join(format_listing(rows, columns, NOW, width, ranks).text.splitlines()[0].split())
        for width in (45, 36, 34, 28, 16, 15, 10, 9)
    ]
    assert heads == [
        "name experiment tags loss lr", "name experiment tags loss", "name experiment tags loss", "name tags loss",
        "name tags loss", "name loss", "name loss", "name",
    ]  # fmt: skip
    assert format_listing(rows, columns, NOW, 20, ranks).dropped == 2


def test_a_key_that_is_a_field_or_both_a_metric_and_a_parameter_has_its_area():
    columns = ("seed", "params.seed", "metrics.a.b", "params.a.b", "metrics.tags", "tag", "params.x")
    text = listing(run("one", {"a": {"b": 1}, "tags": 1}, seed=3, x=1, a={"b": 2}), columns=columns)
    assert text.splitlines()[0].split() == [
        "seed", "params.seed", "metrics.a.b", "params.a.b", "metrics.tags", "tags", "x",
    ]  # fmt: skip


def test_the_name_is_never_dropped():
    assert table(run("a-long-name"), width=6) == Table("name\na-lon…", 2)


def test_a_status_has_a_colour_and_the_columns_stay_in_line():
    runs = [run(status.value)._replace(record=run(status.value).record._replace(status=status)) for status in Status]
    plain, colored = (listing(*runs, columns=("name", "status", "age"), is_colored=flag) for flag in (False, True))
    assert re.sub(r"\x1b\[\d*m", "", colored) == plain
    codes = [re.search(r"\x1b\[(\d+)m(\w+)", line).groups() for line in colored.splitlines()[1:]]
    assert codes == [("32", "completed"), ("31", "failed"), ("33", "interrupted"), ("31", "crashed")]
    assert "\x1b" not in colored.splitlines()[0]
