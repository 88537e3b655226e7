"""Scripts that train estimators of scikit-learn after `exptrack.autolog()`, each a process of its own."""

from __future__ import annotations

from textwrap import dedent

TRAIN = dedent("""
    import exptrack
    exptrack.autolog()
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y = make_classification(200, random_state=0)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    scaled = StandardScaler().fit_transform(X)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(X_train, y_train)
    print(model.score(X_train, y_train), model.score(X_test, y=y_test))
""")


def test_two_lines_log_parameters_and_scores_once(gym):
    done = gym.train(TRAIN)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    record = gym.run()
    train, test = map(float, done.stdout.split())
    assert record["metrics"] == {"training_score": train, "score_X_train": train, "score_X_test": test}
    logged = record["params"]["logged"]
    assert logged.keys() == {"Pipeline"}  # neither its steps, nor a scaler that is fitted by itself
    steps = logged["Pipeline"]["steps"]
    assert steps["logisticregression"]["C"] == 0.5
    assert steps["standardscaler"]["class"].endswith("StandardScaler")


def test_a_search_logs_its_best_and_a_table_of_all_candidates(gym, under_run):
    script = TRAIN + dedent("""
        import joblib
        from sklearn.model_selection import GridSearchCV, cross_val_score
        grid = {"C": [0.1, 1.0], "solver": ["lbfgs"]}
        with joblib.parallel_config(backend="threading"):
            search = GridSearchCV(LogisticRegression(), grid, cv=2, n_jobs=2).fit(X_train, y_train)
        cross_val_score(LogisticRegression(), X, y, cv=3)
        print(search.best_score_, search.best_params_["C"])
    """)
    done = gym.train(script, *under_run)
    assert done.returncode == 0, done.stderr
    record = gym.run()
    *_, score, best = map(float, done.stdout.split())
    assert (record["metrics"]["best_cv_score"], record["metrics"]["best_C"]) == (score, best)
    assert record["params"]["logged"].keys() == {"Pipeline", "GridSearchCV", "LogisticRegression"}
    assert gym.files(record["name"]) == ["GridSearchCV/best_params.txt", "GridSearchCV/cv_results.csv"]
    assert len(gym.history(record["name"], "training_score")) == 5  # the pipeline, the search, three folds
    assert len(gym.history(record["name"], "score")) == 3


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
            print(type(vars(DummyClassifier)["fit"]).__name__, type(vars(Later)["fit"]).__name__)
        """)
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["['autolog: no parameters']", "mine", "function function"]
    record = gym.run()
    logged = record["params"]["logged"]
    assert [logged[name]["strategy"] for name in ("DummyClassifier", "DummyClassifier_2")] == ["prior", "uniform"]
    assert logged.keys() == {"DummyClassifier", "DummyClassifier_2"}
    assert gym.files(record["name"])


def test_without_a_repository_training_goes_on_with_a_warning(gym, tmp_path_factory):
    gym.folder = tmp_path_factory.mktemp("bare")
    done = gym.train(TRAIN)
    assert done.returncode == 0
    assert "ExptrackWarning: autolog: " in done.stderr


def test_the_example_of_the_page_is_recorded(gym, example):
    done = gym.train(example("sklearn"))
    assert done.returncode == 0, done.stderr
    metrics = [record["metrics"].keys() for record in gym.runs().values()]
    assert metrics == [{"training_score", "best_cv_score", "best_C", "score_X_test"}]
