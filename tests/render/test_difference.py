"""A difference names what changed and by how much, and the code of others cannot act on the terminal."""

from __future__ import annotations

from datetime import UTC, datetime

from exptrack.model.change import Change, Kind
from exptrack.model.run import Record, Run, Status
from exptrack.operations.diff import Difference
from exptrack.render.difference import format_difference

OLD, NEW = (Run(Record(name, Status.COMPLETED, datetime(2026, 1, 31, tzinfo=UTC)), name, "") for name in ("old", "new"))


def shown(*changes: Change, code: str = "") -> str:
    return format_difference(Difference(OLD, NEW, changes, code))


def test_no_difference_is_one_line():
    assert shown() == "old → new\n\nno difference in parameters, metrics or code"


def test_parameters_and_metrics_are_tables_and_metrics_have_a_delta():
    text = shown(
        Change("params", ("lr",), Kind.CHANGED, 0.1, 0.2),
        Change("params", ("deep", "er"), Kind.ADDED, new="text"),
        Change("metrics", ("accuracy",), Kind.CHANGED, 0.5, 0.75),
        Change("metrics", ("loss",), Kind.REMOVED, 1),
        code="diff --git a/x b/x\n",
    )
    assert text == (
        "old → new\n\n"
        "parameters:\n"
        "  key      old  new\n"
        "  lr       0.1  0.2\n"
        "  deep.er       text\n\n"
        "metrics:\n"
        "  key       old  new   delta\n"
        "  accuracy  0.5  0.75  +0.25\n"
        "  loss      1\n\n"
        "code:\n"
        "diff --git a/x b/x"
    )


def test_a_delta_is_of_numbers_only():
    def delta(old, new):
        return shown(Change("metrics", ("m",), Kind.CHANGED, old, new)).splitlines()[-1].split()[3:]

    assert delta(1, 0.5) == ["-0.5"]
    assert delta(float("inf"), 1.0) == ["-inf"]
    assert delta(float("nan"), 1.0) == ["+nan"]
    assert delta(False, True) == []
    assert delta("a", 1) == []
    assert delta(10**400, 0.5) == [], "no float holds it"


def test_hostile_keys_values_and_code_are_inert():
    evil = "\x1b[2J\u202e\n\0"
    text = shown(
        Change("params", (evil, "x"), Kind.CHANGED, evil, "y"), code=f"+if admin: # {evil}\x1b[32mgreen\x1b[m\r\n"
    )
    assert "\x1b[2J" not in text
    assert "\u202e" not in text
    assert "\0" not in text
    assert "\x1b[32mgreen\x1b[m" in text
    assert [line.strip()[:3] for line in text.split("\n")] == [
        "old",
        "",
        "par",
        "key",
        "\\x1",
        "",
        "cod",
        "+if",
        "\\x0",
    ]
