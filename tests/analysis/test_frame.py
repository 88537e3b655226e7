"""A frame has a row a run and a type a column, and loses nothing."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.facts import Facts
from exptrack.analysis.frame import make_frame
from exptrack.analysis.rows import RunRows
from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import Record, Run, Status

START = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
TEXTS = st.text(st.characters(codec=None), max_size=4)  # lone surrogates and NUL too
NUMBERS = st.integers(-(2**70), 2**70) | st.floats()
PARAMS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.just([]), st.just({}))
KEYS = st.sampled_from(["x", "y"])
FIXED = {
    "name": "string", "status": "category", "experiment": "string", "tags": "object", "reproduces": "string",
    "parent": "string", "resumes": "string", "removed": "string", "seed": "object", "duration": "float64",
    "started": "datetime64[ns, UTC]", "ended": "datetime64[ns, UTC]", "author": "string", "host": "string", "branch": "string", "command": "string",
    "commit": "string", "notes": "object",
}  # fmt: skip


def note(kind: str, text: str) -> Annotation:
    return Annotation(f"{kind} {text}", AnnotationKind(kind), START, "", text)


def run(record: Record, *annotations: Annotation) -> Facts:
    return Facts(Run(record, "0" * 40, "ref", annotations=annotations))


def row(metrics=None, /, **params: object) -> Facts:
    return run(Record("one", Status.COMPLETED, START, metrics=metrics or {}, params={"params.yaml": params}))


RUNS = st.builds(
    run,
    st.builds(
        Record,
        name=TEXTS,
        status=st.sampled_from(Status),
        started=st.datetimes(timezones=st.just(UTC)),
        ended=st.none() | st.datetimes(timezones=st.just(UTC)),
        duration=st.none() | st.floats(0, 1e9),
        author=TEXTS,
        host=TEXTS,
        command=st.lists(TEXTS).map(tuple),
        experiment=st.none() | TEXTS,
        seed=st.none() | st.integers() | TEXTS,
        params=st.fixed_dictionaries({}, optional={"params.yaml": st.dictionaries(KEYS, PARAMS)}),
        metrics=st.dictionaries(KEYS, NUMBERS | st.just([])),
    ),
    st.builds(note, st.sampled_from(["tag", "note"]), TEXTS),
)


def is_same(cell: object, value: object) -> bool:
    if value is None or repr(value) == "nan":
        return pd.isna(cell) is True
    return bool(cell == value) and isinstance(cell, str) is isinstance(value, str)


@given(st.lists(RUNS, max_size=4))
def test_no_value_is_lost(rows):
    frame = make_frame(RunRows.of(rows))
    assert len(frame) == len(rows)
    wanted = {name for one in rows for name in one if "." in name}
    assert set(frame.columns) == {*FIXED, *wanted}
    for place, one in enumerate(rows):
        assert frame["tags"][place] == one.run.tags
        assert frame["notes"][place] == one.run.notes
        for name in frame.columns.drop(["tags", "notes"]):
            cell, value = frame[name][place], one.get(name)
            assert is_same(cell, value), (name, cell, value)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], "Int64"), ([1, None], "Int64"), ([1, 2.5], "float64"), ([0.1, None], "float64"), ([True, None], "boolean"),
        (["a", None], "string"), ([1, "a"], "object"), ([1, True], "object"), ([[], 1], "object"), ([None, None], "object"),
        ([2**63, 1], "object"), ([2**53 + 1, 0.5], "object"), (["\udc80", "\0"], "string"),
    ],
)  # fmt: skip
def test_a_parameter_has_the_type_of_its_values(values, kind):
    frame = make_frame(RunRows.of([row(x=value) for value in values]))
    assert str(frame["params.x"].dtype) == kind
    assert [None if pd.isna(one) is True else one for one in frame["params.x"]] == values


def test_a_metric_is_a_float_and_what_is_missing_nan():
    frame = make_frame(RunRows.of([row({"x": 1, "f1": [0.5, 1]}), row({"x": math.inf}), row()]))
    assert {str(kind) for kind in frame.filter(like="metrics.").dtypes} == {"float64"}
    assert frame["metrics.x"].tolist()[:2] == [1.0, math.inf]
    assert math.isnan(frame["metrics.x"][2])
    assert frame["metrics.f1.1"][0] == 1.0
    assert str(make_frame(RunRows.of([row({"x": 2**53 + 1})]))["metrics.x"].dtype) == "object"


def test_without_runs_there_are_the_fields():
    frame = make_frame(RunRows.of([]))
    assert len(frame) == 0
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == FIXED


def test_the_fields_have_their_types():
    record = Record("one", Status.FAILED, START, START + timedelta(microseconds=1), 1.5, seed=3)
    frame = make_frame(RunRows.of([run(record, note("tag", "best"), note("note", "looked at"))]))
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {**FIXED, "seed": "Int64"}
    assert list(frame["status"].cat.categories) == [status.value for status in Status]
    assert frame["started"][0] == START
    assert (frame["tags"][0], frame["notes"][0]) == (("best",), ("looked at",))
    assert list(frame.index) == [0]


def test_a_time_that_nanoseconds_cannot_hold_is_kept():
    late = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    frame = make_frame(RunRows.of([run(Record("one", Status.COMPLETED, late)), row()]))
    assert str(frame["started"].dtype) == "datetime64[us, UTC]"
    assert frame["started"][0].to_pydatetime() == late
