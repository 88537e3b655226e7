"""The example project: it learns, repeats itself, and is an ordinary Git and DVC project."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from exptrack.model.settings import Capture, Goal, MetricDeclaration, Settings

EXAMPLE = Path(__file__).parents[1] / ".dvc-example"
LEFTOVERS = (
    "__pycache__",
    "tmp",
    "cache",
    "config.local",
    "*.npz",
    "*.tmp",
    "metrics.json",
    "confusion.csv",
    "dvc.lock",
)
RESULTS = ("prepared.npz", "model.npz", "metrics.json", "confusion.csv")

Python = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy, with this interpreter as the `python` that `dvc.yaml` calls."""
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(*LEFTOVERS))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    return folder


@pytest.fixture
def python(example: Path) -> Python:
    """Run python in the copy; it must succeed unless `fails=True`."""

    def call(*arguments: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([sys.executable, *arguments], cwd=example, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == fails, done.stderr
        return done

    return call


def digests(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in RESULTS}


def metrics(folder: Path) -> dict[str, float]:
    return json.loads((folder / "metrics.json").read_text())


def test_the_data_are_the_digits_of_the_test_set():
    text = gzip.decompress((EXAMPLE / "data/digits.csv.gz").read_bytes())
    rows = [[int(value) for value in line.split(",")] for line in text.decode().splitlines()]
    assert len(rows) == 1797
    assert {len(row) for row in rows} == {65}
    assert {value for row in rows for value in row[:64]} == set(range(17))
    counts = Counter(row[64] for row in rows)
    assert [counts[digit] for digit in range(10)] == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert hashlib.sha256(text).hexdigest() == "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"


def test_the_pointer_stands_for_the_data():
    data = (EXAMPLE / "data/digits.csv.gz").read_bytes()
    pointer = yaml.safe_load((EXAMPLE / "data/digits.csv.gz.dvc").read_text())
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert pointer == {"outs": [{"md5": digest, "size": len(data), "hash": "md5", "path": "digits.csv.gz"}]}


def test_the_pipeline_leaves_only_its_lock_to_git(example: Path, python: Python, git: Callable[..., str]):
    git("init", "--quiet", cwd=example)
    git("add", ".", cwd=example)
    git("commit", "--quiet", "-m", "first", cwd=example)
    assert "data/digits.csv.gz" not in git("ls-files", cwd=example).splitlines()

    python("-m", "dvc", "repro")

    assert git("status", "--porcelain", cwd=example) == "?? dvc.lock"
    assert metrics(example)["accuracy"] > 0.93
    assert json.loads(python("-m", "dvc", "status", "--json").stdout) == {}
    of_the_pipeline = digests(example)

    python("train.py")

    assert digests(example) == of_the_pipeline
    assert git("status", "--porcelain", cwd=example) == "?? dvc.lock"


def test_arguments_override_parameters(example: Path, python: Python):
    before = (example / "params.yaml").read_bytes()
    done = python("train.py", "model.hidden=8", "train.epochs=2", "train.l2=1e-5")
    assert [line.split()[:2] for line in done.stdout.splitlines()[:-1]] == [["epoch", "1"], ["epoch", "2"]]
    shapes = "import numpy; print([a.shape for a in numpy.load('model.npz').values()])"
    assert python("-c", shapes).stdout == "[(64, 8), (8,), (8, 10), (10,)]\n"
    assert (example / "params.yaml").read_bytes() == before


def test_each_stage_takes_arguments_too(example: Path, python: Python):
    arguments = ("seed=3", "data.test_fraction=0.5", "train.epochs=1")
    python("train.py", *arguments)
    in_one_go = digests(example)
    for name in RESULTS:
        (example / name).unlink()
    python("-m", "digits.prepare", *arguments)
    python("-m", "digits.train", *arguments)
    python("-m", "digits.evaluate")
    assert digests(example) == in_one_go


def test_a_number_in_scientific_notation_in_the_file_is_a_number(example: Path, python: Python):
    params = example / "params.yaml"
    params.write_text(re.sub(r"l2: \S+", "l2: 1e-5", params.read_text()))
    python("train.py", "train.epochs=1")
    from_the_file = digests(example)
    python("train.py", "train.epochs=1", "train.l2=0.00001")
    assert digests(example) == from_the_file


def test_the_same_seed_gives_the_same_bytes(example: Path, python: Python, monkeypatch: pytest.MonkeyPatch):
    python("train.py")
    first = digests(example)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    python("train.py")
    assert digests(example) == first


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted where Linux lists them")
def test_numpy_gets_one_thread(python: Python, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    program = (
        "import os, digits.model, numpy; a = numpy.ones((600, 600)); a @ a; print(len(os.listdir('/proc/self/task')))"
    )
    assert python("-c", program).stdout == "1\n"


def test_a_write_that_breaks_off_leaves_the_old_file(example: Path, python: Python):
    (example / "metrics.json").write_text("old")
    program = (
        "from digits.files import replacing\nwith replacing('metrics.json') as f:\n    f.write(b'half')\n    1 / 0"
    )
    python("-c", program, fails=True)
    assert (example / "metrics.json").read_text() == "old"
    assert not list(example.glob("*.tmp"))


def test_archives_hold_no_time(example: Path, python: Python):
    python("train.py", "train.epochs=1")
    for name in ("prepared.npz", "model.npz"):
        with zipfile.ZipFile(example / name) as archive:
            assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_seeds_differ_a_little(example: Path, python: Python):
    accuracies = set()
    models = set()
    for seed in range(3):
        python("train.py", f"seed={seed}")
        accuracies.add(metrics(example)["accuracy"])
        models.add(digests(example)["model.npz"])
    assert len(models) == 3
    assert len(accuracies) > 1
    assert min(accuracies) > 0.93
    assert max(accuracies) - min(accuracies) < 0.03


def test_parameters_matter(example: Path, python: Python):
    python("train.py")
    as_shipped = metrics(example)
    for override in ("train.lr=0.01", "train.epochs=1", "train.l2=0.1", "data.test_fraction=0.95"):
        python("train.py", override)
        assert metrics(example)["accuracy"] < as_shipped["accuracy"] - 0.015, override
    python("train.py", "model.hidden=0")
    assert metrics(example)["loss"] > as_shipped["loss"] + 0.02


def test_backpropagation_agrees_with_finite_differences(python: Python):
    program = """
import numpy as np
from digits import model
random = np.random.default_rng(1)
images, labels = random.normal(size=(20, 64)), random.integers(10, size=20)
layers = model.create([64, 7, 10], random)
for layer, slopes in zip(layers, model.gradients(layers, images, labels)):
    for array, slope in zip(layer, slopes):
        for index in list(np.ndindex(array.shape))[::5]:
            before, step = array[index], 1e-6
            array[index] = before + step
            above = model.score(layers, images, labels)[0]
            array[index] = before - step
            below = model.score(layers, images, labels)[0]
            array[index] = before
            assert abs((above - below) / (2 * step) - slope[index]) < 1e-6, (index, slope[index])
"""
    python("-c", program)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("train.lrr=1", "train.lrr=1: params.yaml has no parameter train.lrr\n"),
        ("model=mlp", "model=mlp: params.yaml has no parameter model\n"),
        ("seed.x=1", "seed.x=1: params.yaml has no parameter seed.x\n"),
        ("fast", "fast: params.yaml has no parameter fast\n"),
        ("train.lr=high", "train.lr=high: train.lr takes a number, or true or false\n"),
        ("train.lr=", "train.lr=: train.lr takes a number, or true or false\n"),
    ],
)
def test_an_argument_that_fits_nothing_is_refused(example: Path, python: Python, argument: str, message: str):
    assert python("train.py", argument, fails=True).stderr == message
    assert not any((example / name).exists() for name in RESULTS)


def test_a_training_that_diverges_fails_and_writes_no_metrics(example: Path, python: Python):
    done = python("train.py", "train.lr=1000", fails=True)
    assert "loss=nan" in done.stdout
    assert done.stderr.endswith("the training diverged: try a smaller train.lr\n")
    assert not (example / "metrics.json").exists()
    assert not (example / "model.npz").exists()
    assert not list(example.glob("*.tmp"))


def test_the_settings_use_known_keys_only(example: Path):
    settings = yaml.safe_load((example / "exptrack.yaml").read_text())

    def names(cls: type) -> set[str]:
        return set(cls._fields)

    assert set(settings) <= names(Settings)
    assert set(settings["capture"]) <= names(Capture)
    assert settings["seed"] in yaml.safe_load((example / "params.yaml").read_text())
    for declaration in settings["metrics"].values():
        assert set(declaration) <= names(MetricDeclaration)
        assert declaration["goal"] in set(Goal)
        assert all((example / path).exists() for path in declaration.get("evaluated_on", ()))


def test_every_declared_metric_comes_out_of_a_run(example: Path, python: Python):
    settings = yaml.safe_load((example / "exptrack.yaml").read_text())
    (pattern,) = settings["capture"]["patterns"]
    lines = python("train.py").stdout.splitlines()
    history = [match for line in lines if (match := re.search(pattern, line))]
    epochs = yaml.safe_load((example / "params.yaml").read_text())["train"]["epochs"]
    assert len(history) == epochs == len(lines) - 1
    losses = [float(match["train_loss"]) for match in history]
    assert losses == sorted(losses, reverse=True)
    assert float(history[-1]["train_accuracy"]) > 0.98
    assert set(settings["metrics"]) <= set(metrics(example)) | set(history[0].groupdict())


def test_the_code_knows_nothing_of_exptrack(example: Path):
    for path in (*example.rglob("*.py"), example / "params.yaml", example / "dvc.yaml"):
        assert "exptrack" not in path.read_text(), path


def test_the_scripts_give_no_warning(python: Python):
    assert python("-W", "error", "train.py", "train.epochs=1").stderr == ""


def test_the_readme_names_every_source(example: Path):
    readme = (example / "README.md").read_text()
    for path in (*example.rglob("*.py"), *example.glob("*.yaml")):
        if path.name != "__init__.py":
            assert f"`{path.relative_to(example)}`" in readme, path


@pytest.mark.parametrize("command", [("check",), ("format", "--check")])
def test_ruff_is_content(example: Path, python: Python, command: tuple[str, ...]):
    python("-m", "ruff", *command, "--isolated", "--no-cache", "--line-length", "100", str(example))
