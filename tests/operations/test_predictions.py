"""Runs that kept their predictions are compared example by example, out of Git and out of the DVC cache."""

from __future__ import annotations

import sys

import pytest

from exptrack.backends.git.repository import find_identity
from exptrack.errors import DataError, ExptrackError
from exptrack.model.annotation import AnnotationKind
from exptrack.operations.compare import Asked, compare
from exptrack.operations.comparing.predictions import examine, find_columns
from exptrack.project import Project
from exptrack.store import annotation

SETTINGS = """\
seed: seed
metrics: {accuracy: maximize}
experiments:
  shapes:
    metric: accuracy
    variables: {lr: [0.1, 0.2]}
    baseline: {lr: 0.1}
    predictions: out/predictions.csv
  plain:
    metric: accuracy
"""
TRAIN = """\
import json, pathlib, random
params = dict(line.split(": ") for line in pathlib.Path("params.yaml").read_text().splitlines())
lr, seed, shift = float(params["lr"]), int(params["seed"]), int(params["shift"])
random.seed(seed)
rows = [(str(i + shift), "cat" if i % 3 else "dog", "cat" if random.random() < 0.9 - lr else "dog") for i in range(60)]
pathlib.Path("out").mkdir(exist_ok=True)
pathlib.Path("out/predictions.csv").write_text("id,label,prediction\\n" + "".join(",".join(row) + "\\n" for row in rows))
pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": sum(a == b for _, a, b in rows) / 60}))
"""


@pytest.fixture
def record(exptrack, repository, git):
    (repository / "exptrack.yaml").write_text(SETTINGS)
    (repository / "train.py").write_text(TRAIN)
    (repository / ".gitignore").write_text("metrics.json\n")
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "shapes", cwd=repository)

    def call(name, lr, seed, shift=0, *more):
        (repository / "params.yaml").write_text(f"lr: {lr}\nseed: {seed}\nshift: {shift}\n")
        done = exptrack("run", "-e", "shapes", "--name", name, *more, "--", sys.executable, "train.py")
        assert done.returncode == 0, done.stderr

    return call


def look(repository, *names, experiment="shapes"):
    project = Project(repository)
    context = project.context
    comparison = compare(context, Asked(experiment=experiment))
    return examine(context, comparison, tuple(project.runs()), tuple(project.run(name) for name in names))


def test_two_runs_are_compared_as_models_out_of_the_cache(record, repository, dvc):
    dvc("init", "--quiet")
    for name, lr in (("b", 0.2), ("a", 0.1)):
        record(name, lr, 1, 0, "-o", "out/predictions.csv")
    found = look(repository)
    (models,) = found.models
    assert models.runs == ("a", "b")  # the baseline first
    assert models.line.startswith("these two models, a and b, on these 60 examples: accuracy 0.")
    assert "McNemar exact p=" in models.line
    assert found.splits == found.notes == ()
    (repository / "out/predictions.csv").unlink()
    assert look(repository) == found


def test_of_several_seeds_the_noise_is_split_and_two_that_are_named_are_models(record, repository, dvc):
    dvc("init", "--quiet")
    for seed in (1, 2, 3):
        record(f"s{seed}", 0.1, seed, 0, "-o", "out/predictions.csv")
    found = look(repository)
    (split,) = found.splits
    assert (split.runs, split.examples) == (3, 60)
    assert split.line.startswith("all runs: accuracy 0.")
    assert found.models == ()
    (models,) = look(repository, "s3", "s1").models
    assert models.runs == ("s3", "s1")


def test_what_cannot_be_compared_says_why(record, repository, dvc):
    dvc("init", "--quiet")
    record("a", 0.1, 1, 0, "-o", "out/predictions.csv")
    record("shifted", 0.2, 1, 5, "-o", "out/predictions.csv")
    with pytest.raises(DataError, match=r"^5 examples of out/predictions.csv of a \(such as 0\) are not in out/pre"):
        look(repository)
    with pytest.raises(ExptrackError, match=r"^no predictions file is declared: .* experiments.plain.predictions$"):
        find_columns(Project(repository).context, "plain")
    assert find_columns(Project(repository).context, None).path == "out/predictions.csv"
    (repository / ".gitignore").write_text("metrics.json\nout/\n")
    record("none", 0.2, 2)
    with pytest.raises(ExptrackError, match=r"^run 'none' .*out"):
        look(repository, "a", "none")


def test_predictions_of_a_holdout_are_compared_once_it_was_unsealed(record, repository, dvc):
    dvc("init", "--quiet")
    sealed = SETTINGS.replace("out/predictions.csv", "{path: out/predictions.csv, holdout: true}")
    (repository / "exptrack.yaml").write_text(sealed)
    for name, lr in (("one", 0.1), ("two", 0.2)):
        record(name, lr, 1, 0, "-o", "out/predictions.csv")
    with pytest.raises(ExptrackError, match=r"predictions\.csv are sealed.*`exptrack unseal -e shapes`"):
        look(repository, "one", "two")
    project = Project(repository)
    identity = find_identity(project.context.repository)
    line = annotation.make(AnnotationKind.UNSEALING, {"experiment": "shapes", "metric": "test"}, identity)
    annotation.add(project.context.repository, identity, [(project.run("one"), line)])
    assert len(look(repository, "one", "two").models) == 1


def test_a_parquet_file_is_read_as_a_table_of_text_is(record, repository, dvc, git):
    pytest.importorskip("pyarrow")
    dvc("init", "--quiet")
    (repository / "exptrack.yaml").write_text(SETTINGS.replace("predictions.csv", "predictions.parquet"))
    (repository / "train.py").write_text(
        TRAIN + "import pandas\npandas.read_csv('out/predictions.csv').to_parquet('out/predictions.parquet')\n"
    )
    for name, lr in (("a", 0.1), ("b", 0.2)):
        record(name, lr, 1, 0, "-o", "out/predictions.parquet", "-o", "out/predictions.csv")
    found = look(repository)
    assert found.models[0].examples == 60
    (repository / "exptrack.yaml").write_text(SETTINGS)
    assert look(repository) == found
