"""Which run is active: one context variable, so that threads and tasks that start runs of their own do not meet.

A thread, which begins with an empty context, logs to the one run that is open in the process.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextvars import ContextVar
from pathlib import Path

from exptrack.errors import ExptrackError
from exptrack.tracking import ending, keeping, seeding
from exptrack.tracking.ranks import find_rank
from exptrack.tracking.run import ActiveRun

_RUN, _JOURNAL = "EXPTRACK_RUN", "EXPTRACK_JOURNAL"
NOTHING = ActiveRun(None, None)

_current: ContextVar[ActiveRun | None] = ContextVar("exptrack", default=None)
_open: list[tuple[ActiveRun, ActiveRun | None, dict[str, str | None]]] = []  # with what was active, and set, before


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
    before = active_run() if nested else _current.get()
    if before is not None and before is not NOTHING and not nested:
        if before.is_own_process:
            raise ExptrackError(
                f"run '{before.name}' is under way: end it first, or start one inside of it with nested=True"
            )
        return before  # a forked process: it is its parent's
    asked = keeping.Asked(name, note, tuple(tags), experiment, resume)
    run = None if nested else _attach(asked)
    if run is None:
        run = _start(asked)
    _enter(run)
    if params is not None:
        run.log_params(params)
    return run


def _attach(asked: keeping.Asked) -> ActiveRun | None:
    """The run that `exptrack run`, or the process that started this one, has under way; None if there is none, or it had its turn here."""
    name, folder = os.environ.get(_RUN), os.environ.get(_JOURNAL)
    if not name or not folder or folder in _attached or not (Path(folder) / "stream").exists():
        return None
    _attached.add(folder)
    run = ActiveRun(name, Path(folder))
    if asked.name not in {None, name}:
        run.warn(f"the run under way is '{name}': the name '{asked.name}' is not used")
    if asked.resume is not None:
        run.warn(f"the run under way is '{name}': it cannot resume '{asked.resume}'")
    if asked.tags:
        run.set_tags(*asked.tags)
    if asked.note is not None:
        run.set_note(asked.note)
    return run


_attached: set[str] = set()


def _start(asked: keeping.Asked) -> ActiveRun:
    keeper = keeping.start(asked)
    return ActiveRun(keeper.name, keeper.folder, keeper)


def _enter(run: ActiveRun) -> ActiveRun:
    """Make it the active run; the processes that this one starts attach to it."""
    if not _open and run is not NOTHING:
        _listen()
    before = {variable: os.environ.get(variable) for variable in (_RUN, _JOURNAL)}
    _open.append((run, _current.get(), before))
    _current.set(run)
    if run.name is not None and run.folder is not None:
        os.environ[_RUN], os.environ[_JOURNAL] = run.name, str(run.folder)
    seeding.tell_run(run)
    return run


_is_listening = False


def _listen() -> None:
    global _is_listening  # noqa: PLW0603 - the process has one end
    if not _is_listening:
        _is_listening = True
        ending.listen(_end_all)


def _end_all(exit_code: int, interrupted: bool) -> None:  # noqa: FBT001 - as `ending` calls it
    for run, _, _ in reversed(_open):
        run.end(exit_code, interrupted=interrupted)


def active_run() -> ActiveRun | None:
    """The run that is active in this context; in a thread that has none, the one that is open in this process. None if there is none."""
    run = _current.get()
    if run is not None:
        return run
    own = {id(one): one for one, _, _ in _open}
    return next(iter(own.values())) if len(own) == 1 else None


def end_run(exit_code: int = 0) -> None:
    """End the active run, and wait until it is recorded; does nothing if none is active."""
    run = active_run()
    if run is not None:
        _leave(run, exit_code, interrupted=False)


def close(run: ActiveRun, error: BaseException | None) -> None:
    """End a run whose `with` was left, by an exception perhaps."""
    exit_code, interrupted = ending.read_error(error)
    _leave(run, exit_code, interrupted=interrupted)


def _leave(run: ActiveRun, exit_code: int, *, interrupted: bool) -> None:
    run.end(exit_code, interrupted=interrupted)
    for number, (one, before, variables) in reversed(list(enumerate(_open))):
        if one is not run:
            continue
        del _open[number]
        if _current.get() is run:
            _current.set(before)
        for variable, value in variables.items():
            if value is None:
                os.environ.pop(variable, None)
            else:
                os.environ[variable] = value
        return


def require_run() -> ActiveRun:
    """The active run; under `exptrack run` also before `start_run`. Raises ExptrackError if there is none."""
    run = active_run()
    if run is not None:
        return run
    if is_disabled() or os.environ.get(_JOURNAL, "") not in {"", *_attached}:
        return start_run()
    raise ExptrackError("no run is under way: start one by exptrack.start_run()")
