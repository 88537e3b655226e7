"""What is written is read back equal; what is broken is named."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exptrack.analysis.annotationlines import decode_annotations, encode_annotation
from exptrack.analysis.codec import (
    decode_environment,
    decode_metrics,
    decode_record,
    decode_tree,
    encode_environment,
    encode_metrics,
    encode_record,
    finite,
)
from exptrack.errors import RecordError
from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.data import Omission, Pointer, Reason
from exptrack.model.environment import Environment, Gpu, Hardware, Interpreter, Package, Platform
from exptrack.model.pipeline import StageRun, StageState
from exptrack.model.run import SCHEMA, Links, Record, Status
from exptrack.model.seeding import Seeding

# Any text that Python can hold, but for a high surrogate before a low one, which JSON cannot tell from the character that they make.
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF), max_size=8
)
MAYBE = st.none() | TEXTS
SIZES = st.none() | st.integers(0, 2**50)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
METRICS = st.dictionaries(
    TEXTS,
    st.recursive(
        st.integers() | st.floats() | st.booleans(),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
        max_leaves=4,
    ),
    max_size=3,
)
TIMES = st.datetimes(timezones=st.just(UTC))
POINTERS = st.builds(
    Pointer,
    TEXTS,
    TEXTS,
    st.sampled_from(["md5", "md5-dos2unix"]),
    SIZES,
    SIZES,
    TEXTS,
    MAYBE,
    st.none() | st.booleans(),
)
OMISSIONS = st.builds(Omission, TEXTS, st.sampled_from(Reason), SIZES, SIZES, MAYBE, st.booleans())
STAGES = st.builds(
    StageRun,
    TEXTS,
    st.sampled_from(StageState),
    TEXTS,
    st.floats(0, 2e9),
    st.none() | st.floats(0, 1e9),
    st.dictionaries(TEXTS, TEXTS, max_size=2),
    st.dictionaries(TEXTS, TEXTS, max_size=2),
)
MANY_TEXTS = st.lists(TEXTS, max_size=2).map(tuple)
RECORDS = st.builds(
    Record,
    schema=st.just(SCHEMA),
    name=TEXTS.filter(bool),
    status=st.sampled_from(Status),
    started=TIMES,
    ended=st.none() | TIMES,
    duration=st.none() | st.floats(0, 1e9),
    exit_code=st.none() | st.integers(0, 255),
    signal=MAYBE,
    author=TEXTS,
    host=TEXTS,
    command=MANY_TEXTS,
    overrides=MANY_TEXTS,
    project=TEXTS,
    directory=TEXTS,
    experiment=MAYBE,
    seed=st.none() | st.integers() | TEXTS,
    seeding=st.none() | st.builds(Seeding, st.integers(), MANY_TEXTS, MANY_TEXTS),
    note=MAYBE,
    tags=MANY_TEXTS,
    params=st.dictionaries(TEXTS, st.dictionaries(TEXTS, VALUES, max_size=2), max_size=2),
    metrics=METRICS,
    sealed=MANY_TEXTS,
    data=st.lists(POINTERS, max_size=2).map(tuple),
    outputs=st.lists(POINTERS, max_size=2).map(tuple),
    not_captured=st.lists(OMISSIONS, max_size=2).map(tuple),
    changed=MANY_TEXTS,
    concurrent=MANY_TEXTS,
    ambiguous=MANY_TEXTS,
    problems=MANY_TEXTS,
    thinned=st.dictionaries(TEXTS, st.integers(1, 2**60), max_size=2),
    kept=st.lists(POINTERS, max_size=2).map(tuple),
    artifacts=MANY_TEXTS,
    links=st.builds(Links, MAYBE, MAYBE, MAYBE, MAYBE),
    stages=st.none() | st.lists(STAGES, max_size=2).map(tuple),
)
PACKAGES = st.builds(Package, TEXTS, TEXTS, MAYBE, MAYBE, st.none() | st.booleans(), st.booleans())
ENVIRONMENTS = st.builds(
    Environment,
    platform=st.builds(Platform, TEXTS, TEXTS, TEXTS, MAYBE, MAYBE),
    hardware=st.builds(
        Hardware, MAYBE, SIZES, SIZES, st.lists(st.builds(Gpu, TEXTS, SIZES, MAYBE), max_size=2).map(tuple)
    ),
    interpreter=st.none() | st.builds(Interpreter, TEXTS, TEXTS, TEXTS, TEXTS),
    packages=st.lists(PACKAGES, max_size=3).map(tuple),
    variables=st.dictionaries(TEXTS, TEXTS, max_size=3),
)
ANNOTATIONS = st.builds(Annotation, TEXTS, st.sampled_from(AnnotationKind), TIMES, TEXTS, VALUES, MANY_TEXTS)

START = datetime(2026, 1, 31, 12, 0, 0, 5, tzinfo=UTC)
SMALL = Record(name="a", status=Status.COMPLETED, started=START)


def exact(value):
    """A value that compares as itself: the type counts, NaN equals NaN, and -0.0 is not 0.0."""
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [exact(item) for item in value]
    return (type(value).__name__, repr(value))


def changed(**fields: object) -> bytes:
    """The bytes of a small record with some fields set, or (None) taken away."""
    written = {**json.loads(encode_record(SMALL)), **fields}
    return json.dumps({key: value for key, value in written.items() if value is not ...}).encode()


@settings(max_examples=200)
@given(RECORDS)
def test_a_record_is_read_back_equal(record):
    again = decode_record(encode_record(record))
    assert exact(again.metrics) == exact(record.metrics)
    assert exact(again.params) == exact(record.params)
    assert again._replace(metrics={}) == record._replace(metrics={})
    assert encode_record(again) == encode_record(record)


@given(RECORDS)
def test_a_record_is_strict_json_in_utf_8(record):
    def refuse(literal):
        raise AssertionError(literal)

    written = encode_record(record)
    fields = json.loads(written.decode("utf-8"), parse_constant=refuse)
    assert list(fields) == sorted(fields)
    assert {"name", "status", "schema", "started", "params", "metrics"} <= set(fields)
    assert written.endswith(b"}\n")


@given(ENVIRONMENTS)
def test_an_environment_is_read_back_equal(environment):
    assert decode_environment(encode_environment(environment)) == environment


@given(METRICS)
def test_metrics_are_read_back_equal(metrics):
    assert exact(decode_metrics(encode_metrics(metrics))) == exact(metrics)


@given(st.lists(ANNOTATIONS, max_size=4, unique_by=lambda annotation: annotation.id).map(tuple))
def test_annotations_are_read_back_equal(annotations):
    lines = [encode_annotation(annotation) for annotation in annotations]
    assert not any("\n" in line for line in lines)
    assert decode_annotations("\n".join(lines)) == annotations
    assert decode_annotations("\n".join(lines).encode("utf-8").decode("utf-8")) == annotations


def test_a_small_record_says_only_what_it_has_to_say():
    assert encode_record(SMALL).decode() == (
        '{\n  "metrics": {},\n  "name": "a",\n  "params": {},\n  "schema": 1,\n'
        '  "started": "2026-01-31T12:00:00.000005Z",\n  "status": "completed"\n}\n'
    )


def test_nan_and_infinities_are_words_in_the_file_and_floats_in_metrics_alone():
    record = SMALL._replace(metrics={"loss": math.inf, "f1": [math.nan]}, params={"p": {"x": -math.inf, "y": "NaN"}})
    fields = json.loads(encode_record(record))
    assert fields["metrics"] == {"loss": "Infinity", "f1": ["NaN"]}
    again = decode_record(encode_record(record))
    assert again.metrics["loss"] == math.inf
    assert math.isnan(again.metrics["f1"][0])
    assert again.params == {"p": {"x": "-Infinity", "y": "NaN"}}


def test_a_time_of_another_zone_is_written_and_read_in_utc():
    elsewhere = START.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert encode_record(SMALL._replace(started=elsewhere)) == encode_record(SMALL)
    assert decode_record(changed(started="2026-01-31T17:30:00.000005+05:30")).started == START
    assert decode_record(changed(started="2026-01-31T17:30:00.000005+05:30")).started.tzinfo is UTC


def test_tuples_in_parameters_become_lists():
    assert decode_record(encode_record(SMALL._replace(params={"p": {"x": (1, (2,))}}))).params == {"p": {"x": [1, [2]]}}
    assert finite({1: (math.nan, True)}) == {"1": ["NaN", True]}


def test_keys_that_are_not_known_are_ignored():
    assert decode_record(changed(mood="good", links={"cousin": 1})) == SMALL


def test_null_is_as_if_the_key_were_not_there():
    assert decode_record(changed(author=None, tags=None, links=None, data=None, seed=None)) == SMALL


def test_a_record_of_a_later_schema_says_to_update():
    with pytest.raises(RecordError) as raised:
        decode_record(changed(schema=2, name=5))
    assert str(raised.value) == "the record was written by a later version of exptrack (schema 2): update exptrack"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": ...}, "'name' is missing"),
        ({"name": ""}, "'name' is empty"),
        ({"name": 5}, "'name' is not a text"),
        ({"schema": ...}, "'schema' is missing"),
        ({"schema": "1"}, "'schema' is not a whole number"),
        ({"schema": True}, "'schema' is not a whole number"),
        ({"schema": 0}, "'schema' is not a positive whole number"),
        ({"status": "done"}, "'status' is 'done', which is none of completed, failed, interrupted, crashed"),
        ({"started": ...}, "'started' is missing"),
        ({"started": "yesterday"}, "'started' is 'yesterday', not a time such as 2026-01-31T12:00:00.000000Z"),
        ({"started": "2026-01-31T12:00:00"}, "'started' is '2026-01-31T12:00:00', not a time such as 2026-01-31T12:00:00.000000Z"),
        ({"ended": "0001-01-01T00:00:00+10:00"}, "'ended' is '0001-01-01T00:00:00+10:00', not a time such as 2026-01-31T12:00:00.000000Z"),
        ({"duration": "1"}, "'duration' is not a number"),
        ({"exit_code": True}, "'exit_code' is not a whole number"),
        ({"command": "train"}, "'command' is not a list of texts"),
        ({"tags": [1]}, "'tags' is not a list of texts"),
        ({"seed": 1.5}, "'seed' is neither a whole number nor a text"),
        ({"params": [1]}, "'params' is not a mapping"),
        ({"params": {"p": 1}}, "'params.p' is not a mapping"),
        ({"metrics": {"a": {"b": "high"}}}, "'metrics.a.b' is not a number"),
        ({"metrics": {"a": [1, None]}}, "'metrics.a.1' is not a number"),
        ({"data": {}}, "'data' is not a list"),
        ({"data": ["x"]}, "'data[0]' is not a mapping"),
        ({"data": [{"path": "a", "digest": "b"}, {"path": "a"}]}, "'data[1].digest' is missing"),
        ({"outputs": [{"path": "a", "digest": "b", "modified": 1}]}, "'outputs[0].modified' is not true or false"),
        ({"not_captured": [{"path": "a", "reason": "odd"}]},
         "'not_captured[0].reason' is 'odd', which is none of " + ", ".join(reason.value for reason in Reason)),
        ({"links": {"parent": 1}}, "'links.parent' is not a text"),
    ],
)  # fmt: skip
def test_a_broken_record_names_the_key(fields, problem):
    with pytest.raises(RecordError) as raised:
        decode_record(changed(**fields))
    assert str(raised.value) == f"broken record: {problem}"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not JSON (line 1: expecting value)"),
        (b'{\n"name": }', "not JSON (line 2: expecting value)"),
        (b"\xff", "not JSON ('utf-8' codec can't decode byte 0xff in position 0: invalid start byte)"),
        (b"[" * 100_000, "not JSON (nested more than 200 deep)"),
        (b"[" * 300 + b"]" * 300, "not JSON (nested more than 200 deep)"),
        (b"[]", "not a mapping"),
        (b'"x"', "not a mapping"),
    ],
)
def test_what_is_no_mapping_is_no_record(data, problem):
    for decode, name in ((decode_record, "record"), (decode_environment, "environment"), (decode_metrics, "metrics")):
        with pytest.raises(RecordError) as raised:
            decode(data)
        assert str(raised.value) == f"broken {name}: {problem}"


@given(st.binary(max_size=40) | st.text(st.sampled_from('{}[]":,1a \n'), max_size=30).map(str.encode))
def test_any_bytes_are_a_record_or_a_record_error_of_one_line(data):
    with pytest.raises(RecordError) as raised:
        decode_record(data)
    assert "\n" not in str(raised.value)


@given(RECORDS, st.data())
def test_a_field_of_any_type_is_read_or_refused(record, data):
    fields = json.loads(encode_record(record))
    key = data.draw(st.sampled_from(sorted(fields)))
    fields[key] = data.draw(VALUES)
    reason = ""
    try:
        assert decode_record(json.dumps(fields).encode()).schema == 1
    except RecordError as error:
        reason = str(error)
    assert "\n" not in reason


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "'platform.system' is missing"),
        ({"platform": 1}, "'platform' is not a mapping"),
        ({"platform": {"system": "a", "release": "b", "machine": "c"}, "packages": [{"name": "x"}]}, "'packages[0].version' is missing"),
        ({"platform": {"system": "a", "release": "b", "machine": "c"}, "hardware": {"gpus": [{}]}}, "'hardware.gpus[0].name' is missing"),
        ({"platform": {"system": "a", "release": "b", "machine": "c"}, "variables": {"A": 1}}, "'variables.A' is not a text"),
        ({"platform": {"system": "a", "release": "b", "machine": "c"}, "interpreter": {}}, "'interpreter.path' is missing"),
    ],
)  # fmt: skip
def test_a_broken_environment_names_the_key(fields, problem):
    with pytest.raises(RecordError) as raised:
        decode_environment(json.dumps(fields).encode())
    assert str(raised.value) == f"broken environment: {problem}"


def test_a_line_that_cannot_be_read_does_not_cost_the_others():
    good = Annotation("1", AnnotationKind.TAG, START, "Ada", "best")
    other = Annotation("2", AnnotationKind.REMOVAL, START, "Ada", removes=("1",))
    odd = [
        "", "   ", "{", "[]", "nonsense", '{"id": "3"}', encode_annotation(good).replace('"tag"', '"vote"'), "[" * 100_000,
        encode_annotation(good._replace(id="4")).replace("2026", "then"), '{"id": 5, "kind": "tag"}',
    ]  # fmt: skip
    lines = [*odd, encode_annotation(good), *odd, encode_annotation(other), *odd]
    assert decode_annotations("\n".join(lines)) == (good, other)
    assert decode_annotations("\r\n".join(lines)) == (good, other)
    assert decode_annotations("") == ()


def test_an_id_counts_once():
    tag = Annotation("1", AnnotationKind.TAG, START, "Ada", "best")
    assert decode_annotations(f"{encode_annotation(tag)}\n{encode_annotation(tag)}\n") == (tag,)


def test_an_annotation_with_keys_of_a_later_version_is_read():
    tag = Annotation("1", AnnotationKind.TAG, START, "Ada", "best")
    line = json.dumps({**json.loads(encode_annotation(tag)), "colour": "red"})
    assert decode_annotations(line) == (tag,)


@pytest.mark.parametrize(
    ("kind", "text", "tree"),
    [
        ("json", '{"a": 1, "b": {"c": [1.5, null, "x"]}}', {"a": 1, "b": {"c": [1.5, None, "x"]}}),
        ("json", '{"a": Infinity, "b": -Infinity}', {"a": math.inf, "b": -math.inf}),
        ("json", '\ufeff{"a": 1}', {"a": 1}),
        ("yaml", "a: 1e-5\nb: {c: on}", {"a": 1e-5, "b": {"c": "on"}}),
        ("yaml", "", {}),
        ("toml", "a = 1\n[b]\nc = [1.5, true]\n", {"a": 1, "b": {"c": [1.5, True]}}),
        ("toml", "d = 2026-01-31\nt = 12:00:00\nm = 2026-01-31T12:00:00Z\n",
         {"d": "2026-01-31", "t": "12:00:00", "m": "2026-01-31T12:00:00+00:00"}),
        ("toml", "a = inf", {"a": math.inf}),
        ("toml", "", {}),
    ],
)  # fmt: skip
def test_a_file_of_any_format_is_a_tree(kind, text, tree):
    assert decode_tree(text.encode(), kind) == tree


def test_nan_in_a_json_file_is_a_number():
    assert math.isnan(decode_tree(b'{"a": NaN}', "json")["a"])


@pytest.mark.parametrize(
    ("kind", "data", "problem"),
    [
        ("json", b"{", "line 1: expecting property name enclosed in double quotes"),
        ("json", b"", "line 1: expecting value"),
        ("json", b"[1]", "the file holds a list, not a mapping"),
        ("yaml", b"3", "the file holds a single value, not a mapping"),
        ("yaml", b"a: 1\na: 2", "line 2: key 'a' stands here a second time, first in line 1"),
        ("yaml", b"a: 1\nb: \xff", "line 2: byte 0xff is not UTF-8"),
        ("toml", b"a", "Expected '=' after a key in a key/value pair (at end of document)"),
        ("toml", b"a = " + b"[" * 100_000, "nested more than 200 deep"),
        ("toml", b"a" + b".a" * 300 + b" = 1", "nested more than 200 deep"),
        ("yaml", b"a:\n" + b"".join(b"  - &a%d %s*a%d%s\n" % (n, b"[" * 99, n - 1, b"]" * 99) if n else b"  - &a0 x\n" for n in range(9)),
         "line 1: nested more than 200 deep"),
        ("ini", b"", "ini is a format that exptrack does not read"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_why_in_one_line(kind, data, problem):
    with pytest.raises(ValueError) as raised:
        decode_tree(data, kind)
    assert str(raised.value) == problem
