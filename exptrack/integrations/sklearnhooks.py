"""How `autolog` comes to know of the calls of `fit` and `score`: a descriptor in front of these methods, in each class of estimators.

It stands in the classes that are imported, and goes into later ones when they are made. Classes themselves give the plain method, so that
scikit-learn finds its signature, and so does everything while nobody watches, as in a process that a class was sent to.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from exptrack.integrations import require

base = require("sklearn.base", "sklearn")

Watch = Callable[[Any, str, Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
watches: list[Watch] = []  # one at most: `watch(estimator, name, method, args, options)` is called in place of a method


class _Watched:
    def __init__(self, method: Any, name: str) -> None:
        self.method = method
        self.name = name

    def __get__(self, estimator: Any, owner: type | None = None) -> Any:
        bound = self.method.__get__(estimator, owner)
        if estimator is None or not watches:
            return bound
        watch = watches[0]
        return functools.wraps(bound)(lambda *args, **options: watch(estimator, self.name, bound, args, options))


def install() -> None:
    """Put the descriptors into all classes."""
    for kind in (*_list_kinds(base.BaseEstimator), base.ClassifierMixin, base.RegressorMixin, base.ClusterMixin):
        _wrap(kind)

    def wrap_subclass(kind: Any, /, **options: Any) -> None:
        super(base.BaseEstimator, kind).__init_subclass__(**options)
        _wrap(kind)

    base.BaseEstimator.__init_subclass__ = classmethod(wrap_subclass)


def _wrap(kind: type) -> None:
    for name in ("fit", "score"):
        method = vars(kind).get(name)
        if hasattr(method, "__get__") and not isinstance(method, _Watched | property | staticmethod | classmethod):
            setattr(kind, name, _Watched(method, name))


def _list_kinds(kind: Any) -> Iterator[type]:
    yield kind
    for child in kind.__subclasses__():
        yield from _list_kinds(child)
