"""Lightning's Trainer with our logger."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.timeout(600)


def change(script, old, new):
    assert old in script
    return script.replace(old, new)


OWN = """
    import exptrack, signal
    exptrack.end_run()
    exptrack.start_run("mine")
    Line.on_test_start = lambda self: signal.raise_signal(signal.SIGINT)
    logger = ExptrackLogger(log_model="all")
    trainer = Trainer(logger=logger, max_epochs=2, log_every_n_steps=1, accelerator="cpu")
    trainer.fit(model, data, data)
    exptrack.log_metric("between", logger.experiment.name == "mine")
    trainer.test(model, data)
"""


def test_the_example_is_one_run_of_training_and_test_and_a_run_that_the_script_started_is_left_to_it(gym, example):
    done = gym.train(example("lightning") + OWN)
    assert done.returncode == 1, done.stderr
    runs = gym.runs()
    mine = runs.pop("mine")
    assert mine["status"] == "interrupted"
    assert mine["metrics"].keys() == {"train_loss", "val_loss", "between"}
    assert mine["metrics"]["between"] == 1
    assert len(gym.files("mine")) == 2
    [record] = runs.values()
    assert f"exptrack: recorded {record['name']} (completed)" in done.stderr
    assert set(record["metrics"]) == {"train_loss", "val_loss", "test_loss"}
    assert record["params"]["logged"] == {"lr": 0.1}
    steps = [point[:2] for point in gym.history(record["name"], "train_loss")]
    assert steps == [(step, step // 4) for step in range(8)]
    assert [point[:2] for point in gym.history(record["name"], "val_loss")] == [(3, 0), (7, 1)]
    assert gym.files(record["name"]) == ["checkpoints/epoch=1-step=8.ckpt"]
    assert [path.name for path in (gym.folder / "lightning_logs").iterdir()].count(record["name"]) == 1


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
