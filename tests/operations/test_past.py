"""What was chosen, unsealed and concluded before is read from annotations, which anybody may have written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import Record, Run, Status
from exptrack.operations.comparing.past import find_choices, find_conclusions, find_unsealings

START = datetime(2026, 11, 1, tzinfo=UTC)


def make(name, *annotations):
    return Run(Record(name, Status.COMPLETED, START), f"oid of {name}", f"refs/{name}", annotations=annotations)


def note(kind, value, id_="a", days=0):
    return Annotation(id_, kind, START + timedelta(days=days), "Ada <ada@example.com>", value)


def test_a_choice_is_read_once_with_all_runs_that_took_part():
    value = {"experiment": "rate", "configuration": "lr=0.1", "runs": ["one"], "baseline": ["two"], "planned": 5}
    line = note(AnnotationKind.SELECTION, value)
    [found] = find_choices([make("one", line), make("two", line), make("three")], "rate")
    assert (found.label, found.runs, found.baseline_runs, found.planned) == ("lr=0.1", ("one",), ("two",), 5)
    assert found.took_part == {"one", "two"}
    assert find_choices([make("one", line)], "other") == ()


def test_they_come_in_the_order_of_time():
    value = {"experiment": "rate", "metric": "test"}
    lines = [note(AnnotationKind.UNSEALING, value, id_, days) for id_, days in (("b", 1), ("c", 0), ("a", 1))]
    assert [one.id for one in find_unsealings([make("one", *lines)], "rate", "test")] == ["c", "a", "b"]
    assert find_unsealings([make("one", *lines)], "rate", "other") == ()
    assert len(find_unsealings([make("one", *lines)], "rate")) == 3


@pytest.mark.parametrize(
    "value",
    [
        None,
        "rate",
        ["rate"],
        {"experiment": ["rate"]},
        {"experiment": "rate", "runs": "one", "baseline": {"a": 1}, "planned": 1e300, "mean": "x", "seen": [1], "alpha": -5},
        {"experiment": "rate", "runs": [1, None, "one"], "planned": "many", "among": True, "seen": {"a": "b"}, "alpha": "x"},
        {"experiment": "rate", "planned": float("nan"), "difference": float("inf"), "alpha": float("nan"), "answer": 3},
    ],
)  # fmt: skip
def test_whatever_an_annotation_says_it_is_read_or_left_out(value):
    kinds = (AnnotationKind.SELECTION, AnnotationKind.UNSEALING, AnnotationKind.CONCLUSION)
    runs = [make("one", *(note(kind, value, kind.value) for kind in kinds))]
    for one in find_choices(runs, "rate"):
        assert 3 <= one.planned <= 10_000
        assert (one.mean, one.difference) == (None, None)
    for one in find_unsealings(runs, "rate"):
        assert one.seen == {}
    for one in find_conclusions(runs, "rate"):
        assert one.spent == 0


def test_a_time_to_come_counts_and_is_never_the_last():
    # A clock that is wrong by years must not stand behind every choice that is made from now on.
    value = {"experiment": "rate", "metric": "test"}
    lines = [note(AnnotationKind.SELECTION, value, id_, days) for id_, days in (("b", 1), ("z", 10**6), ("a", 0))]
    assert [one.id for one in find_choices([make("one", *lines)], "rate")] == ["z", "a", "b"]
