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
    callbacks = [ExptrackCallback("error")]
    study.optimize(objective, n_trials=4, n_jobs=int(os.environ["JOBS"]), callbacks=callbacks, catch=(ValueError,))
    print(study.best_value, study.best_trial.number)
""")


def test_each_trial_is_a_run_inside_of_the_study_s_also_in_threads(gym):
    done = gym.train(STUDY, JOBS="2")
    assert done.returncode == 0, done.stderr
    assert "cannot be told apart" not in done.stderr  # trials of one study are no strangers
    value, number = done.stdout.split()
    records = gym.runs()
    [parent] = [record for record in records.values() if "links" not in record]
    trials = {record["tags"][0]: record for record in records.values() if record is not parent}
    assert {name: record["status"] for name, record in trials.items()} == {
        "trial=0": "completed", "trial=1": "completed", "trial=2": "failed", "trial=3": "completed"
    }  # fmt: skip
    assert trials["trial=1"]["tags"] == ["trial=1", "pruned"]
    for tag, trial in trials.items():
        at = tag.removeprefix("trial=")
        assert trial["links"] == {"parent": parent["name"]}
        assert {"x", "kind"} <= trial["params"]["logged"].keys()
        losses = [(step, None, int(at) * 10 + step) for step in range(3)]
        assert gym.history(trial["name"], "loss") == losses
    assert trials["trial=3"]["metrics"]["value"] == trials["trial=3"]["params"]["logged"]["x"] ** 2
    assert (parent["metrics"]["best_error"], parent["metrics"]["best_trial"]) == (float(value), int(number))
    assert {step for step, *_ in gym.history(parent["name"], "error")} == {0, 3}
    assert {step for step, *_ in gym.history(parent["name"], "params/x")} == {0, 1, 2, 3}
    told = parent["params"]["logged"]["optuna"]
    assert (told["study"], told["directions"], told["sampler"]) == ("mine", ["minimize"], "TPESampler")


def test_several_objectives_have_a_metric_each_and_no_best(gym, under_run):
    done = gym.train(
        dedent("""
        import optuna
        from exptrack.integrations.optuna import ExptrackCallback
        study = optuna.create_study(directions=["minimize", "maximize"])
        both = lambda trial: (trial.suggest_int("n", 1, 3), 2)
        study.optimize(both, n_trials=2, callbacks=[ExptrackCallback()])
        """),
        *under_run,
    )
    assert done.returncode == 0, done.stderr
    metrics = gym.run()["metrics"]
    assert metrics.keys() == {"value_0", "value_1", "params/n"}
    assert metrics["value_0"] == metrics["params/n"]


def test_the_example_of_the_page_is_recorded(gym, example):
    done = gym.train(example("optuna"))
    assert done.returncode == 0, done.stderr
    metrics = [record["metrics"].keys() for record in gym.runs().values()]
    assert sorted(map(sorted, metrics)) == [["best_error", "best_trial", "error", "params/x"], *[["loss", "value"]] * 3]
