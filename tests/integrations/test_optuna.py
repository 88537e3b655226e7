"""Studies of Optuna, each a process of its own."""

from __future__ import annotations

from textwrap import dedent

STUDY = dedent("""
    import os
    import optuna
    import exptrack
    from exptrack.integrations.optuna import ExptrackCallback, track

    @track
    def objective(trial):
        x = trial.suggest_float("x", -1, 1)
        trial.suggest_categorical("kind", ["a", "b"])
        for step in range(3):
            exptrack.log_metric("loss", trial.number * 10 + step, step)
        if trial.number == 1:
            raise optuna.TrialPruned
        if trial.number == 2:
            raise ValueError("bad")
        return x * x

    study = optuna.create_study(study_name="mine")
    callbacks = [ExptrackCallback("study")]
    study.optimize(objective, n_trials=4, n_jobs=2, callbacks=callbacks, catch=(ValueError,))
    print(study.best_value, study.best_trial.number)

    study = optuna.create_study(directions=["minimize", "maximize"])
    both = lambda trial: (trial.suggest_int("n", 1, 3), 2)
    study.optimize(both, n_trials=2, callbacks=[ExptrackCallback("both")])

    exptrack.end_run()
    os.environ["RANK"] = "1"  # of a launcher: the first process is the one that records
    optuna.create_study().optimize(objective, n_trials=1, callbacks=[ExptrackCallback("silent")])
""")


def test_each_trial_is_a_run_inside_of_the_study_s_also_in_threads(gym):
    done = gym.train(STUDY)
    assert done.returncode == 0, done.stderr
    assert "cannot be told apart" not in done.stderr  # trials of one study are no strangers
    value, number = done.stdout.split()
    records = gym.runs()
    parent, both = records.pop("study"), records.pop("both")
    trials = {record["tags"][0]: record for record in records.values()}
    assert {name: record["status"] for name, record in trials.items()} == {
        "trial=0": "completed", "trial=1": "completed", "trial=2": "failed", "trial=3": "completed"
    }  # fmt: skip
    assert trials["trial=1"]["tags"] == ["trial=1", "pruned"]
    for tag, trial in trials.items():
        at = tag.removeprefix("trial=")
        assert trial["links"] == {"parent": "study"}
        assert {"x", "kind"} <= trial["params"]["logged"].keys()
        losses = [(step, None, int(at) * 10 + step) for step in range(3)]
        assert gym.history(trial["name"], "loss") == losses
    assert trials["trial=3"]["metrics"]["value"] == trials["trial=3"]["params"]["logged"]["x"] ** 2
    assert (parent["metrics"]["best_value"], parent["metrics"]["best_trial"]) == (float(value), int(number))
    assert {step for step, *_ in gym.history("study", "value")} == {0, 3}
    assert {step for step, *_ in gym.history("study", "params/x")} == {0, 1, 2, 3}
    told = parent["params"]["logged"]["optuna"]
    assert (told["study"], told["directions"], told["sampler"]) == ("mine", ["minimize"], "TPESampler")
    # Several objectives have a metric each, and no best.
    assert both["metrics"].keys() == {"value_0", "value_1", "params/n"}
    assert both["metrics"]["value_0"] == both["metrics"]["params/n"]


def test_the_trials_of_the_page_s_example_belong_to_the_run_that_is_under_way(gym, example, under_run):
    done = gym.train(example("optuna"), *under_run)
    assert done.returncode == 0, done.stderr
    metrics = [record["metrics"].keys() for record in gym.runs().values()]
    assert sorted(map(sorted, metrics)) == [["best_trial", "best_value", "params/x", "value"], *[["loss", "value"]] * 3]
