"""Which run is active: one context variable, so that threads and tasks that start runs of their own do not meet.

A thread, which begins with an empty context, logs to the one run that is open in the process.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from contextvars import ContextVar
from pathlib import Path

from exptrack.errors import ExptrackError
from exptrack.tracking import ending, keeping, notebook, seeding
from exptrack.tracking.ranks import find_rank
from exptrack.tracking.run import ActiveRun
from exptrack.tracking.telling import tell

_RUN, _JOURNAL = "EXPTRACK_RUN", "EXPTRACK_JOURNAL"
NOTHING = ActiveRun(None, None)

_current: ContextVar[ActiveRun | None] = ContextVar("exptrack", default=None)
_open: list[tuple[ActiveRun, ActiveRun | None]] = []  # with what was active before
_outside: dict[str, str | None] = {}  # the variables as they were before the first of these runs
_lock = threading.RLock()  # runs may be started and ended by several threads


def is_disabled() -> bool:
    """Whether `EXPTRACK_DISABLED` says that nothing is recorded."""
    return os.environ.get("EXPTRACK_DISABLED", "").lower() not in {"", "0", "false", "no"}


def start_run(  # noqa: PLR0913 - what a run is given at its start
    name: str | None = None,
    *,
    note: str | None = None,
    tags: Iterable[str] = (),
    experiment: str | None = None,
    params: object = None,
    resume: str | None = None,
    nested: bool = False,
) -> ActiveRun:
    """Start a run, or attach to the one that `exptrack run` has under way: the run object, which is also a context manager.

    Alone, the code is captured now, and what is logged is recorded when the run or the process ends, whatever ends it. `nested` starts a
    run of its own inside of the one under way, its parent. `resume` names a run that died or ended: the new run continues it, with its
    histories. Of the ranks of a launcher (torchrun, SLURM, MPI) only rank 0 records.

    Raises ExptrackError if there is no repository, the name is taken, or nothing can be written there. With `EXPTRACK_DISABLED=1` nothing
    is recorded, and nothing is raised.
    """
    if is_disabled() or (find_rank(os.environ) and not nested):
        return _enter(NOTHING)
    # A cell of a notebook may not see the context of another.
    before = active_run() if nested or notebook.find_shell() else _current.get()
    asked = keeping.Asked(name, note, tuple(tags), experiment, resume)
    run = _enter(
        _continue(before, asked) or _attach(asked) or _start(asked, None) if not nested else _start(asked, before)
    )
    if params is not None:
        run.log_params(params)
    return run


def _continue(before: ActiveRun | None, asked: keeping.Asked) -> ActiveRun | None:
    """The run that is active already, if another process records it: `exptrack run`, or the one that this one was forked from."""
    if before is None or before is NOTHING:
        return None
    if before.is_own_process and not before.is_attached:
        raise ExptrackError(
            f"run '{before.name}' is under way: end it first, or start one inside of it with nested=True"
        )
    return _add(before, asked)


def _attach(asked: keeping.Asked) -> ActiveRun | None:
    """The run that `exptrack run`, or the process that started this one, has under way; None if there is none, or it had its turn here."""
    environ = _outside if _open else os.environ  # what this process itself has set leads to its own runs
    name, folder = environ.get(_RUN), environ.get(_JOURNAL)
    if not name or not folder or folder in _attached or not (Path(folder) / "stream").exists():
        return None
    _attached.add(folder)
    return _add(ActiveRun(name, Path(folder)), asked)


def _add(run: ActiveRun, asked: keeping.Asked) -> ActiveRun:
    """What was asked for a run that is under way: what can be added is, the rest is told."""
    if asked.name not in {None, run.name}:
        tell(f"the run under way is '{run.name}': the name '{asked.name}' is not used")
    if asked.resume is not None:
        run.warn(f"the run under way is '{run.name}': it cannot resume '{asked.resume}'")
    if asked.experiment is not None:
        run.warn(f"the run under way is '{run.name}': it is filed under '{asked.experiment}' only by `exptrack run -e`")
    if asked.tags:
        run.set_tags(*asked.tags)
    if asked.note is not None:
        run.set_note(asked.note)
    return run


_attached: set[str] = set()


def _start(asked: keeping.Asked, parent: ActiveRun | None) -> ActiveRun:
    keeper = keeping.start(asked, {**os.environ, **_name_variables(parent)})
    return ActiveRun(keeper.name, keeper.folder, keeper)


def _name_variables(run: ActiveRun | None) -> dict[str, str]:
    """What names a run to the processes that are started inside of it; without one what named it to this process, empty where nothing did."""
    if run is not None and run.name is not None:
        return {_RUN: run.name, _JOURNAL: str(run.folder)}
    return {variable: value or "" for variable, value in _outside.items()} if _open else {}


def _enter(run: ActiveRun) -> ActiveRun:
    """Make it the active run; the processes that this one starts attach to it."""
    with _lock:
        if run is not NOTHING:
            _listen()
        if not _open:
            _outside.update({variable: os.environ.get(variable) for variable in (_RUN, _JOURNAL)})
        _open.append((run, _current.get()))
        _current.set(run)
        _set_variables()
    seeding.tell_run(run)
    notebook.watch(run)
    return run


def _set_variables() -> None:
    """Those of the run that was started last and is open: the environment is one for all threads."""
    names = [(run.name, str(run.folder)) for run, _ in _open if run.name is not None]
    now = dict(zip((_RUN, _JOURNAL), names[-1], strict=True)) if names else _outside
    for variable, value in now.items():
        if value is None:
            os.environ.pop(variable, None)
        else:
            os.environ[variable] = value


_is_listening = False


def _listen() -> None:
    global _is_listening  # noqa: PLW0603 - the process has one end
    if not _is_listening:
        _is_listening = True
        ending.listen(_end_all)


def _end_all(exit_code: int | None, interrupted: bool) -> None:  # noqa: FBT001 - as `ending` calls it
    for run, _ in reversed(_open):
        run.finish(exit_code, interrupted=interrupted)


def active_run() -> ActiveRun | None:
    """The run that is active in this context; in a thread that has none, the outermost that is open in this process. None if there is none."""
    run = _current.get()
    return run if run is not None or not _open else _open[0][0]


def end_run(exit_code: int = 0) -> None:
    """End the active run, and wait until it is recorded; does nothing if none is active."""
    run = active_run()
    if run is not None:
        leave(run, exit_code, interrupted=False)


def leave(run: ActiveRun, exit_code: int, *, interrupted: bool) -> None:
    """What one `start_run` began is over; with the last of them the run."""
    with _lock:
        entered = [number for number, (one, _) in enumerate(_open) if one is run]
        if entered:
            _, before = _open.pop(entered[-1])
            if _current.get() is run:
                _current.set(before)
            _set_variables()
    if len(entered) <= 1:
        run.finish(exit_code, interrupted=interrupted)


def require_run() -> ActiveRun:
    """The active run; under `exptrack run` also before `start_run`. Raises ExptrackError if there is none."""
    run = active_run()
    if run is not None:
        return run
    if is_disabled() or os.environ.get(_JOURNAL, "") not in {"", *_attached}:
        return start_run()
    raise ExptrackError("no run is under way: start one by exptrack.start_run()")
