"""The JSON of a check: a schema to rely on."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
from checks import (
    ADA,
    ALL_HOSTILE_CHECKS,
    AMENDED,
    BESIDE,
    BROKEN,
    CHECKED,
    COMMIT,
    ENDED,
    HOLDS,
    LOWERED,
    MISSED,
    MISSING,
    SUPERSEDED,
    checked,
)
from hypothesis import given
from pages import table
from reproductions import EXACT, NAME, STATISTICAL

from exptrack.model.change import Change, Kind
from exptrack.model.checking import Bar, Checked, Claim, Verdict
from exptrack.model.reproduction import Level
from exptrack.render import differencejson
from exptrack.render.checkjson import format_json
from exptrack.render.reproductionjson import encode

PAGE = Path(__file__).parents[2] / "docs" / "json.md"
MARKS = ("check", "check commit", "check bar", "check change", "check claim", "check compared")


def read(found: Checked) -> dict:
    return json.loads(format_json(found))


def rows(mark: str) -> dict[str, list[str]]:
    return {key: row for row in table(PAGE, f"keys: {mark}") for key in re.findall(r"`([^`]+)`", row[0])}


def words(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def test_the_whole_of_a_check():
    facts = {"changes": LOWERED[:1], "broken": (BROKEN,), "bar": Bar(Level.EXACT, 2, 60.0, ("*.md",)), "notes": ("a",)}
    document = read(checked(AMENDED._replace(notes=("b",)), **facts))
    [claim] = document.pop("claims")
    assert document == {
        "schema": 1,
        "verdict": "cannot be checked",
        "base": {"name": "main", "oid": "a" * 40},
        "head": {"name": "HEAD", "oid": "b" * 40},
        "at": None,
        "environment": "present",
        "bar": {"require": "exact", "reruns": 2, "timeout": 60.0, "ignore": ["*.md"], "of": "main"},
        "changes": [
            {"key": ["check", "require"], "kind": "changed", "old": "statistical", "new": "methodological"},
        ],
        "baseline": NAME,
        "broken": [{"line": "Exptrack-Run: brave-otter-k3f9", "commit": "d" * 40}],
        "notes": ["a"],
    }
    [file] = claim.pop("files")
    assert (file["path"], file["kind"], set(file)) == ("train.py", "changed", set(rows("file")))
    assert claim == {
        "name": NAME,
        "oid": "1" * 40,
        "commit": COMMIT,
        "author": ADA,
        "recorded_by": "Grace Hopper <grace@example.com>",
        "verdict": "does not hold",
        "required": "exact",
        "reason": "1 file of HEAD is not what ran",
        "reached": None,
        "notes": ["b"],
        "reproduction": None,
        "differs": None,
        "compared": None,
    }


def test_what_was_executed_and_compared_is_as_other_commands_give_it():
    exact, missed = read(checked(HOLDS, MISSED))["claims"]
    assert (exact["reached"], missed["reached"]) == ("exact", "statistical")
    assert [one["reproduction"]["levels"] for one in (exact, missed)] == [
        json.loads(json.dumps([level._asdict() for level in one.levels])) for one in (EXACT, STATISTICAL)
    ]
    assert set(exact["reproduction"]) == set(encode(EXACT)) == set(rows("reproduction"))
    assert exact["differs"] == {
        key: value for key, value in json.loads(differencejson.format_json(HOLDS.difference)).items() if key != "patch"
    }
    assert set(exact["differs"]) | {"patch"} == set(rows("difference"))


def test_a_run_that_was_named_has_no_commit_that_claims_it():
    named = checked(MISSING._replace(claim=Claim(NAME, "")))._replace(base=None, base_oid=None)
    document = read(named)
    assert document["base"] is None
    [claim] = document["claims"]
    assert [claim[key] for key in ("oid", "commit", "author", "recorded_by")] == [None] * 4


def test_numbers_that_are_not_finite_are_words():
    change = Change("check", ("check", "similar"), Kind.CHANGED, math.inf, math.nan)
    document = read(checked(changes=(change,), bar=Bar(timeout=math.inf)))
    assert [document["changes"][0][side] for side in ("old", "new")] == ["Infinity", "NaN"]
    assert document["bar"]["timeout"] == "Infinity"


@given(CHECKED)
def test_what_is_read_back_has_the_same_verdicts(found):
    text = format_json(found)
    assert text.replace("\n", "").isascii()
    assert text.replace("\n", "").isprintable()
    document = json.loads(text)
    assert document["verdict"] == found.verdict
    assert [(one["name"], one["verdict"], one["reason"]) for one in document["claims"]] == [
        (one.claim.name, one.verdict, one.reason) for one in found.claims
    ]


def test_the_page_names_every_key_and_none_is_ever_missing():
    some = checked(
        HOLDS._replace(beside=BESIDE), MISSED, ENDED, AMENDED, MISSING, SUPERSEDED, changes=LOWERED, broken=(BROKEN,)
    )
    for document in map(read, (some, checked(), *ALL_HOSTILE_CHECKS[:3])):
        assert set(document) == set(rows("check"))
        assert set(document["head"]) == set(rows("check commit"))
        assert set(document["bar"]) == set(rows("check bar"))
        assert all(set(one) == set(rows("check change")) for one in document["changes"])
        assert all(set(one) == set(rows("check claim")) for one in document["claims"])
        found = [one["compared"] for one in document["claims"] if one["compared"]]
        assert all(set(one) == set(rows("check compared")) for one in found)
        assert all(set(one) == words(rows("check")["broken"][2]) for one in document["broken"])
    for mark in MARKS:
        assert {row[3].strip("| ") for row in rows(mark).values()} == {"never"}


@pytest.mark.parametrize(
    ("mark", "key", "every"),
    [
        ("check", "verdict", set(Verdict) - {Verdict.SUPERSEDED}),
        ("check", "environment", {"present", "recorded"}),
        ("check bar", "require", set(Level)),
        ("check change", "kind", set(Kind)),
        ("check claim", "verdict", set(Verdict)),
    ],
)
def test_the_page_names_the_words_that_a_key_can_have(mark, key, every):
    assert words(rows(mark)[key][2]) == every
