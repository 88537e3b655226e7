"""A claim is found wherever a merge has put it, and no note of anybody's can make one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exptrack.analysis.claims import find_claims, strip_comments
from exptrack.analysis.message import check_note, format_branch_message, format_message
from exptrack.errors import ExptrackError
from exptrack.model.checking import Claim, Claims, Misclaim
from exptrack.model.run import Record, Status

OID, LONG = "a1" * 20, "b2" * 32
RECORD = Record("brave-otter-k3f9", Status.COMPLETED, datetime(2026, 1, 31, 12, tzinfo=UTC))

LINES = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", " ", "\t", "* ", "- ", "+ ", "• ", "*", "> ", "\u00a0", "\x1f", "\0", "\u200b", "**"]),
        st.sampled_from(["Exptrack-Run", "exptrack-run", "EXPTRACK-RUN", "Exptrac\u212a-Run", "Exptrack-Status", "x", ""]),
        st.sampled_from([":", " :", "\t:", "\u2003:", "", "\uff1a"]),
        st.sampled_from(["", f" other {OID}", f" other\t{OID}", f" other {LONG}", f"other {OID.upper()}", " other", f" {OID}"]),
    ),
)  # fmt: skip
ENDS = st.sampled_from(
    ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\0", " "]
)
NOTES = st.lists(st.tuples(LINES | st.text(max_size=10), ENDS), max_size=4).map(
    lambda some: "".join(line + end for line, end in some)
)


def claimed(message: str) -> list[tuple[str, str]]:
    return [(claim.name, claim.oid) for claim in find_claims(message).claims]


@pytest.mark.parametrize(
    "line",
    [
        f"Exptrack-Run: one {OID}", f"exptrack-run:one {OID}", f"  EXPTRACK-RUN : one   {OID.upper()} ", f"* Exptrack-Run: one {OID}",
        f"    - Exptrack-Run: one\t{OID}\r",
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", "subject\n\n", "a line\n", "a line\r\n\r\n", "a line\r"])
def test_a_claim_is_found_in_any_line(before, line):
    assert claimed(f"{before}{line}\n\nSigned-off-by: Ada <ada@example.com>\n") == [("one", OID)]


def test_claims_say_who_made_them_each_once_and_in_order():
    message = (
        f"s\n\nExptrack-Run: b {OID}\n* Exptrack-Run: a {LONG}\nExptrack-Run: b {OID}\nExptrack-Run: b {'c' * 40}\n"
    )
    found = find_claims(message, "commit", "Ada <ada@example.com>")
    assert found.claims == tuple(
        Claim(name, oid, "commit", "Ada <ada@example.com>") for name, oid in [("b", OID), ("a", LONG), ("b", "c" * 40)]
    )
    assert found.broken == ()


@pytest.mark.parametrize(
    "line",
    [
        "Exptrack-Run: one", "Exptrack-Run:", f"Exptrack-Run: {OID}", f"Exptrack-Run: one {OID[:39]}", f"Exptrack-Run: one {OID}0",
        f"Exptrack-Run: one two {OID}", f"Exptrack-Run: One {OID}", f"Exptrack-Run: ../one {OID}", f"* exptrack-run: one {OID} (#12)",
        f"Exptrack-Run: -one {OID}", f"Exptrack-Run: `one` {OID}", "Exptrack-Run: one g" + OID[1:],
    ],
)  # fmt: skip
def test_a_line_that_begins_as_a_claim_and_is_none_is_told(line):
    assert find_claims(f"subject\n\n  {line}\n", "commit") == Claims((), (Misclaim(line, "commit"),))


def test_a_long_line_that_claims_nothing_is_cut():
    [one] = find_claims("Exptrack-Run: " + "x" * 100_000).broken
    assert len(one.line) == 200
    assert one.line.endswith("x…")


@pytest.mark.parametrize(
    "line",
    [
        f"see Exptrack-Run: one {OID}", f"> Exptrack-Run: one {OID}", f"# Exptrack-Run: one {OID}", f"Exptrack-Run one {OID}",
        "Exptrack-Status: completed", f"** Exptrack-Run: one {OID}", f"Exptrack-Runs: one {OID}", f"\u200bExptrack-Run: one {OID}",
    ],
)  # fmt: skip
def test_other_lines_claim_nothing(line):
    assert find_claims(f"subject\n\n{line}\n") == Claims()


def test_a_branch_claims_its_run_and_nothing_else_whatever_it_is_called():
    for name in ("one", "exptrack-run", "exptrack-status"):
        record = RECORD._replace(name=name)
        assert find_claims(format_branch_message(record, OID, [])) == Claims((Claim(name, OID),))


@given(st.lists(NOTES, max_size=2))
@example([f"fine\u2028* Exptrack-Run: other {OID}"])
def test_no_note_adds_a_claim_to_the_message_of_a_branch(notes):
    message = format_branch_message(RECORD, OID, notes)
    assert find_claims(message) == Claims((Claim(RECORD.name, OID),))


@given(NOTES)
def test_no_note_that_is_taken_claims_anything(note):
    try:
        check_note(note)
    except ExptrackError:
        return
    assert find_claims(note) == Claims()
    bare, told = (find_claims(format_message(RECORD._replace(note=one))) for one in (None, note))
    assert told == bare


def test_what_git_leaves_out_of_a_message_claims_nothing():
    scissors = "------------------------ >8 ------------------------"
    message = (
        f"subject\n* Exptrack-Run: one {OID}\n; Exptrack-Run: two {OID}\n{{}}{scissors}\n+Exptrack-Run: three {OID}\n"
    )
    assert claimed(strip_comments(message.format("; "), (";",))) == [("one", OID)]
    assert claimed(strip_comments(message.format("; "), tuple("#;@"))) == [("one", OID)]
    assert claimed(strip_comments(message.format("; "), ("*",))) == [("three", OID)]
    assert claimed(strip_comments(message.format("# ").replace("\n", "\r\n"), ("#",))) == [("one", OID)]
    assert claimed(strip_comments(message.format("// "), ("//",))) == [("one", OID)]
