"""Lightning's Trainer with our logger."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.timeout(600)


def change(script, old, new):
    assert old in script
    return script.replace(old, new)


def test_the_example_makes_one_run_of_training_and_test(gym, example):
    done = gym.train(example("lightning"))
    assert done.returncode == 0, done.stderr
    record = gym.run()
    assert f"exptrack: recorded {record['name']} (completed)" in done.stderr
    assert set(record["metrics"]) == {"train_loss", "val_loss", "test_loss"}
    assert record["params"]["logged"] == {"lr": 0.1}
    steps = [point[:2] for point in gym.history(record["name"], "train_loss")]
    assert steps == [(step, step // 4) for step in range(8)]
    assert [point[:2] for point in gym.history(record["name"], "val_loss")] == [(3, 0), (7, 1)]
    assert gym.files(record["name"]) == ["checkpoints/epoch=1-step=8.ckpt"]
    assert [path.name for path in (gym.folder / "lightning_logs").iterdir()] == [record["name"]]


def test_what_fails_and_what_is_interrupted_is_recorded_so(gym, example):
    script = example("lightning").replace("lightning.pytorch", "pytorch_lightning")
    script = change(
        script, '        self.log("val_loss"', '        fail(self.current_epoch)\n        self.log("val_loss"'
    )
    body, main = script.split('if __name__ == "__main__":\n')
    again = main.replace("ExptrackLogger(", 'ExptrackLogger("again", ')
    script = (
        "import signal\n"
        "def fail(epoch):\n"
        "    if epoch == 1:\n"
        "        raise ValueError\n"
        f"{body}\n"
        'if __name__ == "__main__":\n'
        "    try:\n" + "".join(f"    {line}\n" for line in main.splitlines()) + "    except ValueError:\n"
        "        def fail(epoch):\n"
        "            signal.raise_signal(signal.SIGINT)\n" + again
    )
    done = gym.train(script)
    assert done.returncode == 1, done.stderr
    runs = gym.runs()
    interrupted = runs.pop("again")
    [failed] = runs.values()
    assert (failed["status"], failed["exit_code"]) == ("failed", 1)
    assert (interrupted["status"], interrupted["signal"]) == ("interrupted", "SIGINT")
    assert [point[:2] for point in gym.history(failed["name"], "train_loss")] == [
        (step, step // 4) for step in range(8)
    ]


def test_two_processes_under_exptrack_run_are_one_run(gym, example, under_run):
    script = change(example("lightning"), 'accelerator="cpu"', 'accelerator="cpu", devices=2, strategy="ddp"')
    done = gym.train(script, *under_run)
    assert done.returncode == 0, done.stderr
    record = gym.run()
    assert record["status"] == "completed"
    assert len(gym.history(record["name"], "train_loss")) == 4
    assert len(gym.history(record["name"], "test_loss")) == 1


def test_a_run_that_the_script_started_is_left_to_it(gym, example):
    script = change(example("lightning"), "log_model=True", 'log_model="all", prefix="line"')
    body, main = script.split('if __name__ == "__main__":\n')
    between = "    exptrack.log_metric('between', trainer.logger.experiment.name == 'mine')\n"
    main = change(main, "    trainer.test(", f"{between}    trainer.test(")
    script = (
        f"import signal\nimport exptrack\n{body}\nif __name__ == '__main__':\n    exptrack.start_run('mine')\n{main}"
    )
    script = change(
        script,
        "def test_step(self, batch, index):",
        "def test_step(self, batch, index):\n        signal.raise_signal(signal.SIGINT)",
    )
    done = gym.train(script)
    assert done.returncode == 1, done.stderr
    record = gym.run()
    assert (record["name"], record["status"]) == ("mine", "interrupted")
    assert set(record["metrics"]) == {"line/train_loss", "line/val_loss", "between"}
    assert record["metrics"]["between"] == 1
    assert len(gym.files("mine")) == 2
