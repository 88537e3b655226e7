"""The Trainer of transformers with our callback."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.timeout(600)


def change(script, old, new):
    assert old in script
    return script.replace(old, new)


def test_the_example_makes_one_run_of_training_evaluation_and_prediction(gym, example):
    script = change(example("huggingface"), 'report_to="none"', 'report_to="none", hub_token="hf_abc"')
    done = gym.train(script)
    assert done.returncode == 0, done.stderr
    record = gym.run()
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


@pytest.mark.parametrize(
    ("ending", "status"), [("raise ValueError", "failed"), ("signal.raise_signal(2)", "interrupted")]
)
def test_what_ends_a_training_is_recorded(gym, example, under_run, ending, status):
    script = change(
        example("huggingface"),
        "trainer.train()\n",
        "import signal\n"
        "from transformers import TrainerCallback\n"
        "class Stop(TrainerCallback):\n"
        "    def on_step_end(self, args, state, control, **_):\n"
        "        if state.global_step == 3:\n"
        f"            {ending}\n"
        "trainer.add_callback(Stop())\n"
        "trainer.train()\n",
    )
    done = gym.train(script, *(under_run if status == "failed" else ()))
    assert done.returncode != 0
    record = gym.run()
    assert record["status"] == status
    assert [point[0] for point in gym.history(record["name"], "train/loss")] == [1, 2]


def test_each_trial_of_a_search_is_a_run_and_other_integrations_log_beside(gym, example):
    script = change(example("huggingface"), "ExptrackCallback(log_model=True)", 'ExptrackCallback(tags=["search"])')
    script, _, _ = script.partition("trainer.train()\n")
    script = change(script, 'report_to="none"', 'report_to="tensorboard", save_strategy="no"')
    script = change(
        script, "trainer = Trainer(\n    BertForSequenceClassification(config), ", "trainer = Trainer(\n    None, "
    )
    script = change(script, "callbacks=[", "model_init=lambda: BertForSequenceClassification(config), callbacks=[")
    script += (
        "trainer.hyperparameter_search(lambda trial: {'learning_rate': trial.suggest_float('learning_rate', 0.1, 1)}, "
        "n_trials=2, backend='optuna')\n"
    )
    done = gym.train(script)
    assert done.returncode == 0, done.stderr
    runs = gym.runs().values()
    assert [run["status"] for run in runs] == ["completed", "completed"]
    assert all(run["tags"] == ["search"] and "eval/loss" in run["metrics"] for run in runs)
    assert len({run["params"]["logged"]["learning_rate"] for run in runs}) == 2
