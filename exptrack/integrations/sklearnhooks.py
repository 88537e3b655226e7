"""How `autolog` comes to know of the calls of `fit` and `score`: a descriptor in front of these methods, in each class of estimators.

It stands in the classes that are imported, and goes into later ones when they are made; classes themselves give the plain method as
before, so that scikit-learn finds its signature.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from exptrack.integrations import require

base = require("sklearn.base", "sklearn")

Watch = Callable[[Any, str, Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
_METHODS = ("fit", "fit_predict", "score")
_watches: list[Watch] = []  # one at most


class _Watched:
    """A method whose calls the watch makes. In a process without one, to which the class was sent, it is as it was."""

    def __init__(self, method: Any, name: str) -> None:
        self.method = method
        self.name = name

    def __get__(self, estimator: Any, owner: type | None = None) -> Any:
        bound = self.method.__get__(estimator, owner)
        if estimator is None or not _watches:
            return bound

        @functools.wraps(bound)
        def call(*args: Any, **options: Any) -> Any:
            return _watches[0](estimator, self.name, bound, args, options) if _watches else bound(*args, **options)

        return call


def install(watch: Watch) -> None:
    """Have `watch(estimator, name, method, args, options)` called in place of each method, whose result it gives."""
    is_new = not _watches
    _watches[:] = [watch]
    if not is_new:
        return
    for kind in (*_list_kinds(base.BaseEstimator), base.ClassifierMixin, base.RegressorMixin, base.ClusterMixin):
        _wrap(kind)

    def watch_subclass(kind: Any, /, **options: Any) -> None:
        super(base.BaseEstimator, kind).__init_subclass__(**options)
        _wrap(kind)

    base.BaseEstimator.__init_subclass__ = classmethod(watch_subclass)


def remove() -> None:
    """All classes as they were."""
    if not _watches:
        return
    _watches.clear()
    del base.BaseEstimator.__init_subclass__
    for kind in (*_list_kinds(base.BaseEstimator), base.ClassifierMixin, base.RegressorMixin, base.ClusterMixin):
        for name in _METHODS:
            if isinstance(watched := vars(kind).get(name), _Watched):
                setattr(kind, name, watched.method)


def _wrap(kind: type) -> None:
    for name in _METHODS:
        method = vars(kind).get(name)
        if hasattr(method, "__get__") and not isinstance(method, _Watched | property | staticmethod | classmethod):
            setattr(kind, name, _Watched(method, name))


def _list_kinds(kind: Any) -> Iterator[type]:
    yield kind
    for child in kind.__subclasses__():
        yield from _list_kinds(child)
