"""What a command of exptrack spends its time on: `python benchmarks/startprobe.py FD WORD…`, for `startup.py`.

It is `exptrack WORD…` in this process. Each instant belongs to the innermost span that is open: a module that is being imported, a child
that is started or waited for, or a function of a module of `_SPANS`. At the end it writes a line `NAME SECONDS` for each.
"""

import sys
from time import monotonic

_FIRST = monotonic()  # the interpreter is ready, and nothing of ours is loaded

TYPE_CHECKING = False  # `typing` is for exptrack to load
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# By the beginning of a module's name, the longest counts. A span holds what is neither importing nor waiting for a child.
_SPANS = {
    "exptrack.cli": "command line",
    "exptrack.project": "project",
    "exptrack.operations.context": "project",
    "exptrack.operations": "reading",
    "exptrack.store": "reading",
    "exptrack.store.index": "index",
    "exptrack.store.indexedcatalog": "index",
    "exptrack.backends.git": "reading",
    "exptrack.backends.git.repository": "project",
    "exptrack.analysis": "reading",
    "exptrack.analysis.columns": "formatting",
    "exptrack.render": "formatting",
    "exptrack.cli.terminal": "printing",
}
_took: dict[str, float] = {}
_open: list[str] = ["command line"]
_last = _FIRST


def _turn() -> None:
    """What passed since the last turn goes to the span that is open."""
    global _last  # noqa: PLW0603 - one stack for the process
    now = monotonic()
    _took[_open[-1]] = _took.get(_open[-1], 0.0) + now - _last
    _last = now


def _spanned(function: "Callable[..., Any]", span: "str | Callable[..., str]") -> "Callable[..., Any]":
    """The function, so that its time is the span's; `span` may be a function that names it by the arguments."""

    def called(*arguments: object, **named: object) -> object:
        _turn()
        _open.append(span(*arguments) if callable(span) else span)
        try:
            return function(*arguments, **named)
        finally:
            _turn()
            _open.pop()

    return called


def _watch_module(name: str) -> None:
    module: Any = sys.modules.get(name)
    if module is None:
        return
    if name == "subprocess":
        _watch_children(module.Popen)
    elif name == "sqlite3":
        module.connect = _spanned(module.connect, "index")
    elif name.startswith("exptrack."):
        spans = [(prefix, span) for prefix, span in _SPANS.items() if f"{name}.".startswith(f"{prefix}.")]
        if spans:
            _watch_functions(module, name, max(spans)[1])


def _watch_functions(holder: object, name: str, span: str) -> None:
    for word, one in list(vars(holder).items()):
        if getattr(one, "__module__", None) != name:
            continue
        if type(one) is type:
            _watch_functions(one, name, span)
        elif (
            type(one) is type(_turn) and not one.__code__.co_flags & 0x20 and word not in {"entry", "main"}
        ):  # no generators
            setattr(holder, word, _spanned(one, span))


def _watch_children(popen: "Any") -> None:
    """A child is named by its program and the first word that is no option; to start it and to wait for it are one span."""

    def name_of(child: "Any", *arguments: "Any") -> str:
        words = list(child.args if hasattr(child, "args") else arguments[0])
        plain = [word for before, word in zip(["", *words], words, strict=False) if before != "-c"]
        return "child " + " ".join([plain[0], *[word for word in plain[1:] if not word.startswith("-")][:1]])

    for method in ("__init__", "communicate", "wait"):
        setattr(popen, method, _spanned(getattr(popen, method), name_of))


def _watch_imports() -> None:
    bootstrap: Any = sys.modules["_frozen_importlib"]  # what C calls for a module that is not loaded yet
    find = bootstrap._find_and_load  # noqa: SLF001 - there is no public name

    def find_and_load(name: str, *arguments: object) -> object:
        _turn()
        _open.append(f"import {name}")
        try:
            return find(name, *arguments)
        finally:
            _watch_module(name)
            _turn()
            _open.pop()

    bootstrap._find_and_load = find_and_load  # noqa: SLF001


def _watch_end(told: int) -> None:
    import os

    leave = os._exit

    def end(status: int) -> None:
        _turn()
        lines = [f"{name} {seconds!r}" for name, seconds in _took.items()]
        os.write(told, "\n".join([*lines, f"first {_FIRST!r}", f"gone {monotonic()!r}"]).encode())
        leave(status)

    setattr(os, "_exit", end)  # noqa: B010 - a type checker would not have it assigned


def main() -> None:
    """Run exptrack, and tell."""
    told = int(sys.argv[1])
    sys.argv = ["exptrack", *sys.argv[2:]]
    _watch_end(told)
    _watch_imports()
    from exptrack.cli import entry

    entry()


main()
