"""Record a script that runs already, and has asked for it: the snapshot now, all else when it ends, whatever ends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from exptrack.errors import ExptrackError, explain
from exptrack.model.run import Ending, Run
from exptrack.operations.context import Context
from exptrack.operations.environment import environment_cache
from exptrack.operations.recording.claiming import check_request, claim_name
from exptrack.operations.recording.housekeeping import tidy_in_background
from exptrack.operations.recording.observe import EnvironmentLook, Observation
from exptrack.operations.recording.prepare import prepare
from exptrack.operations.recording.request import Place, Request
from exptrack.store.journal import Journal
from exptrack.store.start import Start

if TYPE_CHECKING:
    from exptrack.operations.recording.attendance import Attendance
    from exptrack.operations.recording.finish import Finished


class Script(NamedTuple):
    """The script: `pid` is its process, `ready` hears the journal once the code is captured, `wait` gives how it ended.

    `ready` also gets the first step that the run which this one resumes did not come to.

    `wait` gives None if nobody knows, since the process is gone without a word. `stop` asks it to end.
    """

    pid: int
    ready: Callable[[Journal, int], None]
    wait: Callable[[], Ending | None]
    stop: Callable[[str], None]


def attend(context: Context, request: Request, script: Script) -> Finished:
    """Stay with a script to its end, and record it as a run.

    What can be refused is refused before `ready` is called (ExptrackError; nothing is left behind). What cannot be recorded in the end
    stays in the journal for `recover`, and ExptrackError says why.
    """
    check_request(request)
    resumed = _find_resumed(context, request.resumes) if request.resumes else None
    request = request._replace(resumes=resumed.name if resumed else None)
    started = datetime.now(UTC)
    cache = environment_cache(context.repository.shared)
    look = EnvironmentLook(request.command, request.directory, request.environ, context.settings.capture, cache)
    journal, outset = claim_name(context.repository, request.name, started)
    try:
        start, plan = prepare(Place(context, request, outset), journal, started)
        observation = Observation(context.repository, journal, start.record, plan, look)
        following = _continue(context, resumed, journal) if resumed else 0
        journal.mark_started()
        journal.append("command", pid=script.pid)
        journal.start_syncing()
        script.ready(journal, following)
        context.yaml.save()
        finished = _see_through(context, journal, start, plan.environ, script, observation)
    except OSError as error:
        raise ExptrackError(explain(error)) from error
    finally:
        if not journal.has_started:
            from exptrack.operations.recording.finish import discard

            discard(context.repository, journal)
        journal.close()
    tidy_in_background(context.repository)
    if remote := outset.committing.auto_push:
        from exptrack.operations.sharing import background

        background.start(context, remote, finished.run.name)
    return finished


def _find_resumed(context: Context, rev: str) -> Run:
    from exptrack.operations.recording.resuming import find_resumed

    return find_resumed(context, rev)


def _continue(context: Context, resumed: Run, journal: Journal) -> int:
    from exptrack.operations.recording.resuming import continue_histories

    return continue_histories(context, resumed, journal)


def _see_through(
    context: Context,
    journal: Journal,
    start: Start,
    environ: Mapping[str, str],
    script: Script,
    observation: Observation,
) -> Finished:
    # Read while the script goes on already; and not at its end: days later another version of them may lie there.
    from exptrack.operations.recording.attendance import Attendance
    from exptrack.operations.recording.finish import finish

    _stay(journal, script, observation, Attendance(context, journal, start.record, environ))
    return finish(context.repository, journal, start)


def _stay(journal: Journal, script: Script, observation: Observation, attendance: Attendance) -> None:
    """Until the script has ended, with everything written down that is seen meanwhile."""
    observation.start()
    attendance.begin(script.pid, script.stop)
    ending = script.wait()
    if ending is not None:
        ending = ending._replace(interrupted=ending.interrupted or attendance.stopped is not None)
        journal.append("ended", **ending._asdict())
    attendance.end()
    journal.stop_syncing()
    observation.wait()
