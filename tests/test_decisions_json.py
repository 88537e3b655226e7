"""docs/json.md and docs/format.md name the keys of what is selected, unsealed and concluded."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from experiments import annotations, measure, once
from pages import table
from test_json import check

FORMAT = Path(__file__).parent.parent / "docs" / "format.md"


@pytest.fixture
def ask(exptrack, repository, tmp_path_factory):
    once(tmp_path_factory, repository, exptrack, [0.1, 0.3])

    def call(*words):
        done = exptrack(*words, "-e", "rate", "--json")
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    return call


def test_what_the_three_commands_give_has_these_keys(ask, exptrack):
    selected = ask("select", "--fresh", "3")
    check("selected", selected)
    check("chosen", selected["chosen"])
    unsealed = ask("unseal", "--reason", "why")
    check("unsealed", unsealed)
    check("verdict", unsealed["verdict"])
    measure(exptrack, [0.1, 0.3], [3, 4, 5])
    check("verdict", ask("select")["confirmation"])
    concluded = ask("conclude")
    check("conclusion", concluded)
    check("comparison", concluded["comparison"], {"parameters": [], "predictions": {}} | concluded["comparison"])
    [before] = concluded["holdout"]
    [earlier] = ask("unseal", "--reason", "again")["earlier"]
    assert set(before) == set(earlier) == {"time", "author", "metric", "reason", "verdict", "seen"}


def test_the_annotations_have_these_keys(ask, repository):
    ask("select", "--fresh", "3")
    ask("unseal", "--reason", "why")
    ask("conclude")
    kinds = ("selection", "unsealing", "conclusion")
    rows = [(re.findall(r"`([^`]+)`", row[0]), row[3]) for row in table(FORMAT, "keys: decision")]
    for kind in kinds:
        [line] = annotations(repository, "r1-0", kind)
        named = {key for keys, those in rows for key in keys if those.strip() == "all" or f"`{kind}`" in those}
        assert set(line["value"]) == named
