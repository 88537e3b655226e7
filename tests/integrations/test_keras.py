"""Keras 3 with our callback."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.timeout(600)


def test_the_example_makes_one_run_of_fit_and_evaluate_and_the_next_callback_another(gym, example):
    script = (
        example("keras") + "import signal\n"
        "stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: signal.raise_signal(signal.SIGINT))\n"
        "model.fit(x, y, callbacks=[ExptrackCallback('next'), stop])\n"
    )
    done = gym.train(script)
    assert done.returncode == 1, done.stderr  # Keras alone does not pass on that it was a signal
    runs = gym.runs()
    following = runs.pop("next")
    assert (following["status"], following["metrics"].keys()) == ("interrupted", {"loss", "mae", "learning_rate"})
    [record] = runs.values()
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


def test_an_exception_under_exptrack_run_is_a_failed_run(gym, example, under_run):
    script = example("keras").replace("model.evaluate(", "raise ValueError(")
    done = gym.train(script, *under_run)
    assert done.returncode == 1, done.stderr
    record = gym.run()
    assert (record["status"], record["exit_code"], len(gym.history(record["name"], "loss"))) == ("failed", 1, 3)


def test_a_framework_that_is_missing_is_told_with_its_extra(tmp_path):
    code = (
        "import importlib, sys\n"
        "class Nothing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in {'lightning', 'transformers', 'keras', 'xgboost'}:\n"
        "            raise ModuleNotFoundError(name, name=name.partition('.')[0])\n"
        "sys.meta_path.insert(0, Nothing())\n"
        "for name in ('lightning', 'huggingface', 'keras', 'xgboost'):\n"
        "    try:\n"
        "        importlib.import_module(f'exptrack.integrations.{name}')\n"
        "    except ModuleNotFoundError as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "lightning is not installed: `pip install 'exptrack[lightning]'`",
        "transformers is not installed: `pip install 'exptrack[huggingface]'`",
        "keras is not installed: `pip install 'exptrack[keras]'`",
        "xgboost is not installed: `pip install 'exptrack[xgboost]'`",
    ]
