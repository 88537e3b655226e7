"""A difference names what changed and by how much, in columns, and nothing of others can act on the terminal."""

from __future__ import annotations

import math
import re

import pytest
from differences import DECLARED, FILES, FULL, NEW, OLD, Area, between, difference, pointers, run_side

from exptrack.model.change import Change, Kind
from exptrack.model.data import Pointer
from exptrack.model.difference import DataFile, Difference, FileChange, Side, SideKind
from exptrack.model.settings import Goal, MetricDeclaration
from exptrack.render.deltas import is_toward
from exptrack.render.difference import format_difference
from exptrack.render.text import display_width


def shown(difference: Difference, declared=DECLARED, *, width=80, color=False, **options) -> str:
    return format_difference(difference, declared, width=width, color=color, **options)


def lines(old: dict, new: dict, *, area: str = "params", width=80) -> list[str]:
    """The lines of one area below its title and its header."""
    text = shown(difference({area: old}, {area: new}), {}, width=width)
    return [line.strip() for line in text.split("\n")[4:]]


EVERYTHING = """\
brave-otter-k3f9 → calm-fox-a1b2 (failed)

parameters:
  key        old         new
  drop       null          -
  epochs     10          100
  flag       true          1
  layers     [64, 32]    [64, 32, 16]
  lr          0.1234567    0.1234568
  seed        -          "1"
  svm.C       0.1         10
  svm.gamma  scale       auto

metrics:
  key         old       new        delta      relative
  loss           0.41      0.52      +0.11    +26.8%
  val.f1         0.5     nan
  accuracy       0.912     0.9345    +0.0225   +2.5%
  auc            0         0.7       +0.7
  gone           1         -
  new/metric     -         1e-07
  steps       1000      1200       +200       +20.0%

data:
  data/raw   4 files added (1.1 MiB), 1 removed (300.0 KiB),
             2 changed (201 B → 400 B)
             1,000 files, 32.0 MiB → 1,003 files, 33.0 MiB
             MODIFIED on the new side: not what the pointer stands for
             added: img/0.png, img/1.png, img/2.png, img/3.png;
             removed: img/old.png and 2 more
  far        changed   3 files, 3.0 MiB → 3 files, 3.0 MiB
             its listing is not in the DVC cache
  model.pkl  changed   1.0 MiB → 1.1 MiB
  new.csv    added   999 B
  old.csv    removed   12.1 KiB
  same.bin   same pointer   77 B
             MODIFIED on the new side: not what the pointer stands for

environment: 3 changed, 1 added, 1 removed; packages 2 changed, 1 added, 1 removed
  interpreter.version  3.11.4   → 3.12.1
  hardware.memory      31.4 GiB → 62.7 GiB
  variables.LANG       -        → C
  variables.TZ         UTC      → -
  hardware.cpu
    old  Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz
    new  AMD EPYC 7763 64-Core Processor
  packages changed:
    numpy  1.26.4 → 2.0.1
    scipy  1.13.0 → 1.13.1
  packages added:
    polars  1.0 from git+https://example.com/polars at 0123456789
  packages removed:
    bar  3

code: 4 files, +131 −4
  train.py            |  13 ++++-
  src/a.py → src/b.py |   2 +-
  notes.md (new)      | 120 ++++++++++++++++++++++++++++++++++++++++
  logo.png (gone)     | Bin

diff --git a/train.py b/train.py
@@ -1 +1 @@
-print("a")  # ```
+print("b")\t# ````

same.csv was modified on both sides"""  # noqa: RUF001


def test_everything_in_80_columns():
    assert shown(FULL) == EVERYTHING


def test_data_and_environment_in_200_columns_and_in_a_pipe():
    text = shown(FULL, width=200, areas=(Area.DATA, Area.ENVIRONMENT))
    assert text == (
        """\
brave-otter-k3f9 → calm-fox-a1b2 (failed)

data:
  data/raw   4 files added (1.1 MiB), 1 removed (300.0 KiB), 2 changed (201 B → 400 B)   1,000 files, 32.0 MiB → 1,003 files, 33.0 MiB   MODIFIED on the new side: not what the pointer stands for
             added: img/0.png, img/1.png, img/2.png, img/3.png; removed: img/old.png and 2 more
  far        changed   3 files, 3.0 MiB → 3 files, 3.0 MiB   its listing is not in the DVC cache
  model.pkl  changed   1.0 MiB → 1.1 MiB
  new.csv    added   999 B
  old.csv    removed   12.1 KiB
  same.bin   same pointer   77 B   MODIFIED on the new side: not what the pointer stands for

environment: 3 changed, 1 added, 1 removed; packages 2 changed, 1 added, 1 removed
  interpreter.version  3.11.4                                        → 3.12.1
  hardware.cpu         Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz → AMD EPYC 7763 64-Core Processor
  hardware.memory      31.4 GiB                                      → 62.7 GiB
  variables.LANG       -                                             → C
  variables.TZ         UTC                                           → -
  packages changed:
    numpy  1.26.4 → 2.0.1
    scipy  1.13.0 → 1.13.1
  packages added:
    polars  1.0 from git+https://example.com/polars at 0123456789
  packages removed:
    bar  3

same.csv was modified on both sides"""
    )
    assert shown(FULL, width=None, areas=(Area.DATA, Area.ENVIRONMENT)) == text


def test_the_patch_is_colored_line_by_line_and_colors_in_code_are_not():
    patch = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@ def f\n same\n-red \x1b[31mtext\n+red \x1b[32mtext\n--- a dash\n"
    found = FULL._replace(patch=patch, cautions=(), changes=())
    assert shown(found, color=True, areas=(Area.CODE,)).split("\n\n", 2)[2].split("\n") == [
        "\x1b[1mdiff --git a/a b/a\x1b[m", "\x1b[1m--- a/a\x1b[m", "\x1b[1m+++ b/a\x1b[m", "\x1b[36m@@ -1,3 +1,3 @@ def f\x1b[m",
        " same", "\x1b[31m-red \\x1b[31mtext\x1b[m", "\x1b[32m+red \\x1b[32mtext\x1b[m", "\x1b[31m--- a dash\x1b[m",
    ]  # fmt: skip


def test_a_table_without_rows_has_no_colors_to_give():
    wide = between(run_side(metrics={"m" * 90: 1.0}), run_side(metrics={"m" * 90: 2.0}))
    for width in (10, 80):
        assert "+1" in shown(wide, width=width, color=True)


def test_a_metric_is_green_toward_its_goal_and_red_away_from_it():
    text = shown(FULL, color=True, areas=(Area.METRICS,)).split("\n\n")[1]
    assert text == (
        "\x1b[1mmetrics:\x1b[m\n"
        "  key         old       new        delta      relative\n"
        "  loss           0.41      0.52      \x1b[31m+0.11\x1b[m    \x1b[31m+26.8%\x1b[m\n"
        "  val.f1         0.5     nan\n"
        "  accuracy       0.912     0.9345    \x1b[32m+0.0225\x1b[m   \x1b[32m+2.5%\x1b[m\n"
        "  auc            0         0.7       +0.7\n"
        "  gone           1         -\n"
        "  new/metric     -         1e-07\n"
        "  steps       1000      1200       +200       +20.0%"
    )


def test_a_change_below_the_smallest_effect_that_matters_has_no_color():
    change = Change("metrics", ("acc",), Kind.CHANGED, 0.5, 0.505)
    for min_effect, expected in ((None, True), (0.001, True), (0.01, None)):
        assert is_toward(change, MetricDeclaration("acc", Goal.MAXIMIZE, min_effect=min_effect)) is expected
    assert is_toward(change, MetricDeclaration("acc")) is None


def test_colors_change_no_column():
    assert re.sub(r"\x1b\[\d*m", "", shown(FULL, color=True)) == re.sub(r"\x1b\[\d*m", "", shown(FULL))


def test_counts_instead_of_values():
    assert shown(FULL, stat=True) == (
        "brave-otter-k3f9 → calm-fox-a1b2 (failed)\n\n"
        "parameters   6 changed, 1 added, 1 removed\n"
        "metrics      5 changed, 1 added, 1 removed\n"
        "data         4 changed, 1 added, 1 removed\n"
        "environment  5 changed, 2 added, 2 removed\n"
        "code         4 files, +131 −4\n"  # noqa: RUF001
        " train.py            |  13 ++++-\n"
        " src/a.py → src/b.py |   2 +-\n"
        " notes.md (new)      | 120 ++++++++++++++++++++++++++++++++++++++++\n"
        " logo.png (gone)     | Bin\n\n"
        "same.csv was modified on both sides"
    )


def test_a_side_says_what_it_is():
    run = run_side("one")
    commits = [
        Side(name, SideKind.COMMIT, "0123456789abcdef" * 2, "", {}) for name in ("main", "0123456", "0123456789abcdef")
    ]
    tree = Side("work tree", SideKind.WORK_TREE, None, "", {})
    heads = [shown(Difference(run, side)).split("\n")[0] for side in (*commits, tree, NEW)]
    assert heads == [
        "one → main (0123456789)",
        "one → 0123456789",
        "one → 0123456789",
        "one → work tree",
        "one → calm-fox-a1b2 (failed)",
    ]


def test_no_difference_is_one_line_that_names_what_was_compared():
    same = Difference(run_side(), run_side("new"), skipped={"environment": "that of old was not captured"})
    assert shown(same) == (
        "old → new\n\nno difference in parameters, metrics, data or code\n\nenvironment: not compared, that of old was not captured"
    )
    assert shown(same, areas=(Area.PARAMS,)) == "old → new\n\nno difference in parameters"
    assert shown(same, areas=(Area.ENVIRONMENT,)) == (
        "old → new\n\nnothing was compared\n\nenvironment: not compared, that of old was not captured"
    )
    assert shown(same, stat=True) == shown(same)


def test_only_the_areas_asked_for_are_shown():
    text = shown(FULL, areas=(Area.CODE, Area.PARAMS))
    assert [line for line in text.split("\n") if line.endswith(":") or line.startswith("code")] == [
        "parameters:",
        "code: 4 files, +131 −4",  # noqa: RUF001
    ]


@pytest.mark.parametrize(
    ("old", "new", "delta"),
    [
        (1, 0.5, ["-0.5", "-50.0%"]), (-2, -1, ["+1", "+50.0%"]), (0, 3, ["+3"]), (1, 3, ["+2", "+200.0%"]), (1.0, math.inf, ["+inf"]),
        (math.inf, 1.0, ["-inf"]), (math.nan, 1.0, []), (1, math.nan, []), (False, True, []), ("a", 1, []), ([1], [2], []),
        (10**15, 10**15 + 1, ["+1", "+1e-13%"]), (2**60 + 1, float(2**60), ["-1", "-8.7e-17%"]), (1e-9, 1.0, ["+1", "+1e+11%"]),
        (10**16, 1, ["-9999999999999999", "-100.0%"]), (1000, 1000.01, ["+0.01", "+0.001%"]), (1e308, -1e308, ["-inf"]),
    ],
)  # fmt: skip
def test_a_delta_is_of_numbers_and_a_relative_delta_of_what_is_not_zero(old, new, delta):
    [line] = lines({"m": old}, {"m": new}, area="metrics")
    assert line.split()[3:] == delta


def test_a_number_that_no_float_holds_has_no_delta():
    text = shown(difference({"metrics": {"m": 10**400}}, {"metrics": {"m": 0.5}}))
    assert text.split("\n\n")[1] == f"metrics:\n  m\n    old  1{'0' * 69}…\n    new  0.5"


def test_what_is_declared_without_a_goal_has_its_place_and_no_color():
    declared = {"z": MetricDeclaration("z"), "b": MetricDeclaration("b", Goal.MAXIMIZE)}
    both = difference({"metrics": {"a": 1, "b": 1, "z": 1}}, {"metrics": {"a": 2, "b": 2, "z": 2}})
    text = shown(both, declared, color=True)
    assert [line[:14] for line in text.split("\n")[4:]] == [f"  {key}    1    2 " for key in "zba"]
    assert text.count("\x1b[32m") == 2


def test_a_long_value_stands_below_its_key_and_shows_the_first_difference():
    old, new = "You are a helpful assistant. " * 9 + "Be brief.", "You are a helpful assistant. " * 9 + "Be thorough."
    assert shown(difference({"params": {"lr": 1, "prompt": old}}, {"params": {"lr": 2, "prompt": new}})) == (
        "old → new\n\n"
        "parameters:\n"
        "  key  old  new\n"
        "  lr   1    2\n"
        "  prompt\n"
        "    old  …You are a helpful assistant. You are a helpful assistant. Be brief.\n"
        "    new  …You are a helpful assistant. You are a helpful assistant. Be thorough."
    )


def test_values_of_one_side_are_marked_in_the_table_and_below_a_key():
    assert lines({"a": None, "b": "x" * 90}, {"c": "", "d": "y" * 90}, width=60) == [
        "a    null  -",
        'c    -     ""',
        "b",
        f"old  {'x' * 50}…",
        "d",
        f"new  {'y' * 50}…",
    ]


@pytest.mark.parametrize("width", [30, 40, 80, 200, None])
def test_no_line_is_wider_than_the_terminal(width):
    text = shown(FULL._replace(patch="", cautions=()), width=width, areas=tuple(Area)[:3]).split("\n", 1)[1]
    assert max(map(display_width, text.split("\n"))) <= (width or 200)


def test_2000_metrics_are_all_listed():
    keys = [f"layer.{number}" for number in range(2000)]
    text = shown(difference({"metrics": dict.fromkeys(keys, 1)}, {"metrics": dict.fromkeys(keys, 2)}))
    assert len(text.split("\n")) == 2004


def test_a_folder_without_its_listing_and_data_of_unknown_size():
    old = run_side(data={"a": "md5:0123456789abcdef0123.dir", "b": "md5:1", "c": "md5:2"})._replace(
        pointers=pointers(Pointer("a", "0123456789abcdef0123.dir"), Pointer("b", "1"), Pointer("c", "2", size=1))
    )
    new = run_side("new", data={"a": "md5:f.dir modified", "b": "md5:2.dir", "c": "md5:2 modified"})._replace(
        pointers=pointers(
            Pointer("a", "f.dir", modified=True), Pointer("b", "2.dir", files=1, size=2), Pointer("c", "2", size=1)
        )
    )
    assert shown(between(old, new), width=None).split("\n\n")[1] == (
        "data:\n"
        "  a  changed   md5:0123456789ab → md5:f.dir   its listing is not in the DVC cache   "
        "MODIFIED on the new side: not what the pointer stands for\n"
        "  b  changed   md5:1 → 1 file, 2 B\n"
        "  c  same pointer   1 B   MODIFIED on the new side: not what the pointer stands for"
    )


def test_of_a_folder_the_first_files_are_named():
    files = [DataFile(f"{number:02}", Kind.CHANGED, None, 5) for number in range(1200)]
    old = run_side(data={"d": "md5:1.dir"})
    new = run_side("new", data={"d": "md5:2.dir"})
    text = shown(between(old, new, folders={"d": (*files, DataFile("x", Kind.ADDED))}), width=None)
    assert text.split("\n\n")[1] == (
        "data:\n"
        "  d  1 file added, 1,200 changed   md5:1.dir → md5:2.dir\n"
        "     added: x; changed: 00, 01, 02, 03 and 1,196 more"
    )


def test_a_long_path_has_a_line_of_its_own():
    path = "data/" + "very/" * 9 + "deep.csv"
    text = shown(between(run_side(), run_side("new", data={path: "md5:1", "b": "md5:2"})))
    assert text.split("\n\n")[1] == f"data:\n  b  added   md5:2\n  {path}\n     added   md5:1"


def test_the_stat_of_the_code_fits_and_keeps_the_end_of_a_path():
    files = (*FILES, FileChange("src/" + "deep/" * 20 + "end.py", Kind.CHANGED, 10_000, 1))
    text = shown(Difference(OLD, NEW, files=files), width=60)
    rows = text.split("\n\n")[1].split("\n")
    assert rows == [
        "code: 5 files, +10,131 −5",  # noqa: RUF001
        "  train.py                                |    13 +-",
        "  src/a.py → src/b.py                     |     2 +-",
        "  notes.md (new)                          |   120 +",
        "  logo.png (gone)                         |   Bin",
        "  …p/deep/deep/deep/deep/deep/deep/end.py | 10001 +++++++++-",
    ]


def test_hostile_keys_values_names_and_code_are_inert():
    evil = "\x1b[2J\u202e\n\0"
    old = run_side(params={evil: {"x": evil}}, data={evil: "md5:1"}, environment={"packages": {evil: "1"}})
    new = Side(evil, SideKind.COMMIT, None, "", {"params": {evil: {"x": "y"}}})
    text = shown(
        between(
            old,
            new,
            files=(FileChange(evil, Kind.CHANGED, 1, 0, evil),),
            patch=f"+if admin: # {evil}\x1b[32mgreen\x1b[m\r\n",
            skipped={"metrics": evil},
            cautions=(evil,),
        )
    )
    assert text.replace("\n", "").isprintable()
    assert text.endswith("\n\nmetrics: not compared, \\x1b[2J\\u202e\\n\\x00\n\\x1b[2J\\u202e\\n\\x00")
