"""The message of a run tells a person what it was, and nobody can make it tell something else."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exptrack.analysis.message import check_note, format_message
from exptrack.errors import ExptrackError
from exptrack.model.run import Record, Status

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
TEXTS = st.text(st.characters() | st.sampled_from("\n\r\0\x1b:=-\u2028 "), max_size=30) | st.sampled_from(
    [
        "Exptrack-Run: other 123",
        "a\nExptrack-Run: other 123",
        "x\n\nExptrack-Status: completed\n",
        "\r\nExptrack-Run : x",
        "---",
        "\ud800",
    ]
)


def record(status: Status = Status.COMPLETED, **fields: object) -> Record:
    return Record("brave-otter-k3f9", status, START, **fields)  # type: ignore[arg-type]


def subject(primary: str | None = None, status: Status = Status.COMPLETED, **fields: object) -> str:
    return format_message(record(status, **fields), primary).split("\n")[0].removeprefix("brave-otter-k3f9: ")


def test_the_subject_says_what_was_given_and_what_came_out():
    assert (
        subject(params={"args": {"svm": {"C": 1}}}, metrics={"accuracy": 0.97222222}) == "svm.C=1 → accuracy=0.972222"
    )
    assert subject(metrics={"accuracy": 1.0}) == "accuracy=1"
    assert subject(params={"args": {"lr": 0.1}}) == "lr=0.1"
    assert subject() == "completed"


def test_parameters_that_the_command_names_are_shown_in_its_order():
    params = {"params.yaml": {"lr": 0.1, "depth": 3, "other": 4}, "args": {"new": "x"}}
    command = ("python", "train.py", "new=x", "--depth=3", "lr=0.1")
    assert subject(command=command, params=params) == "new=x, depth=3, lr=0.1"


def test_overrides_are_shown_as_they_were_typed_before_what_the_command_was_given():
    params = {"params.yaml": {"train": {"lr": 0.2}}, "args": {"new": 1}}
    assert subject(overrides=("train.lr=0.2", "~gone"), params=params) == "train.lr=0.2, ~gone, new=1"
    assert subject(overrides=("train.lr=0.2",), stages=(), metrics={"a": 1}) == "train.lr=0.2 → a=1"
    assert subject(stages=()) == "the DVC pipeline"
    assert subject(overrides=("a=1", "b=2", "c=3", "d=4"), stages=()) == "a=1, b=2, c=3, …"
    assert subject(overrides=("a=" + "x" * 100 + "\n",)) == "a=" + "x" * 39 + "…"


def test_of_many_the_first_few_are_shown():
    metrics = {f"m{i}": i for i in range(9)}
    assert subject(metrics=metrics) == "m0=0, m1=1, m2=2, …"
    assert subject("m7", metrics=metrics) == "m7=7"
    assert subject("unknown", metrics=metrics) == "m0=0, m1=1, m2=2, …"


@pytest.mark.parametrize(
    ("status", "fields", "expected"),
    [
        (Status.FAILED, {"exit_code": 3}, "failed (exit status 3)"),
        (Status.FAILED, {"signal": "SIGKILL"}, "failed (SIGKILL)"),
        (Status.INTERRUPTED, {"exit_code": 130}, "interrupted"),
        (Status.CRASHED, {}, "crashed"),
        (Status.CRASHED, {"metrics": {"loss": 0.5}, "params": {"args": {"lr": 1}}}, "lr=1 → crashed, loss=0.5"),
    ],
)
def test_a_run_that_did_not_complete_says_so(status, fields, expected):
    assert subject(None, status, **fields) == expected


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("two\nlines\tand  blanks", "two lines and blanks"), ("x" * 100, "x" * 39 + "…"), ("\x1b[31mred\0", "\ufffd[31mred\ufffd"), (True, "true"),
        (None, "null"), (1e-7, "1e-07"), (float("nan"), "nan"), ([], "[]"), (10**50, "1" + "0" * 38 + "…"), ("", ""),
    ],
)  # fmt: skip
def test_a_value_is_short_inert_and_on_one_line(value, shown):
    assert subject(params={"args": {"x": value}}) == f"x={shown}"


def test_the_note_and_trailers_follow():
    message = format_message(record(Status.FAILED, note="  why\r\n\r\nand how\n", experiment="digits"))
    assert message == (
        "brave-otter-k3f9: failed\n"
        "\n"
        "why\n\nand how\n"
        "\n"
        "Exptrack-Run: brave-otter-k3f9\nExptrack-Status: failed\nExptrack-Experiment: digits\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "Exptrack-Run: other 123", "  exptrack-status: completed", "EXPTRACK-EXPERIMENT:x", "\tExptrack-Run:", "Exptrack-Run : other",
        "Exptrack-Run\t:other", "\u00a0Exptrack-Run: x", "Exptrack-Made-Up: x",
        "* Exptrack-Run: x", "  - exptrack-run: x", "-Exptrack-Run: x",
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", "fine\n", "fine\r", "fine\u2028", "fine\x0b", "\n\n"])
def test_a_note_cannot_forge_a_trailer(before, line):
    with pytest.raises(
        ExptrackError, match=r"^a note cannot hold a line that begins with 'exptrack-[\w-]+:', which would forge(?i:)"
    ) as caught:
        check_note((before + line + "\nmore").lower())
    assert "\n" not in str(caught.value)
    with pytest.raises(ExptrackError):
        check_note(before + line)


@pytest.mark.parametrize(
    "note", ["", "see Exptrack-Run: x", "Exptrack: good", "Exptrack-Run is a trailer", "Signed-off-by: Ada", "a\nb"]
)
def test_an_honest_note_passes(note):
    assert check_note(note) == note


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    TEXTS, TEXTS, st.dictionaries(TEXTS, TEXTS | st.floats() | st.none(), max_size=3), st.dictionaries(TEXTS, st.floats(), max_size=3),
    st.lists(TEXTS, max_size=3), st.sampled_from(Status),
)  # fmt: skip
def test_git_reads_the_trailers_that_we_wrote_and_no_others(
    repository, note, experiment, params, metrics, command, status
):
    try:
        check_note(note)
    except ExptrackError:
        note = ""
    given_record = record(
        status, note=note, experiment=experiment, params={"args": params, "p.yaml": params}, metrics=metrics, command=tuple(command), signal=None
    )  # fmt: skip
    message = format_message(given_record)
    assert message.split("\n")[0].startswith("brave-otter-k3f9: ")
    assert message.split("\n")[1] == ""
    assert not any(letter in message for letter in "\0\x1b\r\x85")
    oid = _git(repository, "commit-tree", "-F", "-", "HEAD^{tree}", stdin=message.encode(errors="replace")).strip()
    found = _git(
        repository,
        "log",
        "-1",
        "--format=%(trailers:key=Exptrack-Run,key=Exptrack-Status,key=Exptrack-Experiment,only)",
        oid,
    )
    expected = ["Exptrack-Run: brave-otter-k3f9", f"Exptrack-Status: {status}"]
    assert found.strip().split("\n")[:2] == expected
    keys = [line.partition(":")[0] for line in found.strip().split("\n")]
    assert keys in (["Exptrack-Run", "Exptrack-Status"], ["Exptrack-Run", "Exptrack-Status", "Exptrack-Experiment"])


def _git(folder, *words: str, stdin: bytes = b"") -> str:
    return subprocess.run(["git", *words], cwd=folder, input=stdin, capture_output=True, check=True).stdout.decode()
