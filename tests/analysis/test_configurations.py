"""Which runs are replicates of each other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.configurations import (
    CODE,
    code_digest,
    code_files,
    code_patterns,
    configuration_key,
    pipeline_code,
)
from exptrack.analysis.terms import matches_path
from exptrack.errors import SettingsError
from exptrack.model.data import Pointer
from exptrack.model.pipeline import StageRun, StageState
from exptrack.model.run import Record, Status


def record(params=None, command=("python", "train.py"), **more):
    return Record("a", Status.COMPLETED, datetime(2025, 1, 1, tzinfo=UTC), params=params or {}, command=command, **more)


def key(params=None, command=("python", "train.py"), seed_name=None, **more):
    return configuration_key(record(params, command, **more), seed_name)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"params.yaml": {"lr": 1, "seed": 1}}, {"params.yaml": {"lr": 1.0, "seed": 2}}),
        ({"params.yaml": {"a": 1, "b": {"c": 2}}}, {"params.yaml": {"b": {"c": 2}, "a": 1}}),
        ({"params.yaml": {"train": {"random_state": 1}}}, {"params.yaml": {"train": {"random_state": 5}}}),
        ({"params.yaml": {"lr": 1, "seed": 1}}, {"params.yaml": {"lr": 1, "seed": 1}, "args": {"seed": 2}}),
        ({"args": {"seed": 1}}, {}),
    ],
)
def test_runs_that_differ_in_the_seed_alone_are_of_one_configuration(old, new):
    assert key(old) == key(new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"params.yaml": {"lr": 1}}, {"params.yaml": {"lr": 2}}),
        ({"params.yaml": {"lr": 1}}, {"params.yaml": {"lr": "1"}}),
        ({"params.yaml": {"lr": 1}}, {"params.yaml": {"lr": True}}),
        ({"params.yaml": {"layers": [64, 32]}}, {"params.yaml": {"layers": [32, 64]}}),
        ({"params.yaml": {"layers": []}}, {"params.yaml": {"layers": {}}}),
        ({"params.yaml": {"lr": 1}}, {"other.yaml": {"lr": 1}}),
        ({"params.yaml": {"lr": None}}, {"params.yaml": {}}),
        ({"params.yaml": {"seed": 1, "data": {"seed": 1}}}, {"params.yaml": {"seed": 1, "data": {"seed": 2}}}),
        ({"params.yaml": {"seed": [1]}}, {"params.yaml": {"seed": [2]}}),
    ],
)
def test_runs_that_differ_in_anything_else_are_not(old, new):
    assert key(old) != key(new)


def test_the_named_seed_is_the_seed_alone():
    old, new = ({"params.yaml": {"seed": 1, "rng": value}} for value in (1, 2))
    assert key(old, seed_name="rng") == key(new, seed_name="rng")
    assert key(old) != key(new)
    old, new = ({"params.yaml": {"seed": value, "rng": 1}} for value in (1, 2))
    assert key(old, seed_name="rng") != key(new, seed_name="rng")


def test_the_first_of_equal_seeds_is_left_out():
    assert key({"a.yaml": {"z": {"seed": 7}, "seed": 7}}) == key({"a.yaml": {"z": {"seed": 7}, "seed": 8}})
    assert key({"a.yaml": {"z": {"seed": 7}, "seed": 7}}) != key({"a.yaml": {"z": {"seed": 8}, "seed": 7}})


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("python train.py --seed 1 --lr 0.1", "python train.py --lr 0.2 --seed 2", True),  # these are parameters
        ("python train.py seed=1 a.csv", "python train.py a.csv seed=2", True),
        ("python train.py --layers 64 32 a.csv", "python train.py --layers 64 a.csv", True),
        ("python train.py a.csv", "python train.py b.csv", False),
        ("python train.py -n 3", "python train.py -n 4", False),
        ("python train.py --no-cache -v a.csv", "python train.py --no-cache -q a.csv", False),  # not the option's value
        ("python train.py --lr 1 -n 2", "python train.py --lr 1 -b 2", False),
        ("python train.py --lr 1 --lr 2", "python train.py --lr 2", False),
        ("python train.py --lr 1 --lr 2", "python train.py --lr 1 --lr 3", True),
        ("python train.py", "python test.py", False),
        ("python -O train.py", "python train.py", False),
        ("python train.py -- --x", "python train.py -- --y", False),
    ],
)
def test_of_a_command_count_the_words_that_gave_no_parameter(old, new, same):
    assert (key(command=tuple(old.split())) == key(command=tuple(new.split()))) is same


def test_the_same_command_in_another_folder_is_another_one():
    assert key(directory="a") != key(directory="b")


FILES = {"train.py": "1", "src/net.jl": "2", "README.md": "3", "nb.ipynb": "4", "data.csv": "5", "run": "6"}


def test_a_changed_model_is_another_state_of_the_code_and_a_changed_readme_is_not():
    before = code_digest(record(), FILES, {})
    assert code_digest(record(), {**FILES, "README.md": "9", "data.csv": "9", "run": "9"}, {}) == before
    for path in ("train.py", "src/net.jl", "nb.ipynb"):
        assert code_digest(record(), {**FILES, path: "9"}, {}) != before
    assert code_digest(record(), {**FILES, "src/new.py": "9"}, {}) != before


def test_what_the_command_runs_is_code_whatever_it_is_called():
    by_name = record(command=("./run", "data.csv"))
    assert code_digest(by_name, FILES, {}) != code_digest(by_name, {**FILES, "run": "9"}, {})
    assert code_digest(by_name, FILES, {}) == code_digest(by_name, {**FILES, "data.csv": "9"}, {})
    below = record(command=("bash", "../run"), directory="src")
    assert code_digest(below, FILES, {}) != code_digest(below, {**FILES, "run": "9"}, {})


def test_the_project_says_what_code_is():
    said = {"code": ["src/", "*.md"], "alpha": 0.01}
    before = code_digest(record(), FILES, said)
    assert code_digest(record(), {**FILES, "train.py": "9"}, said) == before
    assert code_digest(record(), {**FILES, "README.md": "9"}, said) != before
    assert code_patterns({"code": ["default", "conf/"]}) == (*CODE, "conf/")
    with pytest.raises(SettingsError, match=r"^exptrack.yaml: 'compare.code' must be a list of texts$"):
        code_patterns({"code": "src"})


@given(st.lists(st.text("aRrpy./", max_size=8)))
def test_the_default_is_decided_by_the_ending(paths):
    names = [path for path in paths if not path.endswith("/") and "/" not in path]
    assert code_files(names) == tuple(sorted(name for name in names if matches_path(name, CODE)))


def stage(name, deps, outs):
    return StageRun(name, StageState.RAN, deps=deps, outs=outs)


STAGES = (
    stage(
        "prepare",
        {"src/prepare.py": "md5:1", "raw.csv": "md5:2", "params.yaml:split": "0.2", "params.yaml:name": '"md5:x"'},
        {"data/prepared": "md5:3.dir"},
    ),
    stage("train", {"train.py": "md5:4", "data/prepared/x.npy": "md5:5", "lib": "md5:6.dir"}, {"model.pt": "md5:7"}),
    stage("evaluate", {"train.py": "md5:4", "model.pt": "md5:7"}, {}),
)


def test_the_code_of_a_pipeline_is_what_no_stage_made_and_no_pointer_stands_for():
    assert pipeline_code(STAGES, ["raw.csv"]) == {"src/prepare.py": "md5:1", "train.py": "md5:4", "lib": "md5:6.dir"}


def test_a_pipeline_has_the_state_of_its_code_and_not_of_other_files():
    data = (Pointer("raw.csv", "2", "md5"),)
    ran = record(stages=STAGES, data=data)
    other_data = record(
        stages=(STAGES[0]._replace(deps={**STAGES[0].deps, "raw.csv": "md5:9"}), *STAGES[1:]), data=data
    )
    other_code = record(stages=(*STAGES[:2], STAGES[2]._replace(deps={"evaluate.py": "md5:9"})), data=data)
    assert code_digest(ran, FILES, {}) == code_digest(ran, {}, {}) == code_digest(other_data, FILES, {})
    assert code_digest(ran, FILES, {}) != code_digest(other_code, FILES, {})


def test_a_pipeline_that_names_no_code_has_that_of_the_snapshot():
    ran = record(stages=(stage("fetch", {}, {"raw.csv": "md5:1"}),), command=())
    assert code_digest(ran, FILES, {}) != code_digest(ran, {**FILES, "train.py": "9"}, {})
