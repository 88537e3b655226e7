"""One run in full: all that matters is there, aligned, and inert."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.change import Kind
from exptrack.model.data import Omission, Pointer, Reason
from exptrack.model.difference import FileChange
from exptrack.model.environment import Environment, Gpu, Hardware, Interpreter, Package, Platform
from exptrack.model.run import Links, Record, Run, Status
from exptrack.model.settings import MetricDeclaration
from exptrack.render.card import format_card
from exptrack.render.page import Page
from exptrack.render.text import display_width

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
RECORD = Record(
    "one",
    Status.COMPLETED,
    START,
    duration=75.0,
    author="Ada <ada@example.com>",
    host="box",
    command=("python", "a b.py"),
)
RUN = Run(RECORD, "1" * 40, "refs/exptrack/runs/2026-01/one", "2" * 40, "3" * 40)


def card(annotations=(), environment=None, **fields: object) -> str:
    return format_card(RUN._replace(record=RECORD._replace(**fields), annotations=tuple(annotations)), environment)


def test_the_head_says_who_what_and_when():
    assert card() == (
        "run       one\n"
        f"commit    {'1' * 40}\n"
        "status    completed\n"
        "started   2026-01-31 12:00:00 UTC, took 1min 15s\n"
        "author    Ada <ada@example.com> on box\n"
        "command   python 'a b.py'\n"
        f"base      {'3' * 40}"
    )


def test_the_end_of_a_run_is_told():
    assert "\nstatus    failed, exit status 3\n" in card(status=Status.FAILED, exit_code=3)
    assert "\nstatus    failed by SIGKILL\n" in card(status=Status.FAILED, signal="SIGKILL")
    assert "\nstatus    crashed by SIGKILL\n" in card(status=Status.CRASHED, signal="SIGKILL")


def test_of_a_crashed_run_it_is_said_what_died_and_until_when_it_is_known_to_have_lived():
    text = card(status=Status.CRASHED)
    assert "\nstatus    crashed: its end was not seen, as after a kill\n" in text
    assert "\nstarted   2026-01-31 12:00:00 UTC, took 1min 15s, up to the last sign of life\n" in text
    assert "sign of life" not in card(status=Status.CRASHED, duration=None)


def edited(*paths: str, width: int | None = None) -> list[str]:
    """What the card says of the code, and what it says behind that."""
    files = [FileChange(path, Kind.CHANGED, 2, number) for number, path in enumerate(paths)]
    lines = format_card(RUN, None, code=files, page=Page(width)).splitlines()
    return lines[7:]


def test_code_that_was_not_as_committed_is_told():
    see = f"`exptrack diff {'3' * 10} one --only code` shows"
    assert edited() == ["code      as committed in the base"]
    assert edited("a.py") == [f"code      1 file differs from the base, +2 \N{MINUS SIGN}0 (a.py): {see} it"]
    assert edited("a", "b", "c") == [
        f"code      3 files differ from the base, +6 \N{MINUS SIGN}3 (a, b, c): {see} them"
    ]
    assert edited("a", "b\n", "c", "d", "e") == [
        f"code      5 files differ from the base, +10 \N{MINUS SIGN}10 (a, b\\n, c and 2 more): {see} them"
    ]
    binary = format_card(RUN, None, code=[FileChange("x.bin", Kind.ADDED)])
    assert "1 file differs from the base, +0 \N{MINUS SIGN}0 (x.bin)" in binary
    assert "code" not in format_card(RUN, None)
    assert "code" not in format_card(RUN._replace(base=None), None, code=())


@pytest.mark.parametrize("width", [66, 80])
def test_on_a_narrow_page_the_command_that_shows_the_code_stands_whole(width):
    first, second = edited("train.py", width=width)
    assert first == "code      1 file differs from the base, +2 \N{MINUS SIGN}0 (train.py):"
    assert second == f"          `exptrack diff {'3' * 10} one --only code` shows it"


def test_on_a_narrower_one_too():
    assert edited("train.py", width=60)[1:] == [
        f"          `exptrack diff {'3' * 10} one --only code`",
        "          shows it",
    ]


def test_the_host_is_seen_on_a_narrow_page_and_the_address_is_left_out_where_it_does_not_fit():
    def author(width: int) -> str:
        run = RUN._replace(
            record=RECORD._replace(author="Ada Lovelace <ada.lovelace@engines.example.com>", host="box-7")
        )
        return next(line for line in format_card(run, None, page=Page(width)).splitlines() if line.startswith("author"))

    assert author(80) == "author    Ada Lovelace <ada.lovelace@engines.example.com> on box-7"
    assert author(60) == "author    Ada Lovelace on box-7"


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_nothing_that_warns_is_clipped_away(width):
    path = "data/" + "x" * 60 + ".csv"
    run = RUN._replace(
        record=RECORD._replace(
            status=Status.CRASHED,
            data=(
                Pointer("a.csv", "d" * 32, size=1536, modified=True), Pointer(path, "e" * 32 + ".dir", size=1 << 30, files=12345, modified=True),
                Pointer("gone.csv", "f" * 32),
            ),
            not_captured=(Omission(path, Reason.TOO_LARGE, size=2048, digest="sha256:" + "a" * 64), Omission("b c", Reason.DIRTY_SUBMODULE)),
            problems=("model.npz of -o was not written, so that nothing of it is kept, which is a long story that ends well",),
        )
    )  # fmt: skip
    lines = format_card(run, None, page=Page(width)).splitlines()
    assert max(map(display_width, lines)) <= width
    text = " ".join(" ".join(lines).split())
    assert text.count("MODIFIED: not what the pointer stands for") == 2
    assert text.count("not on disk") == 1
    assert "(too large, 2.0 KiB, sha256:aaaaaaaaaaaa)" in text
    assert "b c (submodule with uncommitted changes)" in text
    assert "a long story that ends well" in text
    assert "crashed: its end was not seen, as after a kill" in text
    assert "1.0 GiB" in text


def test_a_warning_without_room_stands_below_and_a_digest_goes_before_a_size_does():
    data = (
        Pointer("x" * 50, "d" * 32, size=1536, files=10000, modified=True),
        Pointer("y", "e" * 32, size=1, modified=False),
    )

    def rows(width: int) -> list[str]:
        text = format_card(RUN._replace(record=RECORD._replace(data=data)), None, page=Page(width, is_colored=True))
        return text.split("data:\n")[1].splitlines()

    assert rows(80) == [
        f"  \x1b[33m{'x' * 39}…  1.5 KiB, 10,000 files\x1b[m",
        "    \x1b[33mMODIFIED: not what the pointer stands for\x1b[m",
        f"  y{' ' * 39}  1 B",
    ]
    assert rows(90)[0] == f"  \x1b[33m{'x' * 39}…  1.5 KiB, 10,000 files  md5:{'d' * 12}\x1b[m"
    assert rows(60)[0] == f"  \x1b[33m{'x' * 29}…  1.5 KiB, 10,000 files\x1b[m"


def test_a_run_without_a_base_says_so():
    assert "\nbase      none: there was no commit yet" in format_card(RUN._replace(base=None), None)


def test_links_tags_and_notes_stand_in_the_head():
    annotations = [
        Annotation("1", AnnotationKind.TAG, START, "", "best"),
        Annotation("2", AnnotationKind.NOTE, START, "", "first line\n\nthird"),
        Annotation("3", AnnotationKind.TAG, START, "", "old"),
        Annotation("4", AnnotationKind.TAG, START, "", "best"),
    ]
    text = card(annotations, experiment="digits", seed=7, links=Links(parent="other"), directory="sub")
    assert text.splitlines()[5:] == [
        "command     python 'a b.py'  (in sub)",
        f"base        {'3' * 40}",
        "experiment  digits",
        "seed        7",
        "parent      other",
        "tags        best, old",
        "note        first line",
        "            ",
        "            third",
    ]


def test_a_run_that_was_removed_or_is_shared_without_its_data_says_so():
    when = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
    stone = Annotation("1", AnnotationKind.TOMBSTONE, when, "Eve \x1b[2J<eve@example.com>", "no\ngood")
    text = card([stone, Annotation("2", AnnotationKind.UNSHARED, when, "Eve")])
    assert "\nremoved   by Eve \\x1b[2J<eve@example.com> on 2026-02-03 04:05 UTC: no\\ngood\n" in text
    assert text.endswith("\ndata      not shared: it was pushed without its data")
    assert card([stone._replace(value=None)]).endswith(" UTC")


def test_keys_stand_under_each_other_whatever_they_hold():
    text = card(
        metrics={"loss": 0.5, "数字": 1, "a\nb": 2, "deep": {"er": [3, 4]}},
        params={"params.yaml": {"lr": 0.1}, "args": {"x": True}},
    )
    sections = text.split("\n\n")
    assert sections[1] == (
        "metrics:\n"
        "  loss       0.5\n"
        "  数字       1\n"
        "  a\\nb       2\n"
        "  deep.er.0  3\n"
        "  deep.er.1  4"
    )  # fmt: skip
    assert sections[2:] == ["parameters (args):\n  x  true", "parameters (params.yaml):\n  lr  0.1"]
    assert len({display_width(line[: line.rindex(" ") + 1]) for line in sections[1].splitlines()[1:]}) == 1


def test_data_that_is_not_what_its_pointer_says_is_named():
    text = card(
        data=(
            Pointer("a.csv", "d" * 32, size=1536, modified=False),
            Pointer("b", "e" * 32 + ".dir", size=10, files=2, modified=True),
            Pointer("c.csv", "f" * 32),
        ),
        outputs=(Pointer("model.npz", "0" * 32, size=5, files=1),),
    )
    assert text.split("\n\n")[1:] == [
        (
            "data:\n"
            "  a.csv  1.5 KiB        md5:dddddddddddd\n"
            "  b      10 B, 2 files  MODIFIED: not what the pointer stands for  md5:eeeeeeeeeeee\n"
            "  c.csv  -              not on disk  md5:ffffffffffff"
        ),
        "outputs:\n  model.npz  5 B, 1 file  md5:000000000000",
    ]


def test_what_was_not_captured_is_listed_the_surprising_first():
    ignored = [Omission(f"ignored-{i}", Reason.IGNORED) for i in range(10)] + [Omission("./", Reason.IGNORED, files=20)]
    text = card(
        not_captured=(
            *ignored,
            Omission("big.bin", Reason.TOO_LARGE, size=2048, digest="sha256:" + "a" * 64),
            Omission("x", Reason.TOO_MANY, files=3),
        )
    )
    lines = text.split("not captured:\n")[1].splitlines()
    assert lines[:2] == ["  big.bin  (too large, 2.0 KiB, sha256:aaaaaaaaaaaa)", "  x  (too many files, 3 files)"]
    assert lines[2:] == [*(f"  ignored-{i}  (ignored by git)" for i in range(8)), "  and 22 more that Git ignores"]


ENVIRONMENT = Environment(
    Platform("Linux", "6.1", "x86_64"),
    Hardware("CPU", 8, 2**34, (Gpu("GPU", 2**33),)),
    Interpreter("/usr/bin/python", "3.11.9", "cpython", "path"),
)


def test_the_environment_is_told_as_far_as_it_is_known():
    assert card(environment=ENVIRONMENT).split("\n\n")[-1] == (
        "environment:\n  cpython 3.11.9  /usr/bin/python\n  0 packages\n  Linux 6.1 x86_64\n  CPU, 8 cores, 16.0 GiB\n  GPU, 8.0 GiB"
    )
    bare = card(environment=Environment(Platform("Linux", "6.1", "x86_64"), Hardware()))
    assert bare.split("\n\n")[-1] == "environment:\n  0 packages\n  Linux 6.1 x86_64\n  unknown CPU"


@given(st.sampled_from(["\x1b[2J", "\0", "two\nlines", "\u202e", "\udcff", "\r"]).map(lambda evil: f"a{evil}b"))
def test_nothing_in_a_run_can_act_on_the_terminal(evil):
    pointer, omission = Pointer(evil, evil, evil), Omission(evil, Reason.TOO_LARGE, digest=evil)
    text = card(
        [Annotation("1", AnnotationKind.NOTE, START, evil, evil), Annotation("2", AnnotationKind.TAG, START, evil, evil)],
        Environment(Platform(evil, evil, evil), Hardware(evil, gpus=(Gpu(evil),)), Interpreter(evil, evil, evil, evil)),
        signal=evil, author=evil, host=evil, command=(evil,), directory=evil, experiment=evil, seed=evil, metrics={evil: 1.0},
        params={evil: {evil: evil}}, data=(pointer,), outputs=(pointer,), not_captured=(omission,), changed=(evil,), concurrent=(evil,),
        ambiguous=(evil,), problems=(evil,), links=Links(evil, evil, evil, evil),
    )  # fmt: skip
    assert all(line.isprintable() for line in text.split("\n"))
    assert text.count("\n") == card(
        [Annotation("1", AnnotationKind.NOTE, START, "", "c\nd" if "\n" in evil else "c"), Annotation("2", AnnotationKind.TAG, START, "", "c")],
        Environment(Platform("c", "c", "c"), Hardware("c", gpus=(Gpu("c"),)), Interpreter("c", "c", "c", "c")),
        experiment="c", seed="c", metrics={"c": 1.0}, params={"c": {"c": "c"}}, data=(pointer,), outputs=(pointer,), not_captured=(omission,),
        changed=("c",), concurrent=("c",), ambiguous=("c",), problems=("c",), links=Links("c", "c", "c", "c"),
    ).count("\n")  # fmt: skip


@pytest.mark.parametrize(("count", "more"), [(8, 0), (9, 0), (10, 2)])
def test_the_number_of_ignored_paths_is_right(count, more):
    text = card(not_captured=tuple(Omission(str(i), Reason.IGNORED) for i in range(count)))
    assert text.count("ignored by git") == count - more
    assert (f"and {more} more that Git ignores" in text) == (more > 0)


def test_what_is_one_is_not_said_of_many():
    text = card(
        environment=Environment(Platform("Linux", "6.1", "x86_64"), Hardware(cores=1), packages=(Package("a", "1"),)),
        data=(Pointer("b", "e" * 32 + ".dir", size=1, files=1, modified=False),),
        not_captured=(Omission("x/", Reason.TOO_MANY, files=1),),
    )
    assert "  b  1 B, 1 file  md5:" in text
    assert "  x/  (too many files, 1 file)" in text
    assert "  1 package\n" in text
    assert "  unknown CPU, 1 core" in text


def test_of_many_values_the_declared_come_first_and_the_rest_is_counted():
    metrics = {f"m{number:04}": number for number in range(2000)}
    params = {"params.yaml": {f"p{number:03}": number for number in range(300)}, "args": {"x": 1}}
    declared = {"m1999": MetricDeclaration("m1999", unit="ms"), "absent": MetricDeclaration("absent")}
    text = format_card(RUN._replace(record=RECORD._replace(metrics=metrics, params=params)), None, declared=declared)
    lines = text.split("\n\n")[1].splitlines()
    assert lines[:3] == ["metrics:", "  m1999  1999 ms", "  m0000  0"]
    assert len(lines) == 42
    assert lines[-1] == "  and 1,960 more: --all shows them"
    assert text.split("\n\n")[2] == "parameters (args):\n  x  1"
    assert text.split("\n\n")[3].splitlines()[-1] == "  and 261 more: --all shows them"
    whole = format_card(
        RUN._replace(record=RECORD._replace(metrics=metrics, params=params)), None, page=Page(is_whole=True)
    )
    assert len(whole.splitlines()) == 7 + 2002 + 3 + 302
    assert "--all" not in whole


@pytest.mark.parametrize("status", [Status.FAILED, Status.CRASHED, Status.INTERRUPTED])
def test_of_a_run_that_did_not_complete_the_end_of_its_output_is_shown(status):
    def tail(output: str) -> list[str]:
        text = format_card(RUN._replace(record=RECORD._replace(status=status)), None, output=output)
        return text.split("\n\n", 1)[1].splitlines() if "\n\n" in text else []

    assert tail("one\n\ttwo\x1b[2J\n\n") == ["output:", "  one", "          two\\x1b[2J"]
    numbers = "".join(f"{number}\n" for number in range(1234))
    assert tail(numbers) == ["output, the last 10 of 1,234 lines:", *(f"  {number}" for number in range(1224, 1234))]
    assert tail(" \n") == []


def test_of_a_run_that_completed_no_output_is_shown():
    assert "hello" not in format_card(RUN, None, output="hello\n")


@pytest.mark.parametrize("width", [80, 200])
def test_no_line_is_wider_than_the_page(width):
    long = "数" * 500
    text = format_card(
        RUN._replace(
            record=RECORD._replace(
                command=(long,), author=long, host=long, metrics={long: 1.0}, params={long: {"a": long, long: 1}},
                data=(Pointer(long, "d" * 32, modified=True),), not_captured=(Omission(long, Reason.TOO_LARGE),), problems=(long,),
                experiment=long, seed=long, directory=long, changed=(long,),
            ),
            annotations=(
                Annotation("1", AnnotationKind.NOTE, START, "", f"{'word ' * 100}{long}"),
                Annotation("2", AnnotationKind.TAG, START, "", long),
            ),
        ),
        Environment(Platform(long, long, long), Hardware(long, gpus=(Gpu(long),)), Interpreter(long, long, long, long)),
        page=Page(width),
    )  # fmt: skip
    assert max(map(display_width, text.splitlines())) <= width
    assert "word word" in text
    assert text.count("word") == 100
    assert text.split("metrics:\n")[1].splitlines()[0] == "  " + "数" * 19 + "…  1"
    assert "MODIFIED: not what the pointer stands for" in text


def test_colours_are_few():
    text = format_card(
        RUN._replace(
            record=RECORD._replace(
                status=Status.FAILED, exit_code=1, data=(Pointer("a", "d" * 32, modified=True), Pointer("b", "e" * 32, modified=False))
            )
        ),
        None,
        page=Page(80, is_colored=True),
    )  # fmt: skip
    assert [line for line in text.splitlines() if "\x1b" in line] == [
        "status    \x1b[31mfailed, exit status 1\x1b[m",
        "  \x1b[33ma  -  MODIFIED: not what the pointer stands for  md5:dddddddddddd\x1b[m",
    ]
    for status, color in ((Status.COMPLETED, 32), (Status.INTERRUPTED, 33), (Status.FAILED, 31)):
        shown = format_card(RUN._replace(record=RECORD._replace(status=status)), None, page=Page(80, is_colored=True))
        assert f"status    \x1b[{color}m{status}\x1b[m" in shown
