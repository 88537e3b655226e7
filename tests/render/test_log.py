"""Runs one after the other: what a person wants to see of each, inert, and within the page."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.pipeline import StageRun, StageState
from exptrack.model.run import Links, Record, Run, Status
from exptrack.render.log import write_log, write_oneline
from exptrack.render.page import Page
from exptrack.render.text import display_width

START = datetime(2026, 1, 31, 12, tzinfo=UTC)


def log(*arguments, **options):
    return "".join(write_log(*arguments, **options))


def oneline(*arguments, **options):
    return "".join(write_oneline(*arguments, **options))


def make(name: str, tags: tuple[str, ...] = (), notes: tuple[str, ...] = (), **fields: object) -> Run:
    record = Record(
        name, Status.COMPLETED, START, duration=75.0, author="Ada <ada@example.com>", command=("python", "a b.py")
    )
    annotations = [Annotation(f"t{tag}", AnnotationKind.TAG, START, "", tag) for tag in tags]
    annotations += [Annotation(f"n{note}", AnnotationKind.NOTE, START, "", note) for note in notes]
    return Run(
        record._replace(**fields), name[0] * 40, f"refs/exptrack/runs/2026-01/{name}", annotations=tuple(annotations)
    )


NEW = make(
    "new", ("best", "old"), ("a note\n\n  of two parts", "another"), metrics={"loss": 0.5, "accuracy": 0.972},
    params={"params.yaml": {"lr": 0.1, "deep": {"er": 2}, "same": 1}}, seed=7, experiment="digits",
)  # fmt: skip
OLD = make("old", status=Status.FAILED, exit_code=3, params={"params.yaml": {"lr": 0.25, "gone": 1, "same": 1}})


def test_an_entry_reads_as_one_of_git_log():
    assert log([NEW, OLD], first=["accuracy"]) == (
        "run new (best, old)\n"
        f"Commit:     {'n' * 40}\n"
        "Author:     Ada <ada@example.com>\n"
        "Date:       2026-01-31 12:00:00 UTC\n"
        "Status:     completed, took 1min 15s\n"
        "Command:    python 'a b.py'\n"
        "Experiment: digits\n"
        "Seed:       7\n"
        "\n"
        "    a note\n"
        "\n"
        "      of two parts\n"
        "    another\n"
        "\n"
        "    params (than old): lr 0.25 → 0.1, +deep.er=2, no gone\n"
        "    metrics: accuracy=0.972, loss=0.5\n"
        "\n"
        "run old\n"
        f"Commit:     {'o' * 40}\n"
        "Author:     Ada <ada@example.com>\n"
        "Date:       2026-01-31 12:00:00 UTC\n"
        "Status:     failed, exit status 3, took 1min 15s\n"
        "Command:    python 'a b.py'\n"
        "\n"
        "    params:  lr=0.25, gone=1, same=1"
    )


def test_the_last_shows_its_parameters_as_they_are():
    assert log([NEW]).splitlines()[-2:] == [
        "    params:  lr=0.1, deep.er=2, same=1",
        "    metrics: loss=0.5, accuracy=0.972",
    ]
    assert log([OLD, OLD]).count("params") == 1


def test_the_address_is_left_out_where_there_is_no_room_for_it():
    run = make("new", author="Ada Lovelace <ada.lovelace@engines.example.com>")
    assert "\nAuthor:     Ada Lovelace <ada.lovelace@engines.example.com>\n" in log([run], page=Page(80))
    assert "\nAuthor:     Ada Lovelace\n" in log([run], page=Page(50))


def test_a_run_that_executed_another_again_names_it():
    again = make("new", ("best",), links=Links(reproduces="old"), metrics={"loss": 1})
    assert "\nReproduces: old\n" in log([again])
    assert oneline([again]) == "nnnnnnnnnn new (best) (reproduces old) loss=1"


def test_the_stage_that_failed_is_named():
    stages = (StageRun("prepare", StageState.RAN), StageRun("train", StageState.FAILED))
    failed = make("old", status=Status.FAILED, exit_code=3, stages=stages)
    assert "\nStatus:     failed in stage train, exit status 3, took" in log([failed])
    assert oneline([failed]) == "oooooooooo old failed in stage train, exit status 3: the DVC pipeline"
    killed = make("old", status=Status.INTERRUPTED, signal="SIGINT", stages=stages)
    assert "interrupted in stage train by SIGINT" in log([killed])


def test_values_that_differ_never_read_alike():
    old = make("old", params={"args": {"x": 1, "y": "1", "z": 0.1, "same": 1}})
    new = make("new", params={"args": {"x": 1.0000001, "y": 1, "z": "0.1", "same": 1.0}})
    [line] = [line for line in log([new, old]).splitlines() if "→" in line]
    assert line == '    params (than old): x 1 → 1.0000001, y "1" → 1, z 0.1 → "0.1"'


def test_a_line_for_each_run():
    runs = [
        make("new", ("best",), command=("python", "x", "lr=0.1"), params={"params.yaml": {"lr": 0.1}}, metrics={"loss": 0.5, "acc": 1}),
        make("old", status=Status.FAILED, exit_code=3, command=("x", "--lr", "2"), params={"params.yaml": {"lr": 2}}),
        make("killed", status=Status.FAILED, signal="SIGKILL"),
        make("stopped", ("x",), status=Status.INTERRUPTED, exit_code=130, metrics={"loss": 1}),
        make("crashed", status=Status.CRASHED),
        make("done"),
    ]  # fmt: skip
    assert oneline(runs) == (
        "nnnnnnnnnn new (best) lr=0.1 → loss=0.5, acc=1\n"
        "oooooooooo old failed, exit status 3: lr=2\n"
        "kkkkkkkkkk killed failed by SIGKILL\n"
        "ssssssssss stopped (x) interrupted, exit status 130: loss=1\n"
        "cccccccccc crashed crashed\n"
        "dddddddddd done completed"
    )
    assert oneline(runs[:1], first=["acc"]).endswith("new (best) lr=0.1 → acc=1")


@pytest.mark.parametrize("width", [80, 200])
def test_no_line_is_wider_than_the_page(width):
    long = "数" * 300
    many = {f"parameter-{number}": number for number in range(300)}
    run = make(
        "long", (long,), (f"{'word ' * 100}{long}",), command=(long,), params={"args": many}, metrics=many, author=long
    )
    text = log([run], page=Page(width))
    assert max(map(display_width, text.splitlines())) <= width
    assert text.count("word") == 100
    counts = [
        line.rpartition(", and ")[2] for line in text.splitlines() if line.startswith(("    params:", "    metrics:"))
    ]
    shown = 3 if width == 80 else 8
    assert counts == [f"{300 - shown} more"] * 2
    line = oneline([run], page=Page(width))
    assert display_width(line) <= width
    assert line.endswith("…")


def test_colours_are_those_of_git_log():
    page = Page(80, is_colored=True)
    lines = log([OLD], page=page).splitlines()
    assert [line for line in lines if "\x1b" in line] == [
        "\x1b[33mrun old\x1b[m",
        "Status:     \x1b[31mfailed, exit status 3, took 1min 15s\x1b[m",
    ]
    assert oneline([make("new", ("best",), metrics={"loss": 1}), OLD], page=page) == (
        "\x1b[33mnnnnnnnnnn\x1b[m new \x1b[33m(best)\x1b[m loss=1\n\x1b[33moooooooooo\x1b[m old \x1b[31mfailed, exit status 3\x1b[m"
    )


def test_a_clipped_line_ends_its_colour():
    run = make("new", ("x" * 100,))
    assert oneline([run], page=Page(30, is_colored=True)).endswith("…\x1b[m")


def test_what_git_says_of_the_code_stands_below():
    stats = {"n" * 40: " a.py | 2 \x1b[32m+\x1b[m\x1b[31m-\x1b[m\n 1 file changed\x1b[2J"}
    shown = " a.py | 2 \x1b[32m+\x1b[m\x1b[31m-\x1b[m\n 1 file changed\\x1b[2J"
    assert log([NEW, OLD], stats=stats).count(f"accuracy=0.972\n\n{shown}\n\nrun old\n") == 1
    assert oneline([NEW, OLD], stats=stats).splitlines()[1:3] == shown.splitlines()


@pytest.mark.parametrize("evil", ["\x1b[2J", "\0", "two\nlines", "\u202e", "\udcff", "\r"])
def test_nothing_in_a_run_can_act_on_the_terminal(evil):
    text = f"a{evil}b"
    run = make(
        "evil", (text,), (text,), author=text, command=(text,), experiment=text, seed=text, params={text: {text: text}},
        metrics={text: 1.0}, status=Status.FAILED, signal=text,
    )  # fmt: skip
    for shown in (log([run, OLD]), log([OLD, run]), oneline([run])):
        assert all(line.isprintable() for line in shown.split("\n"))
    assert oneline([run]).count("\n") == 0
