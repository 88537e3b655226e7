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
    given = {"objective": "binary", "num_leaves": 4, "verbose": -1, "num_threads": 1}
    stop = lightgbm.early_stopping(2, verbose=False)
    model = lightgbm.train(given, train, 100, valid_sets=[train, valid], callbacks=[stop, ExptrackCallback("first")])
    print("best", model.best_iteration, model.best_score["valid_1"]["binary_logloss"])
    track = ExptrackCallback("second")
    lightgbm.cv(given, train, 3, callbacks=[track])
    lightgbm.LGBMClassifier(n_estimators=4, verbose=-1).fit(x, y, eval_X=x, eval_y=y, callbacks=[track])
    exptrack.end_run()
    os.environ["EXPTRACK_DISABLED"] = "1"
    lightgbm.train(given, train, 2, valid_sets=[valid], callbacks=[ExptrackCallback("disabled")])
""")


def test_training_logs_evaluations_parameters_and_the_best_iteration_and_the_next_callback_has_a_run_of_its_own(gym):
    done = gym.train(TRAIN)
    assert done.returncode == 0, done.stderr
    runs = gym.runs()
    _, iteration, score = done.stdout.split()
    best = int(iteration) - 1  # LightGBM counts them from 1
    assert (best, None, float(score)) in gym.history("first", "best_score")
    assert (best, None, best) in gym.history("first", "best_iteration")
    assert [step for step, *_ in gym.history("first", "valid_1/binary_logloss")] == list(range(best + 3))
    metrics = runs["first"]["metrics"]
    assert metrics["training/binary_logloss"] < metrics["valid_1/binary_logloss"]
    assert runs["first"]["params"]["logged"]["lightgbm"] == {
        "num_iterations": 100, "objective": "binary", "num_leaves": 4, "verbose": -1, "num_threads": 1
    }  # fmt: skip
    assert runs.keys() == {"first", "second"}
    assert len(gym.history("second", "valid/binary_logloss_std")) == 3
    assert len(gym.history("second", "valid_0/binary_logloss")) == 4


def test_the_example_of_the_page_logs_to_the_run_that_is_under_way(gym, example, under_run):
    done = gym.train(example("lightgbm"), *under_run)
    assert done.returncode == 0, done.stderr
    assert gym.run()["metrics"].keys() == {"valid_0/l2", "best_iteration", "best_score"}
