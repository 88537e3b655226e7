"""Lightning's Trainer with our logger."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.timeout(600)

# Lightning answers Ctrl-C by leaving the script.
MORE = """
    import exptrack, signal

    class Ends(Line):
        def __init__(self, end):
            super().__init__()
            self.end = end

        def on_validation_epoch_end(self):
            if self.current_epoch == 1:
                self.end()

    def fail():
        raise ValueError

    def train(model, name):
        trainer = Trainer(logger=ExptrackLogger(name), max_epochs=2, log_every_n_steps=1, accelerator="cpu")
        trainer.fit(model, data, data)

    for name, end in (("failing", fail), ("stopped", lambda: signal.raise_signal(signal.SIGINT))):
        try:
            train(Ends(end), name)
        except (ValueError, SystemExit, KeyboardInterrupt) as error:
            print(name, exptrack.active_run())

    exptrack.start_run("mine")
    logger = ExptrackLogger(log_model=True)
    trainer = Trainer(logger=logger, max_epochs=1, log_every_n_steps=1, accelerator="cpu")
    trainer.fit(model, data, data)
    exptrack.log_metric("between", logger.experiment.name == "mine")
    model.on_test_start = lambda: signal.raise_signal(signal.SIGINT)
    trainer.test(model, data)
"""


def test_each_logger_has_a_run_of_its_own_which_ends_as_its_training_and_leaves_a_run_of_the_script_alone(gym, example):
    done = gym.train(example("lightning") + MORE)
    assert done.returncode == 1, done.stderr
    assert {"failing None", "stopped None"} <= {*map(str.strip, done.stdout.splitlines())}
    runs = gym.runs()
    failed, stopped, mine = (runs.pop(name) for name in ("failing", "stopped", "mine"))
    assert (failed["status"], failed["exit_code"]) == ("failed", 1)
    assert (stopped["status"], stopped["signal"]) == ("interrupted", "SIGINT")
    steps = [(step, step // 4) for step in range(8)]
    assert [point[:2] for point in gym.history("failing", "train_loss")] == steps

    assert mine["status"] == "interrupted"
    assert mine["metrics"].keys() == {"train_loss", "val_loss", "between"}
    assert mine["metrics"]["between"] == 1
    assert len(gym.files("mine")) == 1

    [record] = runs.values()  # of the example
    assert f"exptrack: recorded {record['name']} (completed)" in done.stderr
    assert set(record["metrics"]) == {"train_loss", "val_loss", "test_loss"}
    assert record["params"]["logged"] == {"lr": 0.1}
    assert [point[:2] for point in gym.history(record["name"], "train_loss")] == steps
    assert [point[:2] for point in gym.history(record["name"], "val_loss")] == [(3, 0), (7, 1)]
    assert gym.files(record["name"]) == ["checkpoints/epoch=1-step=8.ckpt"]
    assert record["name"] in [path.name for path in (gym.folder / "lightning_logs").iterdir()]


def test_two_processes_under_exptrack_run_are_one_run(gym, example, under_run):
    script = example("lightning").replace("lightning.pytorch", "pytorch_lightning")
    distributed = script.replace('accelerator="cpu"', 'accelerator="cpu", devices=2, strategy="ddp"')
    assert distributed != script
    done = gym.train(distributed, *under_run)
    assert done.returncode == 0, done.stderr
    record = gym.run()
    assert record["status"] == "completed"
    assert len(gym.history(record["name"], "train_loss")) == 4
    assert len(gym.history(record["name"], "test_loss")) == 1
