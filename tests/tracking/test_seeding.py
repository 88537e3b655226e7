"""`exptrack.seed_everything`: what it sets is set, and the record says what it did."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest

DRAW = """
import random, sys
import numpy
import exptrack
exptrack.seed_everything(*map(int, sys.argv[1:]))
print(random.random(), numpy.random.rand())
"""


@pytest.fixture
def draw(repository):
    (repository / "draw.py").write_text(DRAW)
    return repository / "draw.py"


def show(exptrack, name: str = "@") -> dict:
    return json.loads(exptrack("show", name, "--json").stdout)


def test_the_same_seed_gives_the_same_numbers(draw, exptrack):
    one, two, other = exptrack.python(draw, "7"), exptrack.python(draw, "7"), exptrack.python(draw, "8")
    assert one.stdout
    assert one.stdout == two.stdout != other.stdout


@pytest.mark.skipif(not find_spec("torch"), reason="PyTorch is not installed")
def test_two_trainings_with_pytorch_are_equal_bit_by_bit(repository, exptrack):
    one, two = twice(
        exptrack,
        "import hashlib, torch, exptrack",
        "exptrack.seed_everything(3)\n"
        "model = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.Dropout(), torch.nn.Linear(32, 1))\n"
        "optimizer = torch.optim.Adam(model.parameters())\n"
        "for batch in torch.utils.data.DataLoader(torch.randn(64, 8), batch_size=8, shuffle=True, num_workers=2):\n"
        "    optimizer.zero_grad()\n"
        "    model(batch).square().mean().backward()\n"
        "    optimizer.step()\n"
        "weights = b''.join(value.detach().numpy().tobytes() for value in model.state_dict().values())\n"
        "print(hashlib.sha256(weights).hexdigest(), torch.are_deterministic_algorithms_enabled(),\n"
        "    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark)\n",
    )
    assert one == two
    assert one.endswith(" True True False")


@pytest.mark.skipif(not (find_spec("torch") and find_spec("keras")), reason="Keras is not installed")
def test_keras_is_seeded_with_its_backend(repository, exptrack, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    one, two = twice(
        exptrack, "import keras, exptrack", "exptrack.seed_everything(3)\nprint(float(keras.random.normal(())))\n"
    )
    assert one == two


@pytest.mark.skipif(not find_spec("tensorflow"), reason="TensorFlow is not installed: it is no part of the extra dev")
def test_two_trainings_with_tensorflow_are_equal_bit_by_bit(repository, exptrack, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    (repository / "seeded.py").write_text(
        "import numpy, tensorflow as tf, exptrack\n"
        "exptrack.seed_everything(3)\n"
        "layers = [tf.keras.layers.Input((8,)), tf.keras.layers.Dropout(0.3), tf.keras.layers.Dense(1)]\n"
        "model = tf.keras.Sequential(layers)\n"
        "model.compile('adam', 'mse')\n"
        "history = model.fit(numpy.random.rand(64, 8), numpy.ones(64), epochs=2, shuffle=True, verbose=0)\n"
        "print([float(loss).hex() for loss in history.history['loss']], tf.random.normal((2,)).numpy().tobytes().hex())\n"
    )
    one, two = exptrack.python("seeded.py"), exptrack.python("seeded.py")
    assert one.stdout, one.stderr
    assert one.stdout == two.stdout


def twice(exptrack, imports: str, code: str) -> list[str]:
    """What the code prints in each of two processes; the imports, which take long, are made once."""
    forks = f"{imports}\nimport os, sys\nfor _ in range(2):\n    if not os.fork():\n        exec({code!r})\n        sys.exit()\n    os.wait()\n"
    done = exptrack.python("-c", forks)
    assert done.stdout.count("\n") == 2, done.stderr
    return done.stdout.splitlines()


def test_it_says_what_it_set_and_what_stays_open(draw, exptrack):
    lines = exptrack.python(draw, "7").stderr.splitlines()
    seeded, still_open = lines
    assert seeded == (
        "exptrack: seed 7 set: Python's random, NumPy's global generator, PYTHONHASHSEED for processes started from now on"
    )
    assert still_open == (
        "exptrack: still open: the order of sets of texts in this process (start it with PYTHONHASHSEED=7); "
        "generators of numpy.random.default_rng() without a seed; TensorFlow, Keras, PyTorch if imported later"
    )


def test_the_order_of_sets_is_not_open_if_it_was_set_at_the_start(draw, exptrack, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    assert "order of sets" not in exptrack.python(draw, "7").stderr


def test_nothing_is_imported_for_it(repository, exptrack):
    code = "import sys, exptrack\nexptrack.seed_everything(1)\nprint({'numpy', 'torch', 'tensorflow', 'keras'} & {*sys.modules})"
    assert exptrack.python("-c", code).stdout == "set()\n"


def test_child_processes_have_the_hash_seed(repository, exptrack):
    code = (
        "import subprocess, sys, exptrack\nexptrack.seed_everything(1)\n"
        "for _ in range(2): subprocess.run([sys.executable, '-c', 'print(hash(str(3)))'])"
    )
    one, two = exptrack.python("-c", code).stdout.splitlines()
    assert one == two


def test_the_active_run_records_it(repository, exptrack):
    code = "import exptrack\nwith exptrack.start_run('one'):\n    print(exptrack.seed_everything(5).seed)"
    assert exptrack.python("-c", code).stdout == "5\n"
    record = show(exptrack)
    assert record["seed"] == 5
    assert record["seeding"]["seed"] == 5
    assert record["seeding"]["set"][0] == "Python's random"
    card = exptrack("show", "one").stdout
    assert "seed        5\n" in card or "seed      5\n" in card
    assert "Python's random" in card
    assert "PYTHONHASHSEED=5" in card


def test_a_run_that_starts_afterwards_records_it_and_only_the_first(repository, exptrack):
    code = (
        "import exptrack\nexptrack.seed_everything(5)\n"
        "with exptrack.start_run('one') as run: run.log_params({'seed': 4})\n"
        "with exptrack.start_run('two') as run: run.log_params({'model': {'seed': 3}})\n"
    )
    exptrack.python("-c", code)
    one, two = show(exptrack, "one"), show(exptrack, "two")
    assert (one["seeding"]["seed"], one["seed"]) == (5, 5)
    assert "seeding" not in two
    assert two["seed"] == 3  # a parameter that the script logged, where nothing else says it


def test_without_a_seed_it_takes_that_of_the_command_line(draw, exptrack):
    (draw.parent / "params.yaml").write_text("lr: 1\n")
    (draw.parent / "draw.py").write_text(DRAW + "exptrack.start_run()\n")
    done = exptrack("run", "--seed", "11", "--", "python", "draw.py")
    assert "seed 11 set: Python's random" in done.stderr
    record = show(exptrack)
    assert (record["seed"], record["seeding"]["seed"]) == (11, 11)
    assert "problems" not in record


def test_without_a_seed_it_takes_the_parameter(draw, exptrack):
    (draw.parent / "params.yaml").write_text("train: {seed: 12}\n")
    assert "seed 12 set" in exptrack.python(draw).stderr
    assert "seed 13 set" in exptrack.python("-c", DRAW.replace("*map(int, sys.argv[1:])", ""), "--seed=13").stderr


def test_without_any_seed_it_makes_one_up(draw, exptrack):
    one, two = exptrack.python(draw), exptrack.python(draw)
    assert one.stderr.startswith("exptrack: seed ")
    assert one.stderr != two.stderr


def test_two_seeds_are_a_problem_of_the_record(repository, exptrack):
    (repository / "params.yaml").write_text("seed: 4\n")
    code = "import exptrack\nwith exptrack.start_run():\n    [exptrack.seed_everything(seed) for seed in (5, 6)]"
    exptrack.python("-c", code)
    record = show(exptrack)
    assert (record["seed"], record["seeding"]["seed"]) == (4, 5)
    assert "the run's seed is 4, and seed_everything was called with 5" in record["problems"]
    assert "seed_everything was called with 5, 6: the first counts" in record["problems"]


def test_a_bad_seed_is_refused_in_one_line(repository, exptrack):
    code = (
        "import exptrack, numpy\n"
        "for seed in (-1, 2**32, '3', True, 1.0, numpy.float64(2), numpy.bool_(True), [1]):\n"
        "    try: exptrack.seed_everything(seed)\n"
        "    except exptrack.ExptrackError as error: print(error)\n"
        "print(exptrack.seed_everything(numpy.int64(3)).seed, exptrack.seed_everything(2**32 - 1).seed)\n"
    )
    *lines, last = exptrack.python("-c", code).stdout.splitlines()
    assert lines[:4] == [
        f"the seed is {seed}: give a whole number from 0 to 4294967295" for seed in ("-1", "4294967296", "'3'", "True")
    ]
    assert len(lines) == 8
    assert last == "3 4294967295"
