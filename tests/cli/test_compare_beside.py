"""`compare --by-parameter` and `--predictions`: beside the verdicts, and never one of them."""

from __future__ import annotations

import json
import sys

import pytest

SETTINGS = """\
seed: seed
metrics: {accuracy: maximize}
experiments:
  shapes:
    metric: accuracy
    variables: {lr: [0.1, 0.2], kind: [svm, tree]}
    baseline: {lr: 0.1, kind: svm}
    predictions: {path: predictions.csv, id: name, label: truth, prediction: guess}
"""
TRAIN = """\
import json, pathlib
params = dict(line.split(": ") for line in pathlib.Path("params.yaml").read_text().splitlines())
right = int(100 * float(params["lr"])) + 2 * int(params["seed"]) + 5 * (params["kind"] == "tree")
rows = "".join(f"{i},cat,{'cat' if i < right else 'dog'}\\n" for i in range(40))
pathlib.Path("predictions.csv").write_text("name,truth,guess\\n" + rows)
pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": right / 40}))
"""


@pytest.fixture
def record(exptrack, repository, git):
    (repository / "exptrack.yaml").write_text(SETTINGS)
    (repository / "train.py").write_text(TRAIN)
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "shapes", cwd=repository)

    def call(name, lr, kind, seed, *more):
        (repository / "params.yaml").write_text(f"lr: {lr}\nkind: {kind}\nseed: {seed}\n")
        done = exptrack("run", "-e", "shapes", "--name", name, *more, "--", sys.executable, "train.py")
        assert done.returncode == 0, done.stderr

    return call


@pytest.fixture
def two(record, dvc):
    dvc("init", "--quiet")
    record("low", 0.1, "svm", 1, "-o", "predictions.csv")
    record("high", 0.2, "tree", 1, "-o", "predictions.csv")


def test_each_parameter_is_a_line(record, exptrack):
    for place, (lr, kind) in enumerate([(0.1, "svm"), (0.1, "tree"), (0.2, "svm"), (0.2, "tree")]):
        record(f"r{place}", lr, kind, place % 2)
    record("r4", 0.2, "tree", 3)
    plain = exptrack("compare", "-e", "shapes")
    done = exptrack("compare", "-e", "shapes", "--by-parameter")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(plain.stdout.rstrip("\n"))
    assert done.stdout.removeprefix(plain.stdout.rstrip("\n")) == (
        "\n\n"
        "by parameter (what goes together among these runs; not what causes what):\n"
        "- lr: rank correlation +0.87 [95% CI -0.30, +0.99], 5 values, 2 levels\n"
        "- kind: eta squared 0.44 [95% CI 0.00, 0.74], 5 values, 2 levels\n"
    )
    markdown = exptrack("compare", "-e", "shapes", "--by-parameter", "--markdown").stdout
    assert "- lr: `rank correlation +0.87 [95% CI -0.30, +0.99], 5 values, 2 levels`\n" in markdown
    parameters = json.loads(exptrack("compare", "-e", "shapes", "--by-parameter", "--json").stdout)["parameters"]
    assert [(one["parameter"], one["measure"], one["n"], one["levels"], one["note"]) for one in parameters] == [
        ("lr", "spearman", 5, 2, None), ("kind", "eta squared", 5, 2, None),
    ]  # fmt: skip


def test_two_models_are_compared_and_no_verdict_comes_of_it(two, exptrack):
    done = exptrack("compare", "-e", "shapes", "--predictions")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("example by example:\n")[1] == (
        "- these two models, low and high, on these 40 examples: accuracy 0.30 and 0.68, +0.38 [95% bootstrap CI +0.23, +0.53]; "
        "right where the other is wrong: 15 against 0, McNemar exact p<0.0001\n"
    )
    assert "not enough runs" in done.stdout.split("example by example")[0]
    named = json.loads(exptrack("compare", "high", "low", "--predictions", "--json").stdout)
    (models,) = named["predictions"]["models"]
    assert (models["runs"], models["examples"], models["only_first"], models["only_second"]) == (
        ["low", "high"],
        40,
        0,
        15,
    )
    assert models["gaps"][0]["metric"] == "accuracy"
    assert named["predictions"]["splits"] == named["predictions"]["notes"] == []
    assert [one["word"] for one in named["verdicts"]] == ["not enough runs"]
    assert "parameters" not in named


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--by-parameter", "--csv"), "exptrack: --csv is a table of configurations: leave out --by-parameter, or take --json\n"),
        (("--predictions", "--csv"), "exptrack: --csv is a table of configurations: leave out --predictions, or take --json\n"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_says_so(two, exptrack, options, message):
    done = exptrack("compare", "-e", "shapes", *options)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


def test_a_run_that_did_not_keep_its_predictions_says_how_to(record, exptrack, repository):
    (repository / ".gitignore").write_text("metrics.json\npredictions.csv\n")
    record("low", 0.1, "svm", 1)
    record("high", 0.2, "tree", 1)
    done = exptrack("compare", "-e", "shapes", "--predictions")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("exptrack: run 'low' ")
    (repository / "exptrack.yaml").write_text(SETTINGS.partition("    predictions:")[0])
    done = exptrack("compare", "-e", "shapes", "--predictions")
    assert done.stderr == (
        "exptrack: no predictions file is declared: name it in exptrack.yaml, experiments.shapes.predictions\n"
    )
