"""Runs for other programs: everything that is known of them, and nothing that a terminal would obey."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime

from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import Record, Run, Status
from exptrack.render.records import format_records

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
RECORD = Record(
    "one", Status.COMPLETED, START, tags=("start",), note="of the start", metrics={"a": math.nan, "b": -math.inf}
)


def run(record: Record = RECORD, **values: str) -> Run:
    annotations = tuple(Annotation(kind, AnnotationKind(kind), START, "", value) for kind, value in values.items())
    return Run(record, "0" * 40, "refs/exptrack/runs/2026-01/one", annotations=annotations)


def test_a_run_is_its_record_and_where_it_lies_and_what_stands_on_it():
    assert json.loads(format_records([run(tag="best", note="looked at")])) == [
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
        }
    ]


def test_tags_and_notes_are_always_there():
    [fields] = json.loads(format_records([run()]))
    assert (fields["tags"], fields["notes"]) == ([], [])
    assert format_records([]) == "[]"


def test_nothing_is_obeyed_by_a_terminal():
    evil = "\x1b[2J\u202e\n\0\x7f数\udc80"
    text = format_records([run(RECORD._replace(host=evil, metrics={evil: 1}), tag=evil)])
    assert text.replace("\n", "").isascii()
    assert text.replace("\n", "").isprintable()
    [fields] = json.loads(text)
    assert (fields["host"], fields["metrics"], fields["tags"]) == (evil, {evil: 1}, [evil])
