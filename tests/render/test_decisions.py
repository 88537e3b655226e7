"""What was decided with a run: told of it in lines, in the card, and in the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import Record, Run, Status
from exptrack.render.card import format_card
from exptrack.render.decisions import list_decisions
from exptrack.render.log import write_log
from exptrack.render.page import Page
from exptrack.render.text import display_width

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
ADA = "Ada <ada@example.com>"
CHOICE = {
    "experiment": "rate", "metric": "accuracy", "configuration": "lr=0.1", "runs": ["one", "two"], "baseline": ["three"],
    "planned": 5, "among": 3, "mean": 0.9, "difference": 0.2, "noise": 0.01,
}  # fmt: skip
UNSEALING = {
    "experiment": "rate", "metric": "test", "reason": "the numbers\nof the paper", "seen": {"lr=0.1": 0.875, "lr=0.3": 0.75}, "verdict": "",
}  # fmt: skip
CONCLUSION = {
    "experiment": "rate", "metric": "accuracy", "answer": "accepted", "verdict": "better: accuracy +0.1", "runs": "0" * 16, "alpha": 0.05,
}  # fmt: skip
VALUES = (
    (AnnotationKind.SELECTION, CHOICE),
    (AnnotationKind.UNSEALING, UNSEALING),
    (AnnotationKind.CONCLUSION, CONCLUSION),
)


def make(name, *values):
    stands = tuple(
        Annotation(str(number), kind, START + timedelta(hours=number), ADA, value)
        for number, (kind, value) in enumerate(values)
    )
    record = Record(name, Status.COMPLETED, START, command=("true",), sealed=("test",))
    return Run(record, "1" * 40, f"refs/exptrack/runs/2026-01/{name}", annotations=stands)


def test_a_line_tells_what_was_decided_when_by_whom_and_why():
    assert list_decisions(make("one", *VALUES)) == [
        ("selected", "lr=0.1, the best of 3 configurations by accuracy, on 2026-01-31 12:00 UTC by Ada"),
        (
            "unsealed",
            "the holdout test, on 2026-01-31 13:00 UTC by Ada, because: the numbers\nof the paper; seen: lr=0.1 0.875, lr=0.3 0.75",
        ),
        ("concluded", "accepted, on 2026-01-31 14:00 UTC by Ada: better: accuracy +0.1"),
    ]


def test_a_run_that_was_looked_at_is_not_called_selected():
    assert list_decisions(make("three", VALUES[0])) == [
        ("looked at", "when lr=0.1 was selected of 3 configurations by accuracy, on 2026-01-31 12:00 UTC by Ada")
    ]


def test_the_card_has_them_behind_the_notes():
    note = (AnnotationKind.NOTE, "a long look")
    lines = format_card(make("one", note, *VALUES), None).split("\n")
    labels = [line[:11].rstrip() for line in lines]
    assert labels[labels.index("note") :][:5] == ["note", "selected", "unsealed", "", "concluded"]
    assert "           of the paper; seen: lr=0.1 0.875, lr=0.3 0.75" in lines


def test_what_was_not_seen_stays_sealed():
    card = format_card(make("one", VALUES[0], VALUES[2]), None)
    assert "test  sealed" in card
    assert "0.875" not in card


def test_the_log_has_a_line_for_each():
    lines = "".join(write_log([make("one", *VALUES)])).split("\n")
    assert "Selected:   lr=0.1, the best of 3 configurations by accuracy, on 2026-01-31 12:00 UTC by Ada" in lines
    assert "Concluded:  accepted, on 2026-01-31 14:00 UTC by Ada: better: accuracy +0.1" in lines
    assert any(line.startswith("Unsealed:   the holdout test") for line in lines)


@pytest.mark.parametrize("value", [None, "text", {}, {"experiment": 3}, {"experiment": "a", "seen": 1, "runs": 2}])
@pytest.mark.parametrize("kind", [kind for kind, _ in VALUES])
def test_what_others_wrote_is_told_or_left_out(kind, value):
    assert isinstance(format_card(make("one", (kind, value)), None), str)


def test_no_line_is_obeyed_or_wider_than_the_page():
    evil = {**CHOICE, "configuration": "\x1b[2J" + "x" * 300}
    run = make("one", (AnnotationKind.SELECTION, evil))
    for text in (format_card(run, None, page=Page(60)), "".join(write_log([run], page=Page(60)))):
        assert "\x1b" not in text
        assert max(map(display_width, text.split("\n"))) <= 60
