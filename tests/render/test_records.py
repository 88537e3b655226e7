"""Runs for other programs: everything that is known of them, and nothing that a terminal would obey."""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import UTC, datetime

import pytest

from exptrack.analysis.rows import RunRows
from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import Record, Run, Status
from exptrack.render.records import write_csv, write_records

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
RECORD = Record(
    "one", Status.COMPLETED, START, tags=("start",), note="of the start", metrics={"a": math.nan, "b": -math.inf}
)


def csv_of(rows, columns):
    return "".join(write_csv(rows, columns))


def records(runs):
    return "".join(write_records(runs))


def run(record: Record = RECORD, **values: object) -> Run:
    annotations = tuple(Annotation(kind, AnnotationKind(kind), START, "", value) for kind, value in values.items())
    return Run(record, "0" * 40, "refs/exptrack/runs/2026-01/one", annotations=annotations)


def test_a_run_is_its_record_and_where_it_lies_and_what_stands_on_it():
    assert json.loads(records([run(tag="best", note="looked at")])) == [
        {
            "oid": "0" * 40,
            "ref": "refs/exptrack/runs/2026-01/one",
            "schema": 1,
            "name": "one",
            "status": "completed",
            "started": "2026-01-31T12:00:00.000000Z",
            "params": {},
            "metrics": {"a": "NaN", "b": "-Infinity"},
            "note": "of the start",
            "tags": ["best"],
            "notes": ["looked at"],
            "annotations": [],
        }
    ]


def test_tags_and_notes_are_always_there():
    [fields] = json.loads(records([run()]))
    assert (fields["tags"], fields["notes"]) == ([], [])
    assert records([]) == "[]"


def test_what_else_stands_on_it_is_listed_as_it_was_written():
    chosen = {"experiment": "digits", "mean": float("inf")}
    [fields] = json.loads(records([run(tag="best", selection=chosen, unshared=None)]))
    assert fields["annotations"] == [
        {
            "id": "selection",
            "kind": "selection",
            "time": "2026-01-31T12:00:00.000000Z",
            "author": "",
            "value": {"experiment": "digits", "mean": "Infinity"},
        },
        {"id": "unshared", "kind": "unshared", "time": "2026-01-31T12:00:00.000000Z", "author": ""},
    ]


def test_nothing_is_obeyed_by_a_terminal():
    evil = "\x1b[2J\u202e\n\0\x7f数\udc80"
    text = records([run(RECORD._replace(host=evil, metrics={evil: 1}), tag=evil)])
    assert text.replace("\n", "").isascii()
    assert text.replace("\n", "").isprintable()
    [fields] = json.loads(text)
    assert (fields["host"], fields["metrics"], fields["tags"]) == (evil, {evil: 1}, [evil])


def table(text: str) -> list[list[str]]:
    assert text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_a_csv_has_full_precision_and_times_in_place_of_ages():
    record = Record(
        "one", Status.FAILED, START, duration=1 / 3, tags=("start",), params={"params.yaml": {"on": True, "n": 10**20, "empty": [], "x": None}},
        metrics={"a": 0.1 + 0.2, "b": math.nan, "c": -math.inf, "d": 1e-300},
    )  # fmt: skip
    columns = ("name", "age", "started", "tag", "duration", "ended", *(f"metrics.{key}" for key in "abcd"), *(f"params.{key}" for key in ("on", "n", "empty", "x", "zzz")))  # fmt: skip
    head, cells = table(csv_of(RunRows([run(record, tag="best")]), columns))
    assert head == [
        "name", "started", "tags", "duration", "ended", "metrics.a", "metrics.b", "metrics.c", "metrics.d", "params.on", "params.n",
        "params.empty", "params.x", "params.zzz",
    ]  # fmt: skip
    assert cells == [
        "one", "2026-01-31T12:00:00.000000Z", "best", "0.3333333333333333", "", "0.30000000000000004", "NaN", "-Infinity", "1e-300",
        "true", "100000000000000000000", "[]", "", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("plain", "plain"), ('a "quote", and a comma', 'a "quote", and a comma'), ("two\nlines", "two\nlines"), ("a\ttab", "a\ttab"),
        ("=1+1", "'=1+1"), ("+cmd", "'+cmd"), ("-1", "'-1"), ("@sum", "'@sum"), ("\t=1", "'\t=1"), ("'quoted'", "'quoted'"),
        ("\x1b[2J\0\r\u202e", r"\x1b[2J\x00\r\u202e"), ("数", "数"), ("\udc80", r"\udc80"), ("", ""),
    ],
)  # fmt: skip
def test_a_text_stays_in_its_cell_and_is_no_formula(text, cell):
    row = run(RECORD._replace(params={"params.yaml": {"x": text}}, metrics={"m": -1}))
    assert table(csv_of(RunRows([row]), ["params.x", "metrics.m"])) == [["params.x", "metrics.m"], [cell, "-1"]]


def test_a_hostile_key_is_inert_in_the_header():
    row = run(RECORD._replace(metrics={"\x1b[2J,\n": 1}))
    assert table(csv_of(RunRows([row]), ["metrics.\x1b[2J,\n"])) == [["metrics.\\x1b[2J,\n"], ["1"]]


def test_without_runs_a_csv_is_its_header():
    assert csv_of(RunRows([]), ["name", "note"]) == "name,notes\r\n"
