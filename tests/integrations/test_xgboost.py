"""Scripts that train with XGBoost, each a process of its own."""

from __future__ import annotations

from textwrap import dedent

TRAIN = dedent("""
    import numpy as np, xgboost
    from sklearn.base import clone
    from exptrack.integrations.xgboost import ExptrackCallback
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4)); y = (x[:, 0] + rng.normal(size=200) > 0).astype(int)
    train, valid = xgboost.DMatrix(x[:150], y[:150]), xgboost.DMatrix(x[150:], y[150:])
    given = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.3, "eval_metric": ["auc", "logloss"]}
    stop, track = xgboost.callback.EarlyStopping(rounds=2), ExptrackCallback("first")
    model = xgboost.train(given, train, 100, evals=[(train, "train"), (valid, "valid")], verbose_eval=False,
                          callbacks=[track, stop])
    print("best", model.best_iteration, model.best_score)
    xgboost.cv(given, train, 3, callbacks=[track])
    model = xgboost.XGBClassifier(n_estimators=4, max_depth=2, random_state=7, callbacks=[ExptrackCallback("second")],
                                  eval_metric="logloss")
    for one in (model, clone(model)):  # which copies the callback
        one.fit(x[:150], y[:150], eval_set=[(x[150:], y[150:])], verbose=False)
""")


def test_training_logs_evaluations_parameters_and_the_best_iteration_and_the_next_callback_has_a_run_of_its_own(gym):
    done = gym.train(TRAIN)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    runs = gym.runs()
    _, iteration, score = done.stdout.split()
    metrics = runs["first"]["metrics"]
    assert (metrics["best_iteration"], metrics["best_score"]) == (float(iteration), float(score))
    steps = [step for step, *_ in gym.history("first", "valid/logloss")]
    assert steps == list(range(int(iteration) + 3))
    assert metrics["train/auc"] > metrics["valid/auc"]
    assert len(gym.history("first", "test/auc_std")) == 3
    params = runs["first"]["params"]["logged"]["xgboost"]
    assert {key: params[key] for key in ("max_depth", "eta", "objective", "booster", "lambda")} == {
        "max_depth": 3, "eta": 0.3, "objective": "binary:logistic", "booster": "gbtree", "lambda": 1
    }  # fmt: skip
    assert {"base_score", "seed"}.isdisjoint(params)  # of the data; of nobody
    assert runs.keys() == {"first", "second"}
    assert runs["second"]["params"]["logged"]["xgboost"]["seed"] == 7
    assert len(gym.history("second", "validation_0/logloss")) == 2 * 4


def test_the_example_of_the_page_logs_to_the_run_that_is_under_way(gym, example, under_run):
    done = gym.train(example("xgboost"), *under_run)
    assert done.returncode == 0, done.stderr
    assert gym.run()["metrics"].keys() == {"train/rmse", "valid/rmse"}
