"""Differences to show: one that has everything, and random ones, with whatever a stranger may have written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime

from hypothesis import strategies as st

from exptrack.analysis.diff import diff
from exptrack.model.change import Kind
from exptrack.model.data import Pointer
from exptrack.model.difference import Area, DataFile, Difference, FileChange, Side, SideKind
from exptrack.model.run import Record, Run, Status
from exptrack.model.settings import Goal, MetricDeclaration
from exptrack.model.tree import Tree

MIB = 1024 * 1024
TREES = (Area.PARAMS, Area.METRICS, Area.DATA, Area.ENVIRONMENT)
DECLARED = {
    "loss": MetricDeclaration("loss", Goal.MINIMIZE),
    "val.f1": MetricDeclaration("val.f1", Goal.MAXIMIZE),
    "accuracy": MetricDeclaration("accuracy", Goal.MAXIMIZE),
}


def run_side(name: str = "old", status: Status = Status.COMPLETED, **trees: Tree) -> Side:
    run = Run(Record(name, status, datetime(2026, 1, 31, tzinfo=UTC)), "1" * 40, "")
    return Side(name, SideKind.RUN, "1" * 40, "2" * 40, trees, run=run)


def pointers(*some: Pointer) -> dict[str, Pointer]:
    return {pointer.path: pointer for pointer in some}


def between(old: Side, new: Side, **rest) -> Difference:
    changes = tuple(
        change for area in TREES for change in diff(old.trees.get(area, {}), new.trees.get(area, {}), str(area))
    )
    return Difference(old, new, changes, **rest)


def difference(old: Mapping[str, Tree], new: Mapping[str, Tree], **rest) -> Difference:
    return between(run_side(**old), run_side("new", **new), **rest)


OLD = run_side(
    "brave-otter-k3f9",
    params={"svm": {"C": 0.1, "gamma": "scale"}, "epochs": 10, "lr": 0.1234567, "layers": [64, 32], "flag": True, "drop": None},
    metrics={"accuracy": 0.912, "auc": 0.0, "gone": 1, "loss": 0.41, "steps": 1000, "val": {"f1": 0.5}},
    data={"data/raw": "md5:aa.dir", "far": "md5:bb.dir", "model.pkl": "md5:cc", "old.csv": "md5:dd", "same.bin": "md5:ee"},
    environment={
        "interpreter": {"version": "3.11.4"},
        "hardware": {"cpu": "Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz", "memory": 33685762048},
        "packages": {"bar": "3", "numpy": "1.26.4", "scipy": "1.13.0"},
        "variables": {"TZ": "UTC"},
    },
)._replace(
    pointers=pointers(
        Pointer("data/raw", "aa.dir", size=32 * MIB, files=1000),
        Pointer("far", "bb.dir", size=3 * MIB, files=3),
        Pointer("model.pkl", "cc", size=MIB),
        Pointer("old.csv", "dd", size=12345),
        Pointer("same.bin", "ee", size=77),
    )
)  # fmt: skip
NEW = run_side(
    "calm-fox-a1b2",
    Status.FAILED,
    params={"svm": {"C": 10, "gamma": "auto"}, "epochs": 100, "lr": 0.1234568, "layers": [64, 32, 16], "flag": 1, "seed": "1"},
    metrics={"accuracy": 0.9345, "auc": 0.7, "loss": 0.52, "new/metric": 1e-7, "steps": 1200, "val": {"f1": math.nan}},
    data={"data/raw": "md5:ab.dir modified", "far": "md5:bc.dir", "model.pkl": "md5:cd", "new.csv": "md5:ff", "same.bin": "md5:ee modified"},
    environment={
        "interpreter": {"version": "3.12.1"},
        "hardware": {"cpu": "AMD EPYC 7763 64-Core Processor", "memory": 67371524096},
        "packages": {"numpy": "2.0.1", "polars": "1.0 from git+https://example.com/polars at 0123456789", "scipy": "1.13.1"},
        "variables": {"LANG": "C"},
    },
)._replace(
    pointers=pointers(
        Pointer("data/raw", "ab.dir", size=33 * MIB, files=1003, modified=True),
        Pointer("far", "bc.dir", size=3 * MIB, files=3),
        Pointer("model.pkl", "cd", size=MIB + 99999),
        Pointer("new.csv", "ff", size=999),
        Pointer("same.bin", "ee", size=77, modified=True),
    )
)  # fmt: skip
FILES = (
    FileChange("train.py", Kind.CHANGED, 10, 3),
    FileChange("src/b.py", Kind.CHANGED, 1, 1, "src/a.py"),
    FileChange("notes.md", Kind.ADDED, 120, 0),
    FileChange("logo.png", Kind.REMOVED),
)
FOLDER = (
    *(DataFile(f"img/{number}.png", Kind.ADDED, None, 300_000) for number in range(4)),
    DataFile("img/old.png", Kind.REMOVED, 300 * 1024),
    *(DataFile(f"x/{number}.png", Kind.CHANGED, 100 + number, 200) for number in range(2)),
)
PATCH = 'diff --git a/train.py b/train.py\n@@ -1 +1 @@\n-print("a")  # ```\n+print("b")\t# ````\n'
FULL = between(
    OLD,
    NEW,
    files=FILES,
    folders={"data/raw": FOLDER},
    patch=PATCH,
    cautions=("same.csv was modified on both sides",),
)

HOSTILE = (
    "", " ", "  two", "-", "1", "nan", "true", "null", '"a"', "a|b", "a\\|b", "|", "\\", "tail\\", "`", "``a`", "a` `b", "```", "two\nlines",
    "over\rwritten", "\x1b[2J", "\0", "\u202eevil", "\u200b", "\ud800", "</details>", "<script>", "<!--", "&amp;", "@octocat", "#12", "GH-12",
    "![](http://x.y/z.png)", "[a](b)", "www.example.com", "https://example.com", "a@b.example", "**bold**", "~~~", "- x", "| --- |", "$`x`$", "a.b",
    "数字" * 60, "e\u0301", "\u00e9", "❤\ufe0f", "❤", "x" * 300, "x" * 300 + "y", "x" * 150 + "z" + "x" * 300, "→", "…", "old", "new",
)  # fmt: skip
TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=8)
KEYS = TEXTS | st.sampled_from(["a", "b", "c", "loss"])
NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.floats(),
    st.sampled_from([0.1234567, 0.1234568, 10**400, -(10**400), 2**60 + 1, float(2**60), -0.0, 0.0]),
)
LEAVES = st.one_of(NUMBERS, TEXTS, st.booleans(), st.none())
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
PARAMS = st.dictionaries(KEYS, VALUES, max_size=4)
METRICS = st.dictionaries(
    KEYS, st.recursive(NUMBERS, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=5), max_size=4
)
PATHS = TEXTS.filter(bool)
DIGESTS = st.sampled_from(["md5:11", "md5:22.dir", "md5:22.dir modified", "md5:33 modified"]) | TEXTS
FACTS = st.dictionaries(KEYS, LEAVES, max_size=3)
ENVIRONMENTS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("interpreter", "platform", "hardware", "packages", "variables"), FACTS)
)
ALL_TREES = st.fixed_dictionaries(
    {
        "params": PARAMS,
        "metrics": METRICS,
        "data": st.dictionaries(PATHS, DIGESTS, max_size=3),
        "environment": ENVIRONMENTS,
    }
)
DIFFERENCES = st.builds(difference, ALL_TREES, ALL_TREES)
