"""scikit-learn: `exptrack.autolog()` has what estimators do logged: parameters, scores, what a search found."""

from __future__ import annotations

import sys
import tempfile
import threading
import warnings
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from exptrack.errors import ExptrackWarning
from exptrack.integrations import sklearnhooks
from exptrack.model.tree import Value
from exptrack.tracking.active import active_run, start_run
from exptrack.tracking.run import ActiveRun
from exptrack.tracking.values import as_value

_is_inside: ContextVar[bool] = ContextVar("exptrack_autolog", default=False)
_OURS = {__file__, sklearnhooks.__file__}
_lock = threading.Lock()
_under_way = [0]  # outermost calls, in all threads


class _Options(NamedTuple):
    training_score: bool
    log_model: bool


def autolog(*, disable: bool = False, training_score: bool = True, log_model: bool = False) -> None:
    """Log each `fit` and `score` of an estimator from now on, to the active run, or one that is started then; `disable` ends that.

    Of `fit`, outermost calls alone: the parameters below the estimator's name, the score on the data it was fitted to, of a search the
    best score and a table of all candidates, and the fitted estimator itself, by joblib, if `log_model` is set.
    """
    if disable:
        sklearnhooks.remove()
        return
    options = _Options(training_score, log_model)

    def watch(
        estimator: Any, name: str, method: Callable[..., Any], args: tuple[Any, ...], given: dict[str, Any]
    ) -> Any:
        if _is_inside.get() or (_under_way[0] and _is_worker()) or not _attempt(lambda: _is_trained(estimator)):
            return method(*args, **given)
        token = _is_inside.set(True)
        with _lock:
            _under_way[0] += 1
        try:
            if name == "score":
                score = method(*args, **given)
                _attempt(lambda: _log_score(score, args[0] if args else given.get("X")))
                return score
            run = _attempt(lambda: _log_params(estimator))
            found = method(*args, **given)
            if run is not None:
                _attempt(lambda: _log_fitted(run, estimator, args, given, options))
            return found
        finally:
            with _lock:
                _under_way[0] -= 1
            _is_inside.reset(token)

    sklearnhooks.install(watch)


def _is_trained(estimator: Any) -> bool:
    """Not what prepares data alone, as scalers do, unless in a pipeline."""
    return any(hasattr(estimator, name) for name in ("predict", "fit_predict", "score"))


def _is_worker() -> bool:
    """Whether joblib has this thread do a share of something, a search perhaps."""
    from joblib.parallel import get_active_backend

    return bool(getattr(get_active_backend()[0], "nesting_level", 0))


def _attempt(act: Callable[[], Any]) -> Any:
    """Do it; what goes wrong is a warning: training never fails by what is logged of it."""
    try:
        return act()
    except Exception as error:  # noqa: BLE001 - estimators and their parameters are anybody's code
        warnings.warn(f"autolog: {str(error) or type(error).__name__}", ExptrackWarning, stacklevel=4)
        return None


def _log_params(estimator: Any) -> ActiveRun:
    run, name = active_run() or start_run(), type(estimator).__name__
    told = run.__dict__.setdefault("_estimators", {})
    params = describe(estimator)
    with _lock:
        same = [label for label, others in told.items() if label.partition("_")[0] == name and others == params]
        count = sum(label.partition("_")[0] == name for label in told)
        label = same[0] if same else name if not count else f"{name}_{count + 1}"
        told[label] = params
    if not same:
        run.log_params({label: params})
    return run


def describe(estimator: Any) -> dict[str, Value]:
    """The class and the parameters, those of inner estimators nested."""
    tree: dict[str, Value] = {"class": f"{type(estimator).__module__}.{type(estimator).__qualname__}"}
    for name, value in estimator.get_params(deep=False).items():
        tree[name] = _describe_value(value)
    return tree


def _describe_value(value: Any) -> Value:
    if hasattr(value, "get_params") and not isinstance(value, type):
        return describe(value)
    is_steps = isinstance(value, list) and value and all(isinstance(one, tuple) and len(one) > 1 for one in value)
    return {str(one[0]): _describe_value(one[1]) for one in value} if is_steps else as_value(value)


def _log_fitted(
    run: ActiveRun, estimator: Any, args: tuple[Any, ...], given: dict[str, Any], options: _Options
) -> None:
    data = dict(zip(("X", "y"), args, strict=False)) | {key: given[key] for key in ("X", "y") if key in given}
    if hasattr(estimator, "cv_results_"):
        _attempt(lambda: _log_search(run, estimator))
    if options.training_score and hasattr(estimator, "score"):
        score = estimator.score(*data.values())
        if score is not None:
            run.log_metric("training_score", score)
    if options.log_model:
        from joblib import dump

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{type(estimator).__name__}.joblib"
            dump(estimator, path)
            run.log_artifact(path)


def _log_search(run: ActiveRun, search: Any) -> None:
    """What is found is a result: as a parameter it would tell apart runs that were asked for the same."""
    best = {f"best_{name}": value for name, value in getattr(search, "best_params_", {}).items()}
    numbers = {name: value for name, value in best.items() if isinstance(value, int | float)}
    if hasattr(search, "best_score_"):
        numbers["best_cv_score"] = search.best_score_
    run.log_metrics(numbers)
    name = type(search).__name__
    run.log_text("".join(f"{key}: {value}\n" for key, value in best.items()), f"{name}/best_params.txt")
    run.log_table(
        {
            key: list(map(str, column)) if key == "params" else list(column)
            for key, column in search.cv_results_.items()
        },
        f"{name}/cv_results.csv",
    )


def _log_score(score: Any, data: Any) -> None:
    """A score, named after the variable that holds the data, as in `score_X_test`."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - who calls `score`
    while frame is not None and frame.f_code.co_filename in _OURS:
        frame = frame.f_back
    if frame is None or str(frame.f_globals.get("__name__")).startswith("sklearn."):
        named = []
    else:
        named = [name for name, value in frame.f_locals.items() if value is data]
    run = active_run() or start_run()
    run.log_metric(f"score_{named[0]}" if named else "score", score)
