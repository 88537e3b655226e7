"""The JSON of a difference: a schema to rely on."""

from __future__ import annotations

import json
import math

from differences import FOLDER, FULL, between, difference, run_side
from hypothesis import given
from hypothesis import strategies as st

from exptrack.model.change import Kind
from exptrack.model.difference import Area, Difference, FileChange, Side, SideKind
from exptrack.render.differencejson import format_json


def read(difference: Difference, **options) -> dict:
    return json.loads(format_json(difference, **options))


def test_the_whole_of_a_small_difference():
    old = run_side(params={"lr": 0.1}, metrics={"m": {"acc": 0.5}}, data={"a": "md5:1"})
    new = Side("main", SideKind.COMMIT, "0" * 40, "", {"params": {"lr": math.inf}, "metrics": {"m": {"acc": 0.75}}})
    small = between(
        old,
        new,
        files=(FileChange("b.py", Kind.CHANGED, 1, 0, "a.py"),),
        patch="+x\x1b[32m\n",
        cautions=("careful",),
    )
    assert read(small._replace(skipped={"environment": "main is a commit, and has none"})) == {
        "schema": 1,
        "old": {"name": "old", "kind": "run", "oid": "1" * 40, "status": "completed"},
        "new": {"name": "main", "kind": "commit", "oid": "0" * 40, "status": None},
        "changes": [
            {"area": "params", "key": ["lr"], "kind": "changed", "old": 0.1, "new": "Infinity", "delta": None, "relative": None},
            {"area": "metrics", "key": ["m", "acc"], "kind": "changed", "old": 0.5, "new": 0.75, "delta": 0.25, "relative": 0.5},
            {
                "area": "data", "key": ["a"], "kind": "removed", "old": "md5:1", "new": None, "delta": None, "relative": None,
                "old_size": None, "old_files": None, "new_size": None, "new_files": None,
            },
        ],
        "folders": {},
        "files": [{"path": "b.py", "kind": "changed", "added": 1, "removed": 0, "old_path": "a.py", "old_mode": None, "new_mode": None}],
        "patch": "+x\x1b[32m\n",
        "skipped": {"environment": "main is a commit, and has none"},
        "cautions": ["careful"],
    }  # fmt: skip


def test_data_has_sizes_and_folders_have_counts():
    document = read(FULL)
    assert document["folders"] == {
        "data/raw": {
            "added": {"files": 4, "new_size": 1_200_000},
            "removed": {"files": 1, "old_size": 307_200},
            "changed": {"files": 2, "old_size": 201, "new_size": 400},
            "files": [dict(file._asdict()) for file in FOLDER],
        }
    }
    [raw] = [change for change in document["changes"] if change["key"] == ["data/raw"]]
    assert (raw["old_size"], raw["old_files"]) == (32 * 1024**2, 1000)
    assert (raw["new_size"], raw["new_files"]) == (33 * 1024**2, 1003)


def test_only_the_areas_asked_for_are_there():
    document = read(FULL._replace(skipped={"data": "x", "code": "y"}), areas=(Area.PARAMS, Area.CODE))
    assert {change["area"] for change in document["changes"]} == {"params"}
    assert (document["folders"], document["skipped"]) == ({}, {"code": "y"})
    assert len(document["files"]) == 4
    assert "patch" in document
    without = read(FULL, areas=(Area.METRICS,))
    assert (without["files"], "patch" in without) == ([], False)


def test_numbers_that_are_not_finite_are_words():
    [change] = read(difference({"metrics": {"m": 1.0}}, {"metrics": {"m": -math.inf}}))["changes"]
    assert (change["new"], change["delta"], change["relative"]) == ("-Infinity", "-Infinity", None)
    [change] = read(difference({"metrics": {"m": 1.0}}, {"metrics": {"m": math.nan}}))["changes"]
    assert (change["new"], change["delta"], change["relative"]) == ("NaN", None, None)


def test_a_path_that_is_not_utf8_is_escaped():
    text = format_json(difference({}, {"data": {"caf\udce9": "md5:1"}}))
    assert text.encode()
    assert json.loads(text)["changes"][0]["key"] == ["caf\udce9"]


@given(st.permutations(["a", "b", "c"]))
def test_the_order_of_a_record_does_not_matter(keys):
    one = difference({}, {"params": dict.fromkeys(keys, 1)})
    assert format_json(one) == format_json(difference({}, {"params": dict.fromkeys("abc", 1)}))
