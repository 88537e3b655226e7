"""JUnit XML of a check: valid whatever is in the texts, and what its readers show of it."""

from __future__ import annotations

import math
from xml.etree import ElementTree as ET

import pytest
from checks import (
    ALL_HOSTILE_CHECKS,
    AMENDED,
    BROKEN,
    CHECKED,
    CLAIM,
    ENDED,
    HOLDS,
    LOWERED,
    MISSED,
    MISSING,
    SUPERSEDED,
    checked,
    numbered,
)
from hypothesis import given
from reproductions import EXACT, run

from exptrack.model.checking import Checked, Misclaim
from exptrack.render.check import format_claim
from exptrack.render.junit import format_junit

KINDS = ("failure", "error", "skipped")
# What the schema that Jenkins checks (junit-10.xsd) allows, and GitLab reads: attributes and children by element.
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testcase": {"classname", "name", "time"},
    **{kind: {"type", "message"} for kind in KINDS},
    "system-out": set(),
}
CHILDREN = {"testsuites": {"testsuite"}, "testsuite": {"testcase", "system-out"}, "testcase": set(KINDS)}


def read(found: Checked, **options) -> ET.Element:
    """The suite, after a look at all of the document."""
    text = format_junit(found, **options)
    assert text.isascii()
    root = ET.fromstring(text)
    for element in root.iter():
        assert set(element.attrib) == ATTRIBUTES[element.tag]
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
    [suite] = root
    assert root.attrib == {key: value for key, value in suite.attrib.items() if key != "skipped"}
    cases = list(suite.iter("testcase"))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(attribute)) == len(list(suite.iter(tag)))
    assert int(suite.get("tests")) == len(cases)
    assert len({case.get("name") for case in cases}) == len(cases)
    return suite


def outcomes(suite: ET.Element) -> list[tuple[str, str | None]]:
    return [(case.get("name"), case[0].tag if len(case) else None) for case in suite.iter("testcase")]


def test_each_claim_is_a_case_and_each_way_of_not_holding_has_its_tag():
    some = (HOLDS, numbered(MISSED, 1), numbered(ENDED, 2), numbered(AMENDED, 3), numbered(MISSING, 4))
    suite = read(checked(*some, numbered(SUPERSEDED, 5), broken=(BROKEN,)))
    assert suite.get("name") == "exptrack check"
    assert {case.get("classname") for case in suite} == {"exptrack.check"}
    assert outcomes(suite) == [
        ("brave-otter-k3f9", None),
        ("seed-1", "failure"),
        ("seed-2", "failure"),
        ("seed-3", "failure"),
        ("seed-4", "error"),
        ("seed-5", "skipped"),
        ("Exptrack-Run: brave-otter-k3f9", "error"),
    ]


def test_a_failure_says_all_that_the_terminal_says():
    found = checked(MISSED)
    [case] = read(found)
    assert case[0].get("message") == "does not hold: it reproduces statistically, and exact is required"
    assert case[0].text == format_claim(found, MISSED, width=100)
    assert "first diverged:\n    stage train, output model.pkl  md5:aaaaaaaaaaaa → md5:bbbbbbbbbbbb" in case[0].text


def test_a_line_that_claims_nothing_says_what_a_claim_looks_like():
    [case] = read(checked(broken=(BROKEN,)))
    assert case[0].text == (
        "`Exptrack-Run: brave-otter-k3f9` in dddddddddd claims no run\n"
        "a claim looks like `Exptrack-Run: <name> <full oid of the run's commit>`"
    )


def test_the_time_is_that_of_the_reruns():
    suite = read(checked(HOLDS, numbered(MISSED, 1), numbered(AMENDED, 2)))
    assert [case.get("time") for case in suite] == ["3.140", "4003.140", "0.000"]
    assert suite.get("time") == "4006.280"


@pytest.mark.parametrize("duration", [None, math.nan, math.inf, -1.0])
def test_a_duration_that_is_none_is_zero(duration):
    odd = EXACT._replace(reruns=(run(duration=duration),))
    assert read(checked(HOLDS._replace(reproduction=odd))).get("time") == "0.000"


def test_without_a_claim_the_suite_is_empty_unless_one_is_required():
    assert list(read(checked())) == []
    suite = read(checked(), is_claim_required=True)
    assert outcomes(suite) == [("a run is claimed", "failure")]
    assert suite[0][0].text.startswith("no run is claimed between main and HEAD\n")
    assert outcomes(read(checked(HOLDS), is_claim_required=True)) == [("brave-otter-k3f9", None)]


def test_two_claims_of_one_name_are_two_cases():
    other = HOLDS._replace(claim=CLAIM._replace(oid="3" * 40))
    assert [name for name, _ in outcomes(read(checked(HOLDS, other, other)))] == [
        "brave-otter-k3f9",
        "brave-otter-k3f9 #2",
        "brave-otter-k3f9 #3",
    ]
    # A stranger's name may already be what would be made up.
    taken = HOLDS._replace(claim=CLAIM._replace(name="brave-otter-k3f9 #2"))
    read(checked(HOLDS, taken, other))


def test_a_bar_that_the_branch_changes_is_told():
    assert read(checked(HOLDS, changes=LOWERED)).findtext("system-out") == (
        "check.require: statistical → methodological in HEAD; main's counts\n"
        "check.tolerance.loss: not set → 0.5 in HEAD; main's counts"
    )


@pytest.mark.parametrize(
    "letters", ["\0\x01\x08\x0b\x0c\x0e\x1f\x7f\x85", "\ud800\udfff", "\ufffe\uffff", "]]>", "&#0;<!--", "\U0001f600"]
)
def test_no_letter_makes_it_invalid(letters):
    texts = {"name": f"a{letters}", "author": letters, "commit": letters}
    suite = read(checked(ENDED._replace(claim=CLAIM._replace(**texts), reason=letters), broken=(Misclaim(letters),)))
    assert len(suite) == 2


@pytest.mark.parametrize("found", ALL_HOSTILE_CHECKS, ids=range(len(ALL_HOSTILE_CHECKS)))
def test_a_hostile_text_stays_in_its_place(found):
    assert len(read(found)) == 6  # four claims, a broken line, what changed


@given(CHECKED)
def test_it_is_valid_whatever_it_holds(found):
    suite = read(found, is_claim_required=True)
    assert len(list(suite.iter("testcase"))) == max(1, len(found.claims) + len(found.broken))
