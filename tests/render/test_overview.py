"""Three sides or more: a column each, in every form."""

from __future__ import annotations

import json
import math

import pytest
from differences import ALL_TREES, HOSTILE, NEW, TREES, run_side
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from exptrack.analysis import diff
from exptrack.model.difference import Overview, Row, Side, SideKind
from exptrack.render.overview import format_overview, format_overview_json, format_overview_markdown
from exptrack.render.text import clip, display_width
from exptrack.render.values import name_keys


def overview(*sides: Side, **rest) -> Overview:
    rows = [row for area in TREES for row in diff.overview([side.trees.get(area, {}) for side in sides], str(area))]
    return Overview(sides, tuple(rows), **rest)


MAIN = Side(
    "main", SideKind.COMMIT, "0123456789abcdef", "", {"params": {"lr": 0.1, "opt": "sgd"}, "metrics": {"acc": math.nan}}
)
SMALL = overview(
    run_side("one", params={"lr": 0.1, "opt": "adam", "n": 1}, metrics={"acc": 0.9}, data={"d": "md5:0123456789abcdef.dir"}),
    NEW._replace(trees={"params": {"lr": 0.01, "n": "1"}, "metrics": {"acc": 0.912}, "data": {"d": "md5:1123456789abcdef.dir modified"}}),
    MAIN,
    skipped={"environment": "main: a commit has none"},
)  # fmt: skip
CODE = Row("code", ("train.py",), {0: "a" * 40, 1: "b" * 40})


def test_a_table_for_each_area():
    text = """\
parameters:
  key  one   calm-fox-a1b2 (failed)  main (0123456789)
  lr   0.1   0.01                    0.1
  n    1     "1"                     -
  opt  adam  -                       sgd

metrics:
  key  one  calm-fox-a1b2 (failed)  main (0123456789)
  acc  0.9  0.912                   nan

data:
  key  one              calm-fox-a1b2 (failed)    main (0123456789)
  d    md5:0123456.dir  md5:1123456.dir modified  -

code:
  key       one         calm-fox-a1b2 (failed)  main (0123456789)
  train.py  aaaaaaaaaa  bbbbbbbbbb              -

environment: not compared, main: a commit has none"""
    shown = SMALL._replace(rows=(*SMALL.rows, CODE))
    for width in (80, 200, None):
        assert format_overview(shown, width=width, color=False) == text
    assert format_overview(shown, width=80, color=True).replace("\x1b[1m", "").replace("\x1b[m", "") == text


def test_a_table_that_is_too_wide_is_shown_in_blocks_with_the_keys():
    metrics = overview(
        *(run_side(f"run-number-{number}", metrics={"acc": number, "loss": number / 7}) for number in range(5))
    )
    assert (
        format_overview(metrics, width=60, color=False)
        == """\
metrics:
  key   run-number-0  run-number-1  run-number-2
  acc   0             1             2
  loss  0             0.142857      0.285714

  key   run-number-3  run-number-4
  acc   3             4
  loss  0.428571      0.571429"""
    )


def test_values_that_differ_stay_apart_when_they_are_cut():
    texts = ["x" * 90 + "a", "x" * 90 + "b", "x" * 90 + "a"]
    text = format_overview(
        overview(*(run_side(f"r{i}", params={"p": one}) for i, one in enumerate(texts))), width=90, color=False
    )
    cells = text.split("\n")[2].split()[1:]
    assert [cell[-3:] for cell in cells] == ["xxa", "xxb", "xxa"]
    oids = Row("code", ("f",), {0: "a" * 40, 1: "a" * 39 + "b"})
    cells = format_overview(SMALL._replace(rows=(oids,)), width=None, color=False).split("\n")[2].split()
    assert len(set(cells[1:3])) == 2


def test_no_difference_is_one_line():
    same = overview(run_side("a"), run_side("b"), run_side("c"))
    assert (
        format_overview(same, width=80, color=False)
        == "no difference in parameters, metrics, data, environment or code"
    )
    assert format_overview_markdown(same) == (
        "### What differs between 3 sides\n\nNo difference in parameters, metrics, data, environment or code."
    )


def test_markdown_has_a_table_for_each_area():
    assert (
        format_overview_markdown(SMALL)
        == """\
### What differs between 3 sides

#### Parameters

| key | `one` | `calm-fox-a1b2` (failed) | `main` (`0123456789`) |
| --- | --- | --- | --- |
| `lr` | `0.1` | `0.01` | `0.1` |
| `n` | `1` | `"1"` | - |
| `opt` | `adam` | - | `sgd` |

#### Metrics

| key | `one` | `calm-fox-a1b2` (failed) | `main` (`0123456789`) |
| --- | --- | --- | --- |
| `acc` | `0.9` | `0.912` | `nan` |

#### Data

| key | `one` | `calm-fox-a1b2` (failed) | `main` (`0123456789`) |
| --- | --- | --- | --- |
| `d` | `md5:0123456.dir` | `md5:1123456.dir modified` | - |

- environment: not compared, main: a commit has none"""
    )


@pytest.mark.parametrize("limit", [0, 50, 200, 500, 3000])
def test_markdown_keeps_to_its_limit(limit):
    keys = [f"key {number}" for number in range(200)]
    many = overview(*(run_side(f"r{number}", params=dict.fromkeys(keys, number)) for number in range(3)))
    text = format_overview_markdown(many, limit=limit)
    assert len(text) <= limit
    assert text.count("<details>") == text.count("</details>")
    if limit >= 200:
        assert "rows are left out; `exptrack diff r0 r1 r2` shows all of it." in text


def test_json_has_the_values_by_side():
    document = json.loads(format_overview_json(SMALL))
    assert document["schema"] == 1
    assert document["sides"][1] == {"name": "calm-fox-a1b2", "kind": "run", "oid": "1" * 40, "status": "failed"}
    assert document["rows"][1] == {"area": "params", "key": ["n"], "values": {"0": 1, "1": "1"}}
    assert document["rows"][3] == {"area": "metrics", "key": ["acc"], "values": {"0": 0.9, "1": 0.912, "2": "NaN"}}
    assert document["skipped"] == {"environment": "main: a commit has none"}


@given(st.lists(ALL_TREES, min_size=3, max_size=4), st.sampled_from([60, 80, None]))
def test_every_form_has_every_row(trees, width):
    found = overview(*(run_side(f"r{number}", **some) for number, some in enumerate(trees)))
    text = format_overview(found, width=width, color=False)
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(format_overview_markdown(found, limit=10**7))
    rows = json.loads(format_overview_json(found))["rows"]
    assert [(row["area"], tuple(row["key"])) for row in rows] == [(row.area, row.key) for row in found.rows]
    assert sum(token.type == "tr_open" for token in tokens) - sum(
        token.type == "thead_open" for token in tokens
    ) == len(rows)
    assert text.replace("\n", "").isprintable()
    assert all(display_width(line) <= (width or 200) for line in text.split("\n") if line.startswith("  "))
    for area in TREES:
        for name in name_keys([row.key for row in found.rows if row.area == area]):
            assert f"\n  {clip(name, max((width or 200) // 2, 24))}" in text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_and_reasons_mean_nothing(text):
    side = Side(text, SideKind.COMMIT, None, "", {"params": {text: text}})
    hostile = overview(side, MAIN, side, skipped={"data": text})
    html = MarkdownIt("gfm-like", {"linkify": False}).render(format_overview_markdown(hostile))
    assert not any(mark in html for mark in ("<script", "<a ", "<img", "<em", "<del", "<details>"))
    assert html.count("<td>") == 4 * 4
    assert format_overview(hostile, width=80, color=False).replace("\n", "").isprintable()
