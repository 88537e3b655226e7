"""Keras 3 with our callback."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.timeout(600)


def test_the_example_makes_one_run_of_fit_and_evaluate(gym, example):
    done = gym.train(example("keras"))
    assert done.returncode == 0, done.stderr
    record = gym.run()
    name = record["name"]
    assert record["status"] == "completed"
    expected = {
        "loss",
        "mae",
        "val_loss",
        "val_mae",
        "test_loss",
        "test_mae",
        "learning_rate",
        "batch/loss",
        "batch/mae",
    }
    assert set(record["metrics"]) == expected
    assert [point[:2] for point in gym.history(name, "val_loss")] == [(0, 0), (1, 1), (2, 2)]
    batches = [point[:2] for point in gym.history(name, "batch/loss")]
    assert batches == [(step, step // 4) for step in range(0, 12, 2)]
    logged = record["params"]["logged"]
    assert (logged["epochs"], logged["steps"], logged["optimizer"]["name"]) == (3, 4, "adam")


def test_models_in_a_loop_have_a_run_each_and_what_ends_the_script_ends_the_last(gym, example):
    script = example("keras")
    start = script.index("model = ")
    script = (
        "import signal\n"
        + script[:start]
        + "for number in (1, 2):\n"
        + "".join(f"    {line}\n" for line in script[start:].replace("log_freq=2", 'f"model-{number}"').splitlines())
        + "stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: signal.raise_signal(signal.SIGINT))\n"
        "model.fit(x, y, callbacks=[ExptrackCallback('third'), stop])\n"
    )
    done = gym.train(script)
    assert done.returncode == 1, done.stderr  # Keras alone does not pass on that it was a signal
    runs = gym.runs()
    assert {name: run["status"] for name, run in runs.items()} == {
        "model-1": "completed", "model-2": "completed", "third": "interrupted",
    }  # fmt: skip
    assert all({"loss"} <= set(run["metrics"]) for run in runs.values())
    assert "batch/loss" not in runs["model-1"]["metrics"]


def test_an_exception_under_exptrack_run_is_a_failed_run(gym, example, under_run):
    script = example("keras").replace("model.evaluate(", "raise ValueError(")
    done = gym.train(script, *under_run)
    assert done.returncode == 1, done.stderr
    record = gym.run()
    assert (record["status"], record["exit_code"], len(gym.history(record["name"], "loss"))) == ("failed", 1, 3)


@pytest.mark.parametrize(
    ("module", "package", "extra"),
    [
        ("lightning", "lightning", "lightning"),
        ("huggingface", "transformers", "huggingface"),
        ("keras", "keras", "keras"),
    ],
)
def test_a_framework_that_is_missing_is_told_with_its_extra(tmp_path, module, package, extra):
    code = (
        "import sys\n"
        "class Nothing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] == {package!r}:\n"
        "            raise ModuleNotFoundError(name, name=name.partition('.')[0])\n"
        "sys.meta_path.insert(0, Nothing())\n"
        f"import exptrack.integrations.{module}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    expected = f"ModuleNotFoundError: {package} is not installed: `pip install 'exptrack[{extra}]'`"
    assert done.stderr.splitlines()[-1] == expected
