"""Scripts that train with XGBoost, each a process of its own."""

from __future__ import annotations

from textwrap import dedent

TRAIN = dedent("""
    import os
    import numpy as np, xgboost
    import exptrack
    from exptrack.integrations.xgboost import ExptrackCallback
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4)); y = (x[:, 0] + rng.normal(size=200) > 0).astype(int)
    train, valid = xgboost.DMatrix(x[:150], y[:150]), xgboost.DMatrix(x[150:], y[150:])
    if "ESTIMATOR" in os.environ:
        callback = ExptrackCallback(log_params=False)
        model = xgboost.XGBClassifier(n_estimators=4, max_depth=2, callbacks=[callback], eval_metric="logloss")
        model.fit(x[:150], y[:150], eval_set=[(x[150:], y[150:])], verbose=False)
    else:
        given = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.3, "eval_metric": ["auc", "logloss"]}
        stop = xgboost.callback.EarlyStopping(rounds=2)
        model = xgboost.train(given, train, 100, evals=[(train, "train"), (valid, "valid")], verbose_eval=False,
                              callbacks=[ExptrackCallback(), stop])
        print("best", model.best_iteration, model.best_score)
        xgboost.cv(given, train, 3, callbacks=[ExptrackCallback(log_params=False)])
""")


def test_training_logs_evaluations_parameters_and_the_best_iteration(gym):
    done = gym.train(TRAIN)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    record = gym.run()
    _, iteration, score = done.stdout.split()
    metrics = record["metrics"]
    assert (metrics["best_iteration"], metrics["best_score"]) == (float(iteration), float(score))
    steps = [step for step, *_ in gym.history(record["name"], "valid/logloss")]
    assert steps == list(range(int(iteration) + 3))
    assert metrics["train/auc"] > metrics["valid/auc"]
    assert len(gym.history(record["name"], "test/auc_std")) == 3
    params = record["params"]["logged"]["xgboost"]
    assert {key: params[key] for key in ("max_depth", "eta", "objective", "booster", "lambda")} == {
        "max_depth": 3, "eta": 0.3, "objective": "binary:logistic", "booster": "gbtree", "lambda": 1
    }  # fmt: skip
    assert "base_score" not in params  # of the data


def test_an_estimator_under_run_logs_to_the_run(gym, under_run):
    done = gym.train(TRAIN, *under_run, ESTIMATOR="1")
    assert done.returncode == 0, done.stderr
    record = gym.run()
    assert len(gym.history(record["name"], "validation_0/logloss")) == 4
    assert "logged" not in record["params"]


def test_the_example_of_the_page_is_recorded(gym, example):
    done = gym.train(example("xgboost"))
    assert done.returncode == 0, done.stderr
    metrics = [record["metrics"].keys() for record in gym.runs().values()]
    assert metrics == [{"train/rmse", "valid/rmse"}]
