"""Runs of notebooks: the cells are the code, so they are kept beside the run, each when it has run. And how a run looks in a notebook.

IPython is never imported: a script that runs in it has it in `sys.modules`.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from exptrack.model.tree import flatten, grow
from exptrack.tracking import ending

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from exptrack.tracking.run import ActiveRun

FILE = "notebook.py"
_BEFORE, _AFTER = "pre_run_cell", "post_run_cell"
_TAIL = 256 * 1024  # bytes of the stream that are searched for last values
_MOST = 20  # rows
_UNKNOWN = "the notebook's file is not known, so this run cannot be reproduced by its command: its cells are in .exptrack/notebook.py"


def find_shell() -> Any:
    """The IPython that runs this code; None if none does."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None and hasattr(module, "get_ipython") else None


def watch(run: ActiveRun) -> None:
    """Keep the cells that ran so far, and each that runs until the run ends. Does nothing where no cells run."""
    shell = find_shell()
    if shell is None or run.folder is None:
        return
    _save(run, shell)
    if run.name is not None and not run.is_attached and _is_kernel(shell) and not _find_file(shell):
        run.write("problem", text=_UNKNOWN)
    shell.events.register(_BEFORE, before_cell := partial(_before_cell, run, shell))
    shell.events.register(_AFTER, after_cell := partial(_after_cell, run))
    _hooks[:] = [*_hooks, _Hooks(run, shell, before_cell, after_cell)]


class _Hooks(NamedTuple):
    run: ActiveRun
    shell: Any
    before: Callable[..., None]
    after: Callable[..., None]

    def remove(self) -> None:
        for event, hook in ((_BEFORE, self.before), (_AFTER, self.after)):
            with suppress(ValueError):
                self.shell.events.unregister(event, hook)


_hooks: list[_Hooks] = []


def _before_cell(run: ActiveRun, shell: Any, info: Any = None) -> None:
    """The cell that comes is kept before it runs: it may end the run, or the process."""
    for hooks in [hooks for hooks in _hooks if hooks.run.is_over]:
        hooks.remove()
        _hooks.remove(hooks)
    if not run.is_over:
        _save(run, shell, info.raw_cell if getattr(info, "store_history", False) else None)


def _after_cell(run: ActiveRun, result: Any = None) -> None:
    """A notebook whose last cell failed has failed: what executes one stops there."""
    if not run.is_over:
        ending.note(getattr(result, "error_before_exec", None) or getattr(result, "error_in_exec", None))


def find_command() -> list[str] | None:
    """The words that would run this notebook again; None if this is none. A kernel's own words mean nothing to anybody."""
    shell = find_shell()
    if shell is None or not _is_kernel(shell):
        return None
    file = _find_file(shell)
    return [sys.orig_argv[0], "-m", *(["jupyter", "execute", file] if file else ["IPython"])]


def _is_kernel(shell: Any) -> bool:
    return hasattr(shell, "kernel")


def _find_file(shell: Any) -> str | None:
    """The notebook's file as Jupyter or VS Code tell it, seen from the working directory if it lies there."""
    names = getattr(shell, "user_ns", {})
    known = (names.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME"), names.get("__session__"))
    for told in known if any(known) else [_find_executed()]:
        if isinstance(told, str) and told.endswith(".ipynb"):
            # Older servers tell it from their own folder; the kernel works in the notebook's.
            for path in (Path(told), Path(Path(told).name)):
                if path.is_file():
                    whole = path.resolve()
                    return str(whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole)
    return None


def _find_executed() -> str | None:
    """The notebook that `jupyter execute` was given, which started this kernel."""
    parent = os.environ.get("JPY_PARENT_PID", "")
    if not parent.isdecimal():
        return None
    from exptrack.backends.host.parents import find_words

    words, directory = find_words(int(parent))
    if not any(Path(word).name == "jupyter-execute" for word in words[:2]):
        return None
    files = [word for word in words[1:] if word.endswith(".ipynb")]
    return str(directory / files[0]) if len(files) == 1 else None


def _save(run: ActiveRun, shell: Any, coming: str | None = None) -> None:
    """Write the cells whole, in the percent format that editors read."""
    sources = [*getattr(shell.history_manager, "input_hist_raw", []), *([] if coming is None else [coming])]
    cells = [f"# %% [{number}]\n{source.rstrip()}\n" for number, source in enumerate(sources) if source.strip()]
    if run.folder is not None and run.is_own_process:
        written = run.folder / f".{FILE}.partial"
        with suppress(OSError):
            written.write_text("\n".join(cells), encoding="utf-8", errors="replace")
            written.replace(run.folder / FILE)


def as_html(run: ActiveRun) -> str:
    """The run as a small table: its name and state, its parameters, the last values of its metrics."""
    from html import escape

    rows = [("run", run.name or "nothing is recorded"), ("state", _name_state(run))]
    metrics = _read_last(run.folder) if run.folder is not None else {}
    params = flatten(grow(run._params.items()))  # noqa: SLF001 - it is a method of that class
    shown = [*_clip(params), *_clip(metrics)]
    lines = [
        f"<tr><th style='text-align:left'>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in [*rows, *shown]
    ]
    return f"<table>{''.join(lines)}</table>"


def _name_state(run: ActiveRun) -> str:
    if run.name is None:
        return "not recorded"
    return "ended" if run.is_over else "under way"


def _clip(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [(name, _show(value)) for name, value in list(values.items())[:_MOST]]
    return [*rows, ("…", f"{len(values) - _MOST} more")] if len(values) > _MOST else rows


def _show(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _read_last(folder: Path) -> dict[str, Any]:
    """The last value of each metric, of those that the end of the stream has."""
    found: dict[str, Any] = {}
    with suppress(OSError), (folder / "stream").open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL))
        for line in stream.read().split(b"\n"):
            with suppress(ValueError, TypeError, AttributeError):
                entry = json.loads(line)
                if entry["kind"] == "metrics":
                    found |= entry["values"]
    return found
