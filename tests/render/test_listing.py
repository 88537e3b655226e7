"""A table of runs shows what differs, and nothing that a run holds can break it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import Record, Run, Status
from exptrack.render.listing import format_listing
from exptrack.render.text import display_width

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOW = START + timedelta(minutes=5)


def run(name: str, metrics=None, /, **params: object) -> Run:
    record = Record(name, Status.COMPLETED, START, params={"params.yaml": params}, metrics=metrics or {})
    return Run(record, f"oid of {name}", f"refs/exptrack/runs/2026-01/{name}")


def listing(*runs: Run, width: int | None = None) -> str:
    return format_listing(runs, NOW, width)


def tagged(run: Run, *tags: str) -> Run:
    return run._replace(
        annotations=tuple(Annotation(str(i), AnnotationKind.TAG, START, "", tag) for i, tag in enumerate(tags))
    )


def test_only_parameters_that_differ_have_a_column():
    table = listing(run("one", {"loss": 0.5}, lr=0.1, depth=3), run("two", {"loss": 0.25}, lr=0.2, depth=3))
    assert table == (
        "name  age   status     loss  lr\n"
        "one   5min  completed  0.5   0.1\n"
        "two   5min  completed  0.25  0.2"
    )  # fmt: skip


def test_what_a_run_does_not_have_is_a_hyphen():
    table = listing(run("one", {"a": 1}, x=1), run("two", {"b": {"c": 2}}))
    assert table.splitlines()[0].split() == ["name", "age", "status", "a", "b.c", "x"]
    assert [line.split()[3:] for line in table.splitlines()[1:]] == [["1", "-", "1"], ["-", "2", "-"]]


def test_a_parameter_or_metric_named_as_another_column_takes_no_ones_place():
    table = listing(
        run("one", {"loss": 0.5, "age": 7}, name="resnet", loss="hinge"),
        run("two", {"loss": 0.25, "age": 8}, name="vgg", loss="l2"),
    )
    assert table == (
        "name  age   status     loss  metrics.age  params.name  params.loss\n"
        "one   5min  completed  0.5   7            resnet       hinge\n"
        "two   5min  completed  0.25  8            vgg          l2"
    )


def test_tags_and_experiments_have_a_column_where_there_are_any():
    first = run("one")
    first = first._replace(record=first.record._replace(experiment="digits"))
    table = listing(tagged(first, "best", "old", "best"), run("two"))
    assert table == (
        "name  age   status     experiment  tags\n"
        "one   5min  completed  digits      best,old\n"
        "two   5min  completed"
    )  # fmt: skip


def test_hostile_names_and_values_stay_in_their_cells():
    evil = "\x1b[2J\u202e\n\0数字"
    first = run("one", {evil: 1.0, "b": 2}, **{evil: evil, "x": 1})
    first = first._replace(record=first.record._replace(experiment=evil))
    table = listing(tagged(first, evil), run("two", {"b": 3}, x=2))
    assert len(table.splitlines()) == 3
    assert all(line.isprintable() for line in table.split("\n"))


def test_a_long_text_is_cut_in_its_cell():
    table = listing(run("one", prompt="word " * 1000), run("two", prompt="数" * 1000), run("six", prompt="short"))
    assert max(display_width(line) for line in table.splitlines()) < 80
    assert table.count("…") == 2


def test_lines_end_at_the_edge_of_the_terminal():
    table = listing(run("one", dict.fromkeys("abcdef", 0.123456)), run("two"), width=30)
    assert all(display_width(line) <= 30 for line in table.splitlines())
    assert table.splitlines()[1].endswith("…")


def test_of_many_keys_the_first_have_columns():
    table = listing(run("one", {f"m{i}": i for i in range(100)}, **{f"p{i}": i for i in range(100)}), run("two"))
    assert table.splitlines()[0].split()[3:] == [*(f"m{i}" for i in range(6)), *(f"p{i}" for i in range(6))]
