"""A check on a terminal and in a log: what holds in few lines, what does not with all one needs, and nothing of others can act on it."""

from __future__ import annotations

import re

import pytest
from checks import (
    ALL_HOSTILE_CHECKS,
    AMENDED,
    BROKEN,
    CHECKED,
    ENDED,
    FILE,
    HOLDS,
    LOWERED,
    MISSED,
    MISSING,
    SUPERSEDED,
    checked,
    numbered,
)
from hypothesis import given
from hypothesis import strategies as st
from reproductions import AT

from exptrack.model.change import Change, Kind
from exptrack.model.checking import Bar, Checked, CheckedClaim, Misclaim, Verdict
from exptrack.model.reproduction import Level
from exptrack.render.check import format_check, list_command, say_changes, say_summary
from exptrack.render.text import display_width

EXACT = Bar(Level.EXACT)


def shown(found: Checked, *, width: int | None = 80, color: bool = False) -> str:
    return format_check(found, width=width, color=color)


def claimed(*verdicts: Verdict) -> Checked:
    return checked(*(CheckedClaim(HOLDS.claim, verdict) for verdict in verdicts))


def test_what_holds_takes_three_lines():
    assert (
        shown(checked(HOLDS))
        == """\
1 run is claimed between main and HEAD: it holds

brave-otter-k3f9 holds: exact; required by main: statistical
  recorded by Grace Hopper, claimed in cccccccccc by Ada Lovelace
  `exptrack check brave-otter-k3f9` repeats it"""
    )


def test_what_does_not_hold_says_all_one_needs_below_the_bar_that_was_changed():
    assert (
        shown(checked(MISSED, bar=EXACT, changes=LOWERED, notes=("origin/main is taken for main",)))
        == """\
check.require: statistical → methodological in HEAD; main's counts
check.tolerance.loss: not set → 0.5 in HEAD; main's counts

1 run is claimed between main and HEAD: it does not hold

brave-otter-k3f9 does not hold: it reproduces statistically, and exact is
  required
  reached: statistical; required by main: exact
  recorded by Grace Hopper, claimed in cccccccccc by Ada Lovelace
  exact  no  differs: 1 of 2 files, the first `model.pkl`
             loss: 0.41 → 0.42
  nondeterministic: the seed is recorded and environment and hardware agree,
    so exact was expected: first diverges at model.pkl
  first diverged:
    stage train, output model.pkl  md5:aaaaaaaaaaaa → md5:bbbbbbbbbbbb
  notes:
    brave-otter-k3f9 is claimed by somebody else than recorded it
    loss is the only metric that is declared
    same.csv was modified on both sides
  `exptrack check main..bbbbbbbbbb` repeats it

notes:
  origin/main is taken for main"""
    )


def test_an_execution_that_failed_says_how_to_see_why():
    assert (
        "\n  exact  no  the execution failed\n  `exptrack show calm-fox-a1b2 --output` shows what it printed\n"
        in shown(checked(ENDED, bar=EXACT))
    )


def test_files_that_are_not_what_ran_are_named_and_the_commits_are_what_to_check_again():
    assert shown(checked(AMENDED)).partition("\n\n")[2] == (
        "brave-otter-k3f9 does not hold: 1 file of HEAD is not what ran\n"
        "  recorded by Grace Hopper, claimed in cccccccccc by Ada Lovelace\n"
        "  files:\n"
        "    train.py | 2 +-\n"
        "  `exptrack check main..bbbbbbbbbb` repeats it"
    )


@pytest.mark.parametrize(
    ("number", "last"), [(11, "    10.py | 2 +-"), (12, "    and 2 more"), (1012, "    and 1,002 more")]
)
def test_of_many_files_the_first_are_named_and_the_others_counted(number, last):
    files = tuple(FILE._replace(path=f"{number}.py") for number in range(number))
    lines = shown(checked(AMENDED._replace(files=files))).split("\n")
    assert lines[-2] == last
    assert sum(" | 2 +-" in line for line in lines) == min(number, 11 if number == 11 else 10)


def test_what_cannot_be_checked_says_what_to_do():
    text = shown(checked(MISSING))
    assert text.startswith("1 run is claimed between main and HEAD: it cannot be checked\n")
    assert "\n\nbrave-otter-k3f9 cannot be checked: it is neither here nor in origin:\n  `exptrack push" in text


def test_what_is_superseded_is_told_and_nothing_is_to_be_repeated():
    assert shown(checked(SUPERSEDED)).partition("\n\n")[2] == (
        "brave-otter-k3f9 is superseded: calm-fox-a1b2 is claimed since\n"
        "  recorded by Grace Hopper, claimed in cccccccccc by Ada Lovelace"
    )


def test_what_is_superseded_needs_no_reason():
    assert "\n\nbrave-otter-k3f9 is superseded: a newer commit claims another run\n" in shown(
        checked(SUPERSEDED._replace(reason=""))
    )


def test_a_line_that_claims_nothing_says_what_a_claim_looks_like():
    assert (
        shown(checked(broken=(BROKEN,)), width=200)
        == """\
no run is claimed between main and HEAD; 1 line claims nothing

`Exptrack-Run: brave-otter-k3f9` in dddddddddd claims no run; a claim looks like `Exptrack-Run: <name> <full oid of the run's commit>`"""
    )
    assert "\n`Exptrack-Run: x` claims no run; " in shown(checked(broken=(Misclaim("Exptrack-Run: x"),)))


def test_without_a_claim_it_is_one_line():
    assert shown(checked()) == "no run is claimed between main and HEAD"
    assert shown(checked()._replace(base=None)) == "no run is claimed in HEAD"


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ([Verdict.HOLDS] * 2, "2 runs are claimed between main and HEAD: all hold"),
        ([Verdict.FAILS] * 2, "2 runs are claimed between main and HEAD: none holds"),
        ([Verdict.UNKNOWN] * 2, "2 runs are claimed between main and HEAD: none can be checked"),
        ([Verdict.SUPERSEDED] * 2, "2 runs are claimed between main and HEAD: all are superseded"),
        ([Verdict.HOLDS, Verdict.FAILS], "2 runs are claimed between main and HEAD: 1 holds, 1 does not"),
        (
            [Verdict.FAILS, Verdict.HOLDS, Verdict.FAILS],
            "3 runs are claimed between main and HEAD: 1 holds, 2 do not",
        ),
        (
            [Verdict.FAILS, Verdict.UNKNOWN, Verdict.SUPERSEDED],
            "3 runs are claimed between main and HEAD: 1 does not hold, 1 cannot be checked, 1 is superseded",
        ),
    ],
)  # fmt: skip
def test_one_line_sums_up(verdicts, said):
    assert say_summary(claimed(*verdicts)) == said
    named = claimed(*verdicts)._replace(base=None)
    assert say_summary(named) == said.replace(" are claimed between main and HEAD", "")


def test_commits_that_are_typed_in_full_are_shown_in_short():
    found = checked(AMENDED, changes=LOWERED)._replace(base="a" * 40, head="b" * 64, bar_of="a" * 40)
    assert say_changes(found)[0] == "check.require: statistical → methodological in bbbbbbbbbb; aaaaaaaaaa's counts"
    assert say_summary(found).startswith("1 run is claimed between aaaaaaaaaa and bbbbbbbbbb")
    assert list_command(found, AMENDED) == ["exptrack", "check", "aaaaaaaaaa..bbbbbbbbbb"]


def test_a_base_without_a_bar_has_the_defaults():
    found = checked(HOLDS, changes=LOWERED)._replace(bar_of="the defaults")
    assert say_changes(found)[0].endswith(" in HEAD; the defaults count")
    assert "holds: exact; required by the defaults: statistical\n" in shown(found)


def test_a_long_setting_is_cut_where_it_differs():
    change = Change("check", ("check", "ignore"), Kind.CHANGED, "a" * 500, "a" * 499 + "b")
    [line] = say_changes(checked(changes=(change,)))
    old, new = line.removeprefix("check.ignore: ").removesuffix(" in HEAD; main's counts").split(" → ")
    assert old != new
    assert max(len(old), len(new)) <= 60


def test_the_command_that_repeats_it_says_what_was_asked():
    found = checked(HOLDS, numbered(HOLDS, 1))._replace(at="HEAD", environment="recorded")
    asked = ["--at", "bbbbbbbbbb", "--environment", "recorded"]
    assert list_command(found, found.claims[1]) == ["exptrack", "check", "seed-1", *asked]
    assert list_command(found) == ["exptrack", "check", "main..bbbbbbbbbb", *asked]
    assert list_command(found._replace(at="next", head="next"))[2:5] == ["main..next", "--at", "next"]
    assert list_command(found, AMENDED._replace(reproduction=AT))[2] == "brave-otter-k3f9"
    assert list_command(found._replace(base=None)) == ["exptrack", "check", "brave-otter-k3f9", "seed-1", *asked]


def test_at_other_code_it_is_said_what_was_executed():
    missed = MISSED._replace(reproduction=AT, reason="it does not reproduce")
    assert "\n\nbrave-otter-k3f9 at HEAD does not hold: it does not reproduce\n  reached: none; " in shown(
        checked(missed)._replace(at="HEAD")
    )


def test_verdicts_have_colours_if_the_terminal_has():
    some = checked(HOLDS, numbered(AMENDED, 1), numbered(MISSING, 2), changes=LOWERED)
    text = shown(some, color=True)
    assert text.startswith("\x1b[33mcheck.require: ")
    assert "\n\x1b[32mbrave-otter-k3f9 holds: exact; required by main: statistical\x1b[m\n" in text
    assert "\n\x1b[31mseed-1 does not hold: 1 file of HEAD is not what ran\x1b[m\n" in text
    assert "\n\x1b[33mseed-2 cannot be checked: " in text
    assert re.sub(r"\x1b\[\d*m", "", text) == shown(some)


@pytest.mark.parametrize("hostile", ALL_HOSTILE_CHECKS, ids=range(len(ALL_HOSTILE_CHECKS)))
def test_no_text_breaks_out_of_its_line(hostile):
    text = shown(hostile)
    assert text.replace("\n", "").isprintable()
    assert sum(line == "notes:" for line in text.split("\n")) == 1
    assert sum(line == "  first diverged:" for line in text.split("\n")) == 2


@given(CHECKED, st.sampled_from([None, 40, 80, 200]))
def test_whatever_it_holds_each_claim_has_its_verdict(found, width):
    text = shown(found, width=width)
    assert text.replace("\n", "").isprintable()
    assert "\n\n\n" not in text
    words = " ".join(text.split())
    for verdict, verb in (
        (Verdict.HOLDS, "holds"),
        (Verdict.FAILS, "does not hold"),
        (Verdict.UNKNOWN, "cannot be checked"),
        (Verdict.SUPERSEDED, "is superseded"),
    ):
        assert words.count(verb) >= found.count(verdict)


@given(CHECKED)
def test_lines_are_no_wider_than_the_terminal(found):
    plain = found._replace(claims=tuple(one._replace(reproduction=None, files=()) for one in found.claims))
    assert all(display_width(line) <= 80 for line in shown(plain).split("\n"))
