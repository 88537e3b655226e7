"""Every field of the query language has a fact, and any of them is an order."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.facts import SORTABLE, Facts, sort_facts
from exptrack.analysis.fieldnames import FIELDS
from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import Record, Run, Status
from exptrack.model.tree import flatten

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.just([]),
    st.just({}),
    st.just(10**400),
)
KEYS = st.sampled_from(["a", "b", "a.b", "", "0"])
TREES = st.dictionaries(
    KEYS, st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=5)
)


def facts(name: str = "one", *, started: datetime = START, tags: tuple[str, ...] = (), **fields: object) -> Facts:
    annotations = tuple(Annotation(tag, AnnotationKind.TAG, START, "", tag) for tag in tags)
    return Facts(
        Run(Record(name, Status.COMPLETED, started, **fields), f"oid of {name}", "ref", annotations=annotations)
    )


def names(rows: list[Facts]) -> list[str]:
    return [row.run.name for row in rows]


def test_every_field_is_known_and_what_a_run_does_not_have_is_missing():
    row = facts()
    assert set(FIELDS) == {name for name in row if "." not in name}
    assert {name for name in FIELDS if row.get(name) is not None} == {"name", "status", "started", "commit", "tag"}
    assert all(name in row for name in FIELDS)
    assert set(FIELDS) < SORTABLE


def test_a_field_is_what_the_record_says():
    note = [Annotation(text, AnnotationKind.NOTE, START, "", text) for text in ("first", "second")]
    note.append(Annotation("stone", AnnotationKind.TOMBSTONE, START, "Eve"))
    record = Record("one", Status.FAILED, START, command=("a", "b c"), author="Ada", host="box", seed="s", duration=1.5)
    row = Facts(Run(record, "c0ffee", "ref", annotations=tuple(note)))
    assert {name: row.get(name) for name in FIELDS} == {
        "name": "one", "status": "failed", "experiment": None, "tag": (), "note": "first\nsecond", "author": "Ada", "host": "box",
        "branch": None, "command": "a 'b c'", "commit": "c0ffee", "reproduces": None, "parent": None, "resumes": None, "removed": "Eve",
        "seed": "s", "duration": 1.5, "started": START, "ended": None,
    }  # fmt: skip
    assert type(row.get("status")) is str


@given(TREES, TREES)
def test_metrics_and_parameters_are_known_by_their_dotted_keys(metrics, params):
    row = facts(metrics=metrics, params={"params.yaml": params})
    wanted = {f"metrics.{key}": value for key, value in flatten(metrics).items()}
    wanted |= {f"params.{key}": value for key, value in flatten(params).items()}
    assert {name for name in row if name not in FIELDS} == wanted.keys()
    assert all(name in row and row.get(name) is value for name, value in wanted.items())
    for name in ("metrics", "params", "metrics.zzz", "params.zzz", "other.a", "zzz", "", "."):
        assert name not in row
        assert row.get(name) is None


@given(st.lists(VALUES), st.booleans())
def test_any_values_have_an_order_that_is_stable_and_ends_with_what_is_missing(values, descending):
    rows = [facts(str(place), params={"params.yaml": {"x": value}}) for place, value in enumerate(values)]
    rows.append(facts("none"))
    ordered = sort_facts(rows, "params.x", descending=descending)
    assert sorted(names(ordered)) == sorted(names(rows))
    assert names(sort_facts(ordered, "params.x", descending=descending)) == names(ordered)
    absent = [value is None or repr(value) == "nan" for value in (row.get("params.x") for row in ordered)]
    assert absent == sorted(absent)
    groups: dict[str, list[int]] = {}
    for row in ordered[: absent.index(True)]:
        groups.setdefault(repr((type(row.get("params.x")), row.get("params.x"))), []).append(int(row.run.name))
    assert all(places == sorted(places) for places in groups.values())


def test_types_have_a_fixed_order_which_a_hyphen_turns_around():
    values = ["b", 2, True, math.nan, 1.5, [], "a", False, None, -math.inf]
    rows = [facts(repr(value), params={"params.yaml": {"x": value}}) for value in values]
    order = ["False", "True", "-inf", "1.5", "2", "'a'", "'b'", "[]"]
    assert names(sort_facts(rows, "params.x")) == [*order, "nan", "None"]
    assert names(sort_facts(rows, "params.x", descending=True)) == [*reversed(order), "nan", "None"]


@pytest.mark.parametrize(
    ("key", "order"),
    [
        ("started", ["old", "new", "newest"]), ("age", ["newest", "new", "old"]), ("name", ["new", "newest", "old"]),
        ("tag", ["newest", "old", "new"]), ("tags", ["newest", "old", "new"]),
    ],
)  # fmt: skip
def test_any_field_is_an_order(key, order):
    rows = [
        facts("newest", started=START, tags=("a", "b")),
        facts("new", started=START - timedelta(days=1)),
        facts("old", started=START - timedelta(days=2), tags=("b",)),
    ]
    assert names(sort_facts(rows, key)) == order
