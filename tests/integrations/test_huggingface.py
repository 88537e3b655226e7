"""The Trainer of transformers with our callback."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.timeout(600)


def change(script, old, new):
    assert old in script
    return script.replace(old, new)


SEARCH = """
arguments.save_strategy = "no"
trainer = Trainer(
    None, arguments, train_dataset=data, eval_dataset=data, callbacks=[ExptrackCallback(tags=["search"])],
    model_init=lambda: BertForSequenceClassification(config),
)
trainer.hyperparameter_search(
    lambda trial: {"learning_rate": trial.suggest_float("learning_rate", 0.1, 1)}, n_trials=2, backend="optuna"
)
"""


def test_the_example_is_one_run_of_training_evaluation_and_prediction_and_each_trial_of_a_search_is_one(gym, example):
    script = change(example("huggingface"), 'report_to="none"', 'report_to="none", hub_token="hf_abc"')
    done = gym.train(script + SEARCH)
    assert done.returncode == 0, done.stderr
    runs = gym.runs()
    trials = [runs.pop(name) for name in list(runs) if runs[name].get("tags") == ["search"]]
    assert [trial["status"] for trial in trials] == ["completed", "completed"]
    assert all("eval/loss" in trial["metrics"] for trial in trials)
    assert len({trial["params"]["logged"]["learning_rate"] for trial in trials}) == 2
    [record] = runs.values()
    name = record["name"]
    assert f"exptrack: recorded {name} (completed)" in done.stderr
    assert set(record["metrics"]) == {
        *("train/loss", "train/learning_rate", "train/grad_norm", "train/train_loss", "train/total_flos"),
        *("eval/loss", "test/loss"),
    }
    assert len(gym.history(name, "system/eval/samples_per_second")) == 3
    assert [point[:2] for point in gym.history(name, "train/loss")] == [(1, 0.5), (2, 1), (3, 1.5), (4, 2)]
    assert [point[0] for point in gym.history(name, "eval/loss")] == [2, 4, 4]
    logged = record["params"]["logged"]
    assert (logged["learning_rate"], logged["max_steps"], logged["model"]["num_hidden_layers"]) == (0.001, 4, 2)
    assert {"output_dir", "hub_token", "disable_tqdm", "report_to"}.isdisjoint(logged)
    assert gym.files(name) == ["model/config.json", "model/model.safetensors"]


def test_an_exception_under_exptrack_run_is_a_failed_run(gym, example, under_run):
    script = change(
        example("huggingface"),
        "trainer.train()\n",
        "from transformers import TrainerCallback\n"
        "class Stop(TrainerCallback):\n"
        "    def on_step_end(self, args, state, control, **_):\n"
        "        if state.global_step == 3:\n"
        "            raise ValueError\n"
        "trainer.add_callback(Stop())\n"
        "trainer.train()\n",
    )
    done = gym.train(script, *under_run)
    assert done.returncode == 1
    record = gym.run()
    assert record["status"] == "failed"
    assert [point[0] for point in gym.history(record["name"], "train/loss")] == [1, 2]
