"""Which run is active, and how one begins: under `exptrack run` it is there already, alone it is started."""

from __future__ import annotations

import os
from collections.abc import Iterable

from exptrack.errors import ExptrackError
from exptrack.tracking import keeping, notebook, seeding
from exptrack.tracking.opened import Opened
from exptrack.tracking.ranks import find_rank
from exptrack.tracking.run import ActiveRun
from exptrack.tracking.telling import tell

NOTHING = ActiveRun(None, None)

_opened = Opened()
active_run = _opened.active_run  # not a function of its own: a loop that logs calls it each time


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

    Alone, the code is captured now, and what is logged is recorded when the run or the process ends, whatever ends it. A script that a run
    of another repository has started is alone, too: its code is kept where it lies. `nested` starts a run of its own inside of the one under
    way, its parent. `resume` names a run that died or ended: the new run continues it, with its histories. Of the ranks of a launcher
    (torchrun, SLURM, MPI) only rank 0 records.

    Raises ExptrackError if there is no repository, the name is taken, or nothing can be written there. With `EXPTRACK_DISABLED=1` nothing
    is recorded, and nothing is raised.
    """
    asked = keeping.Asked.make(name, note, tags, experiment, resume)
    if is_disabled() or (find_rank(os.environ) and not nested):
        run = NOTHING
    elif nested:
        run = _start(asked, parent=active_run())
    else:
        run = _continue(asked) or _attach(asked) or _start(asked, parent=None)
    _opened.enter(run)
    seeding.tell_run(run)
    notebook.watch(run)
    if params is not None:
        run.log_params(params)
    return run


def _continue(asked: keeping.Asked) -> ActiveRun | None:
    """The run that is active already, if another process records it: `exptrack run`, or the one that this one was forked from."""
    # A cell of a notebook may not see the context of another.
    before = active_run() if notebook.find_shell() else _opened.get_own()
    if before is None or before is NOTHING:
        return None
    if before.is_own_process and not before.is_attached:
        raise ExptrackError(
            f"run '{before.name}' is under way: end it first, or start one inside of it with nested=True"
        )
    return _add(before, asked)


def _attach(asked: keeping.Asked) -> ActiveRun | None:
    """The run that this process is inside of; None if there is none, or it had its turn here."""
    outer = _opened.find_outer()
    if outer is None:
        return None
    run = ActiveRun(*outer)
    _opened.attach(run)
    return _add(run, asked)


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


def _start(asked: keeping.Asked, *, parent: ActiveRun | None) -> ActiveRun:
    keeper = keeping.start(asked, {**os.environ, **_opened.name_parent(parent)})
    return ActiveRun(keeper.name, keeper.folder, keeper)


def end_run(exit_code: int = 0) -> None:
    """End the active run, and wait until it is recorded; does nothing if none is active."""
    run = active_run()
    if run is not None:
        leave(run, exit_code, interrupted=False)


def leave(run: ActiveRun, exit_code: int, *, interrupted: bool) -> None:
    """What one `start_run` began is over; with the last of them the run."""
    if _opened.leave(run):
        run.settle(exit_code, interrupted=interrupted)


def require_run() -> ActiveRun:
    """The active run; under `exptrack run` also before `start_run`. Raises ExptrackError if there is none."""
    run = active_run()
    if run is not None:
        return run
    if is_disabled() or _opened.find_outer():
        return start_run()
    raise ExptrackError("no run is under way: start one by exptrack.start_run()")
