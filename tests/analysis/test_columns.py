"""Which columns a table has: what differs by default, what was asked for, or all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exptrack.analysis.columns import Choice, all_columns, data_columns, default_columns, pick_columns, rank_columns
from exptrack.analysis.facts import Facts
from exptrack.analysis.rows import RunRows
from exptrack.errors import ExptrackError
from exptrack.model.run import Record, Run, Status

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
FIRST = ("name", "age", "status")


def row(metrics=None, /, **params: object) -> Facts:
    return Facts(
        Run(Record("one", Status.COMPLETED, START, params={"params.yaml": params}, metrics=metrics or {}), "oid", "ref")
    )


def test_metrics_have_columns_and_the_parameters_that_differ():
    rows = [row({"b": 1, "a": 2}, lr=0.1, depth=3), row({"c": 1}, lr=0.2, depth=3)]
    assert default_columns(RunRows.of(rows)) == Choice((*FIRST, "metrics.a", "metrics.b", "metrics.c", "params.lr"))


def test_what_most_runs_have_comes_first():
    rows = [row({"rare": 1, "loss": 1}, rare=1, lr=1), row({"loss": 1}, lr=2), row({"other": 1, "loss": 2}, lr=3)]
    assert default_columns(RunRows.of(rows)).columns[3:] == (
        "metrics.loss", "metrics.other", "metrics.rare", "params.lr", "params.rare",
    )  # fmt: skip


def test_declared_metrics_come_first_in_their_order():
    rows = [row({"a": 1, "b": 2, "val": {"loss": 3}})]
    assert default_columns(RunRows.of(rows), ["val.loss", "zzz", "b"]).columns[3:] == (
        "metrics.val.loss",
        "metrics.b",
        "metrics.a",
    )


def test_of_many_the_first_have_columns_and_the_others_are_counted():
    rows = [row({f"m{i}": i for i in range(10)}, **{f"p{i}": i for i in range(9)}), row()]
    assert default_columns(RunRows.of(rows), ["m9"]) == Choice(
        (*FIRST, "metrics.m9", *(f"metrics.m{i}" for i in range(5)), *(f"params.p{i}" for i in range(6))), 4 + 3
    )


def test_what_was_asked_for_comes_first_and_is_never_left_out():
    rows = [row({f"m{i}": i for i in range(8)}, **{f"p{i}": i for i in range(8)}, same=1), row(same=1)]
    chosen = default_columns(RunRows.of(rows), ["m2"], ["params.same", "metrics.m7", "params.p7", "metrics.other"])
    assert chosen == Choice(
        (*FIRST, "metrics.m7", "metrics.other", "metrics.m2", "metrics.m0", "metrics.m1", "metrics.m3",
         "params.same", "params.p7", *(f"params.p{i}" for i in range(4))), 3 + 3,
    )  # fmt: skip
    many = [f"metrics.m{i}" for i in range(8)]
    assert default_columns(RunRows.of(rows), asked=[*many, *many]).columns[3:11] == tuple(many)


COLUMNS = (
    *FIRST, "experiment", "tag", "metrics.a", "metrics.b", "metrics.c", "params.x", "params.y",
)  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "ranked"),
    [
        ([], (*FIRST, "metrics.a", "tag", "experiment", "metrics.b", "params.x", "metrics.c", "params.y")),
        (["params.y"], (*FIRST, "params.y", "metrics.a", "tag", "experiment", "metrics.b", "params.x", "metrics.c")),
        (["metrics.a", "metrics.b"], (*FIRST, "metrics.a", "metrics.b", "tag", "experiment", "params.x", "metrics.c", "params.y")),
        (["params.gone", "tag"], (*FIRST, "tag", "metrics.a", "experiment", "metrics.b", "params.x", "metrics.c", "params.y")),
    ],
)  # fmt: skip
def test_a_narrow_terminal_keeps_what_was_asked_for_and_a_metric_before_experiment_and_tags(asked, ranked):
    assert rank_columns(COLUMNS, asked) == ranked
    assert rank_columns(COLUMNS[:3], asked) == FIRST


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (1, True), (0, ""), ("a", "b"), ([], {}), (1, None)])
def test_values_of_different_types_differ(one, other):
    assert default_columns(RunRows.of([row(x=one), row(x=other)])).columns == (*FIRST, "params.x")


@pytest.mark.parametrize("rows", [[row(x=1)], [row(x=1), row(x=1)], [row(x=None), row()], []])
def test_what_does_not_differ_has_no_column(rows):
    assert default_columns(RunRows.of(rows)) == Choice(FIRST)


def test_all_columns_are_the_default_ones_and_all_others_that_any_run_has():
    record = Record("one", Status.COMPLETED, START, seed=1, host="box", params={"args": {"x": 1}}, metrics={"a": 1})
    assert all_columns(RunRows([Run(record, "oid", "ref")])) == (
        *FIRST, "metrics.a", "params.x", "seed", "started", "host", "commit",
    )  # fmt: skip


def test_for_other_programs_the_fields_are_always_the_same():
    assert data_columns(RunRows([])) == data_columns(RunRows.of([row()]))
    assert data_columns(RunRows.of([row({"a": 1}, x=1)])) == (*data_columns(RunRows([])), "metrics.a", "params.x")
    assert "age" not in data_columns(RunRows([]))


KNOWN = (
    "metrics.accuracy",
    "metrics.loss",
    "params.model.depth",
    "params.model.kind",
    "params.lr",
    "params.[x]",
    "params.tag",
)


@pytest.mark.parametrize(
    ("patterns", "picked"),
    [
        (["name", "metrics.loss"], ("name", "metrics.loss")),
        (["params.model.*", "name"], ("params.model.depth", "params.model.kind", "name")),
        (["*.l*"], ("metrics.loss", "params.lr")),
        (["metrics.loss", "metrics.*"], ("metrics.loss", "metrics.accuracy")),
        (["tags", "tag", "notes", "commit", "age"], ("tag", "note", "commit", "age")),
        (["params.[x]"], ("params.[x]",)),
        (["s*"], ("status", "seed", "started")),
    ],
)  # fmt: skip
def test_columns_come_as_they_are_asked_for_each_once(patterns, picked):
    assert pick_columns(patterns, KNOWN) == picked


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("metrics.acuracy", "no run has 'metrics.acuracy': did you mean 'metrics.accuracy'?"),
        ("accuracy", "no run has 'accuracy': did you mean 'metrics.accuracy'?"),
        ("statsu", "no run has 'statsu': did you mean 'status'?"),
        ("params.optimizer.*", "no run has 'params.optimizer.*': `exptrack ls --all-columns` shows what they have"),
    ],
)
def test_an_unknown_column_is_refused_with_the_nearest(pattern, message):
    with pytest.raises(ExptrackError) as caught:
        pick_columns(["name", pattern], KNOWN)
    assert str(caught.value) == message
