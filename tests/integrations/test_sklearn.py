"""Scripts that train estimators of scikit-learn after `exptrack.autolog()`, each a process of its own."""

from __future__ import annotations

from textwrap import dedent

TRAIN = dedent("""
    import exptrack
    exptrack.autolog()
    import joblib
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y = make_classification(200, random_state=0)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    scaled = StandardScaler().fit_transform(X)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(X_train, y_train)
    print(model.score(X_train, y_train), model.score(X_test, y=y_test))
    with joblib.parallel_config(backend="threading"):
        search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2, n_jobs=2).fit(X_train, y_train)
    cross_val_score(LogisticRegression(), X, y, cv=3)
    print(search.best_score_, search.best_params_["C"])
""")


def test_parameters_and_scores_of_outermost_fits_are_logged_once_and_of_a_search_its_candidates(gym, under_run):
    done = gym.train(TRAIN, *under_run)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    record = gym.run()
    train, test, score, best = map(float, done.stdout.split())
    metrics = record["metrics"]
    assert (metrics["score_X_train"], metrics["score_X_test"]) == (train, test)
    assert (metrics["best_cv_score"], metrics["best_C"]) == (score, best)
    scores = [value for *_, value in gym.history(record["name"], "training_score")]
    assert (len(scores), scores[0]) == (5, train)  # the pipeline, the search, three folds
    assert len(gym.history(record["name"], "score")) == 3
    logged = record["params"]["logged"]
    assert logged.keys() == {"Pipeline", "GridSearchCV", "LogisticRegression"}  # no steps, no scaler by itself
    steps = logged["Pipeline"]["steps"]
    assert steps["logisticregression"]["C"] == 0.5
    assert steps["standardscaler"]["class"].endswith("StandardScaler")
    assert gym.files(record["name"]) == ["GridSearchCV/cv_results.csv"]


def test_own_estimators_that_fail_to_be_described_are_trained_all_the_same_and_disable_ends_it(gym):
    done = gym.train(
        dedent("""
        import exptrack
        exptrack.autolog(log_model=True)
        exptrack.autolog()
        exptrack.autolog(log_model=True)
        import pickle, threading, warnings
        from sklearn.base import BaseEstimator
        from sklearn.dummy import DummyClassifier
        from sklearn.utils.validation import has_fit_parameter

        class Broken(BaseEstimator):
            def fit(self, X, y=None):
                return self
            def get_params(self, deep=True):
                raise RuntimeError("no parameters")
            def score(self, X, y=None):
                raise ValueError("mine")

        with exptrack.start_run() as run:
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                assert isinstance(Broken().fit([[1]]), Broken)
            print([str(one.message) for one in told])
            try:
                Broken().score([[1]])
            except ValueError as error:
                print(error)
            one = DummyClassifier()
            work = threading.Thread(target=lambda: one.fit([[1], [2]], [0, 1]))
            work.start()
            work.join()
            other = DummyClassifier(strategy="uniform", random_state=0).fit([[1], [2]], [0, 1])
            assert has_fit_parameter(other, "sample_weight")
            pickle.loads(pickle.dumps(other)).predict([[1]])
            exptrack.autolog(disable=True)
            Later = type("Later", (DummyClassifier,), {"fit": lambda self, X, y: self})
            DummyClassifier(strategy="constant", constant=1).fit([[1], [2]], [0, 1])
            Later().fit([[1]], [0])
        """)
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["['autolog: no parameters', 'autolog: mine']", "mine"]
    record = gym.run()
    logged = record["params"]["logged"]
    assert [logged[name]["strategy"] for name in ("DummyClassifier", "DummyClassifier_2")] == ["prior", "uniform"]
    assert logged.keys() == {"DummyClassifier", "DummyClassifier_2"}
    assert gym.files(record["name"])


def test_without_a_repository_training_goes_on_with_a_warning_and_disabled_without(gym, tmp_path_factory):
    gym.folder = tmp_path_factory.mktemp("bare")
    script = dedent("""
        import os, exptrack
        exptrack.autolog(log_model=True)
        from sklearn.dummy import DummyClassifier
        DummyClassifier().fit([[1], [2]], [0, 1])
        print("enabled", flush=True)
        os.environ["EXPTRACK_DISABLED"] = "1"
        DummyClassifier.predict = None  # nothing is scored that is not logged
        print(DummyClassifier().fit([[1], [2]], [0, 1]).classes_)
    """)
    done = gym.train(script)
    assert (done.returncode, done.stdout) == (0, "enabled\n[0 1]\n")
    assert done.stderr.count("ExptrackWarning: autolog: ") == 1


def test_the_example_of_the_page_is_recorded(gym, example):
    done = gym.train(example("sklearn"))
    assert done.returncode == 0, done.stderr
    assert gym.run()["metrics"].keys() == {"training_score", "best_cv_score", "best_C", "score_X_test"}
