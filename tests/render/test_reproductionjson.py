"""The JSON of a reproduction: a schema to rely on."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from pages import table
from reproductions import ALL_HOSTILE, AT, EXACT, FAILED, NAME, REPRODUCTIONS, RERUN, STATISTICAL

from exptrack.model.reproduction import Answer, Divergence, Level, LevelAnswer, Reproduction
from exptrack.model.run import Status
from exptrack.render import differencejson
from exptrack.render.reproductionjson import format_json

PAGE = Path(__file__).parents[2] / "docs" / "json.md"


def read(reproduction: Reproduction) -> dict:
    [document] = read_all([reproduction])
    return document


def read_all(reproductions: list[Reproduction]) -> list[dict]:
    return json.loads(format_json(reproductions))["reproductions"]


def rows(mark: str) -> dict[str, list[str]]:
    return {key: row for row in table(PAGE, f"keys: {mark}") for key in re.findall(r"`([^`]+)`", row[0])}


def test_the_whole_of_a_reproduction():
    assert read(AT) == {
        "run": {"name": NAME, "oid": "1" * 40},
        "reached": None,
        "levels": [
            {"level": "exact", "answer": "no", "evidence": ["differs: 2 of 2 files"]},
            {
                "level": "statistical",
                "answer": "too weak to tell",
                "evidence": ["loss: 0.5 lies inside 0.41 ± 0.3, which is wider than min_effect (0.01)"],
            },
            {"level": "methodological", "answer": "no", "evidence": ["code, data and parameters differ"]},
            {"level": "conceptual", "answer": "cannot assess", "evidence": ["no baseline is declared"]},
        ],
        "nondeterministic": None,
        "divergence": {
            "stage": None,
            "output": None,
            "metric": "loss",
            "step": 3,
            "old": 0.61,
            "new": 0.7,
            "input": None,
        },
        "at": "main",
        "environment": "present",
        "differs": json.loads(differencejson.format_json(AT.difference)),
        "notes": [],
        "reruns": [{"name": RERUN, "oid": "2" * 40, "status": "completed", "duration": 3.14}],
    }


def test_several_are_a_list_in_their_order():
    assert [one["reached"] for one in read_all([FAILED, STATISTICAL, EXACT])] == [
        None,
        "statistical",
        "exact",
    ]
    document = json.loads(format_json([]))
    assert document == {"schema": 1, "reproductions": []}
    assert set(document) == set(rows("reproductions"))


def test_numbers_that_are_not_finite_are_words():
    divergence = read(EXACT._replace(divergence=Divergence(metric="m", old=math.nan, new=-math.inf)))["divergence"]
    assert (divergence["old"], divergence["new"]) == ("NaN", "-Infinity")


def test_everything_that_is_not_ascii_is_an_escape():
    assert format_json(ALL_HOSTILE).replace("\n", "").isascii()
    assert format_json(ALL_HOSTILE).replace("\n", "").isprintable()


@given(REPRODUCTIONS)
def test_what_is_read_back_has_the_same_answers(reproduction):
    document = read(reproduction)
    levels = tuple(
        LevelAnswer(Level(one["level"]), Answer(one["answer"]), tuple(one["evidence"])) for one in document["levels"]
    )
    assert levels == reproduction.levels
    assert document["reached"] == reproduction.reached
    assert [Status(one["status"]) for one in document["reruns"]] == [one.status for one in reproduction.reruns]
    for key in ("nondeterministic", "at", "environment"):
        assert document[key] == getattr(reproduction, key)
    assert tuple(document["notes"]) == reproduction.notes


def test_the_page_names_every_key_and_none_is_ever_missing():
    for one in map(read, (EXACT, STATISTICAL, FAILED, AT)):
        assert set(one) == set(rows("reproduction"))
        assert set(one["differs"]) - {"patch"} == set(rows("difference")) - {"patch"}
        for part in ("run", "divergence"):
            assert one[part] is None or set(one[part]) == set(rows(f"reproduction {part}"))
        for mark, some in (("level", one["levels"]), ("rerun", one["reruns"])):
            assert all(set(entry) == set(rows(f"reproduction {mark}")) for entry in some)
    for mark in (
        "reproduction",
        "reproduction run",
        "reproduction divergence",
        "reproduction level",
        "reproduction rerun",
    ):
        assert {row[3].strip("| ") for row in rows(mark).values()} == {"never"}


@pytest.mark.parametrize(
    ("mark", "key", "words"),
    [
        ("reproduction level", "level", set(Level)),
        ("reproduction level", "answer", set(Answer)),
        ("reproduction rerun", "status", set(Status)),
        ("reproduction", "environment", {"present", "recorded"}),
    ],
)
def test_the_page_names_the_words_that_a_key_can_have(mark, key, words):
    assert set(re.findall(r"`([^`]+)`", rows(mark)[key][2])) == words
