"""Scripts that train with LightGBM, each a process of its own."""

from __future__ import annotations

from textwrap import dedent

TRAIN = dedent("""
    import os
    import numpy as np, lightgbm
    import exptrack
    from exptrack.integrations.lightgbm import ExptrackCallback
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4)); y = (x[:, 0] + rng.normal(size=200) > 0).astype(int)
    train = lightgbm.Dataset(x[:150], y[:150])
    valid = lightgbm.Dataset(x[150:], y[150:], reference=train)
    if "ESTIMATOR" in os.environ:
        callback = ExptrackCallback(log_params=False)
        lightgbm.LGBMClassifier(n_estimators=4, verbose=-1).fit(x, y, eval_X=x, eval_y=y, callbacks=[callback])
    else:
        given = {"objective": "binary", "num_leaves": 4, "verbose": -1}
        stop = lightgbm.early_stopping(2, verbose=False)
        model = lightgbm.train(given, train, 100, valid_sets=[train, valid], callbacks=[stop, ExptrackCallback()])
        print("best", model.best_iteration, model.best_score["valid_1"]["binary_logloss"])
        lightgbm.cv(given, train, 3, callbacks=[ExptrackCallback(log_params=False)])
""")


def test_training_logs_evaluations_parameters_and_the_best_iteration(gym):
    done = gym.train(TRAIN)
    assert done.returncode == 0, done.stderr
    record = gym.run()
    _, iteration, score = done.stdout.split()
    name, best = record["name"], int(iteration) - 1  # LightGBM counts them from 1
    assert (best, None, float(score)) in gym.history(name, "best_score")
    assert (best, None, best) in gym.history(name, "best_iteration")
    assert [step for step, *_ in gym.history(name, "valid_1/binary_logloss")] == list(range(best + 3))
    assert record["metrics"]["training/binary_logloss"] < record["metrics"]["valid_1/binary_logloss"]
    assert len(gym.history(name, "valid/binary_logloss_std")) == 3
    assert record["params"]["logged"]["lightgbm"] == {
        "num_iterations": 100, "objective": "binary", "num_leaves": 4, "verbose": -1
    }  # fmt: skip


def test_an_estimator_under_run_logs_to_the_run(gym, under_run):
    done = gym.train(TRAIN, *under_run, ESTIMATOR="1")
    assert done.returncode == 0, done.stderr
    record = gym.run()
    assert len(gym.history(record["name"], "valid_0/binary_logloss")) == 4
    assert "logged" not in record["params"]


def test_the_example_of_the_page_is_recorded(gym, example):
    done = gym.train(example("lightgbm"))
    assert done.returncode == 0, done.stderr
    metrics = [record["metrics"].keys() for record in gym.runs().values()]
    assert metrics == [{"valid_0/l2", "best_iteration", "best_score"}]
