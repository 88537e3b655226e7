"""scikit-learn: `exptrack.autolog()` has what estimators do logged: parameters, scores, what a search found."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

from exptrack.errors import ExptrackWarning
from exptrack.integrations import CallbackRun, sklearnhooks
from exptrack.tracking.active import NOTHING, active_run
from exptrack.tracking.run import ActiveRun
from exptrack.tracking.values import as_value

_is_inside: ContextVar[bool] = ContextVar("exptrack_autolog", default=False)
_OURS = {__file__, sklearnhooks.__file__}
_own = CallbackRun("sklearn")


def autolog(*, disable: bool = False, training_score: bool = True, log_model: bool = False) -> None:
    """Log each `fit` and `score` of an estimator from now on, to the active run, or one that is started then; `disable` ends that.

    Of `fit`, outermost calls alone: the parameters below the estimator's name, the score on the data it was fitted to, of a search the
    best score and a table of all candidates, and the fitted estimator itself, by joblib, if `log_model` is set.
    """

    def watch(estimator: Any, name: str, method: Callable[..., Any], args: Any, given: dict[str, Any]) -> Any:
        if _is_inside.get() or _is_worker() or not _is_trained(estimator):
            return method(*args, **given)
        token = _is_inside.set(True)
        try:
            return _watch_score(method, args, given) if name == "score" else fit(estimator, method, args, given)
        finally:
            _is_inside.reset(token)

    def fit(estimator: Any, method: Callable[..., Any], args: Any, given: dict[str, Any]) -> Any:
        run = NOTHING
        with _told():
            run = active_run() or _own.get()
            _log_params(run, estimator)
        fitted = method(*args, **given)
        if run.name is None:
            return fitted
        if hasattr(estimator, "cv_results_"):
            with _told():
                _log_search(run, estimator)
        if training_score and hasattr(estimator, "score"):
            data = [*args[:2], *(given[key] for key in ("X", "y")[len(args) :] if key in given)]
            with _told():
                run.log_metric("training_score", estimator.score(*data))
        if log_model:
            with _told():
                _log_model(run, estimator)
        return fitted

    sklearnhooks.install()
    sklearnhooks.watches[:] = [] if disable else [watch]


def _is_trained(estimator: Any) -> bool:
    """Not what prepares data alone, as scalers do, unless in a pipeline."""
    return any(hasattr(estimator, name) for name in ("predict", "fit_predict", "score"))


def _is_worker() -> bool:
    """Whether joblib has this thread do a share of something, a search perhaps."""
    from joblib.parallel import get_active_backend

    return bool(getattr(get_active_backend()[0], "nesting_level", 0))


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong is a warning: training never fails by what is logged of it."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - estimators and their parameters are anybody's code
        warnings.warn(f"autolog: {str(error) or type(error).__name__}", ExptrackWarning, stacklevel=6)


def _log_params(run: ActiveRun, estimator: Any) -> None:
    """Below the name of the class; another one of this class, with other parameters, is numbered."""
    params, kind, number = as_value(_describe(estimator)), type(estimator).__name__, 1
    label, told = kind, run.__dict__.setdefault("_estimators", {})
    while told.setdefault(label, params) != params:
        number += 1
        label = f"{kind}_{number}"
    run.log_params({label: params})


def _describe(value: Any) -> Any:
    """An estimator's class and parameters, those of inner estimators nested; anything else as it is."""
    if hasattr(value, "get_params") and not isinstance(value, type):
        inner = {name: _describe(one) for name, one in value.get_params(deep=False).items()}
        return {"class": f"{type(value).__module__}.{type(value).__qualname__}", **inner}
    is_steps = isinstance(value, list) and value and all(isinstance(one, tuple) and len(one) > 1 for one in value)
    return {str(one[0]): _describe(one[1]) for one in value} if is_steps else value


def _log_search(run: ActiveRun, search: Any) -> None:
    """What is found is a result: as a parameter it would tell apart runs that were asked for the same."""
    best = {f"best_{name}": value for name, value in getattr(search, "best_params_", {}).items()}
    numbers = {name: value for name, value in best.items() if isinstance(value, int | float)}
    run.log_metrics(numbers | ({"best_cv_score": search.best_score_} if hasattr(search, "best_score_") else {}))
    table = {**search.cv_results_, "params": list(map(str, search.cv_results_["params"]))}
    run.log_table({key: list(column) for key, column in table.items()}, f"{type(search).__name__}/cv_results.csv")


def _log_model(run: ActiveRun, estimator: Any) -> None:
    from joblib import dump

    with TemporaryDirectory() as folder:
        run.log_artifact(*dump(estimator, Path(folder) / f"{type(estimator).__name__}.joblib"))


def _watch_score(method: Callable[..., Any], args: Any, given: dict[str, Any]) -> Any:
    """A score, named after the variable that holds the data, as in `score_X_test`."""
    score, data = method(*args, **given), args[0] if args else given.get("X")
    with _told():
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - who calls `score`
        while frame is not None and frame.f_code.co_filename in _OURS:
            frame = frame.f_back
        is_users = frame is not None and not str(frame.f_globals.get("__name__")).startswith("sklearn.")
        named = [name for name, value in frame.f_locals.items() if value is data] if frame and is_users else []
        (active_run() or _own.get()).log_metric("_".join(["score", *named[:1]]), score)
    return score
