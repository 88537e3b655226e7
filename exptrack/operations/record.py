"""Run a command and record it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from exptrack.backends import process
from exptrack.backends.process.limit import Asking
from exptrack.backends.process.signals import patience
from exptrack.errors import DataError, ExptrackError, explain
from exptrack.model.run import Ending, Record
from exptrack.operations.context import Context
from exptrack.operations.environment import environment_cache
from exptrack.operations.recording.attendance import Attendance
from exptrack.operations.recording.claiming import check_request, claim_name
from exptrack.operations.recording.finish import Finished, discard, finish
from exptrack.operations.recording.housekeeping import tidy_in_background
from exptrack.operations.recording.listen import Listener
from exptrack.operations.recording.observe import EnvironmentLook, Observation, Plan
from exptrack.operations.recording.prepare import prepare
from exptrack.operations.recording.request import Arrange, Place, Request
from exptrack.store.journal import Journal
from exptrack.store.outset import Outset
from exptrack.store.start import Start

if TYPE_CHECKING:
    from exptrack.operations.recording.held import Held

_STILL_RECORDING = "the command has ended and is being recorded; Ctrl-C once more leaves that to `exptrack recover`"


class Recorded(NamedTuple):
    """How the command ended, and the run; where it could not be recorded now, `failure` says why and the journal is kept."""

    name: str
    ending: Ending
    finished: Finished | None
    failure: str | None = None


def record(context: Context, request: Request, arrange: Arrange | None = None) -> Recorded:
    """Run the command in the work tree, or where `arrange` has it, and record it as a run.

    What can be refused is refused before the command starts (ExptrackError, CommandError; nothing is left behind). Afterwards nothing
    is lost: what cannot be recorded stays in the journal for `recover`.
    """
    check_request(request)
    if not (request.command or arrange):
        from exptrack.operations.recording.pipeline import check_pipeline

        check_pipeline(context, request)
    started = datetime.now(UTC)
    request = _with_seed(request)
    look = None if arrange or _may_be_isolated(request) else _look_early(context, request)
    journal, outset = claim_name(context.repository, request.name, started)
    held = None if request.command else _hold(context, journal)
    try:
        arrange = arrange or partial(_find_place, context._replace(notice=held.hold) if held else context)
        with arrange(journal.folder.name, outset, request) as found:
            place = _with_held(found, held)
            look = look or _look_early(place.context, place.request)
            start, plan = prepare(place, journal, started)
            look = look or _look(place.context, place.request, plan.words)
            with patience(lambda: context.notice(_STILL_RECORDING)):
                return _share(context, outset, _run_and_finish(place, journal, start, plan, look))
    except OSError as error:
        raise ExptrackError(f"{explain(error)}; {_outcome(journal)}") from error
    except BaseException:
        if journal.has_started:
            context.notice(_outcome(journal))
        raise
    finally:
        if not journal.has_started:
            discard(context.repository, journal)
        journal.close()


def _share(context: Context, outset: Outset, recorded: Recorded) -> Recorded:
    """Have the run pushed in the background, if `exptrack.autoPush` names a remote."""
    if recorded.finished and (remote := outset.committing.auto_push):
        from exptrack.operations.sharing import background

        background.start(context, remote, recorded.finished.run.name)
    return recorded


def _with_seed(request: Request) -> Request:
    if request.seed is None:
        return request
    seed = str(request.seed)
    return request._replace(environ={**request.environ, "EXPTRACK_SEED": seed, "PYTHONHASHSEED": seed})


def _may_be_isolated(request: Request) -> bool:
    return request.is_isolated or bool(request.overrides) or request.seed is not None


def _is_isolated(context: Context, name: str, outset: Outset, request: Request) -> bool:
    """Whether the run needs a work tree of its own; with a seed alone only if the project has a parameter for it."""
    if request.is_isolated or request.overrides or not _may_be_isolated(request):
        return _may_be_isolated(request)
    from exptrack.operations.recording.given import find_seed_parameter

    return find_seed_parameter(context, name, outset.base) is not None


def _hold(context: Context, journal: Journal) -> Held:
    from exptrack.operations.recording.held import Held
    from exptrack.operations.recording.pipeline import read_stages

    return Held(context.notice, lambda: bool(read_stages(journal.folder)))


def _with_held(place: Place, held: Held | None) -> Place:
    return place._replace(context=place.context._replace(notice=held.hold), held=held) if held else place


def _look_early(context: Context, request: Request) -> EnvironmentLook | None:
    """A look that goes on while the project is looked at; which Python a pipeline uses is known only then."""
    return _look(context, request, request.executed or request.command) if request.command else None


def _look(context: Context, request: Request, command: Sequence[str]) -> EnvironmentLook:
    cache = environment_cache(context.repository.shared)
    return EnvironmentLook(command, request.directory, request.environ, context.settings.capture, cache)


@contextmanager
def _find_place(context: Context, name: str, outset: Outset, request: Request) -> Iterator[Place]:
    """The work tree in which the run takes place: the user's, or a slot."""
    if not _is_isolated(context, name, outset, request):
        yield Place(context, request, outset)
        return
    from exptrack.operations.recording.isolate import (  # overrides and slots: 10 ms that other runs do not pay
        Wish,
        isolate,
    )

    wish = Wish(request.directory, request.environ, request.overrides, request.seed, request.command, request.outputs)
    with isolate(context, name, outset.base, wish) as found:
        moved = request._replace(directory=found.directory, environ=found.environ, executed=found.command)
        yield Place(found.context, moved, outset, found.omissions, found.links, (found.lock,), found.problems)


def _outcome(journal: Journal) -> str:
    return "all of the run is kept for `exptrack recover`" if journal.has_started else "nothing was started"


def _run_and_finish(place: Place, journal: Journal, start: Start, plan: Plan, look: EnvironmentLook) -> Recorded:
    name, repository = journal.folder.name, place.context.repository
    ending = _run(place, journal, start.record, plan, look)
    if place.held:
        _let_go_of_lines(place, journal)
    try:
        finished = finish(repository, journal, start)
    except (ExptrackError, OSError) as error:
        return Recorded(name, ending, None, explain(error))
    if place.locks and ending.exit_code != 0:
        from exptrack.operations.recording.isolate import explain_failure

        missed = explain_failure(place.omissions, place.links)
        finished = finished._replace(warnings=(*finished.warnings, *([missed] if missed else [])))
    tidy_in_background(repository)
    return Recorded(name, ending, finished)


def _let_go_of_lines(place: Place, journal: Journal) -> None:
    """Tell what waited to be told; raises DataError if the pipeline was refused, of which nothing is kept."""
    from exptrack.operations.recording.pipeline import find_refusal

    if refusal := find_refusal(journal.folder, place.omissions):
        journal.has_started = False
        raise DataError(refusal)
    if place.held:
        place.held.release()


def _run(place: Place, journal: Journal, draft: Record, plan: Plan, look: EnvironmentLook) -> Ending:
    """Run the command to its end, with everything that comes out written down as it comes."""
    context = place.context
    listener = Listener(journal, context.settings.capture.patterns)
    observation = Observation(context.repository, journal, draft, plan, look)
    attendance = Attendance(context, journal, draft, plan.environ)

    def started(pid: int) -> None:
        journal.append("command", pid=pid)
        journal.start_syncing()
        observation.start()
        attendance.begin(pid, Asking(pid))
        context.yaml.save()

    lock = journal.lock_command()
    journal.mark_started()
    try:
        ending = process.run(
            plan.command,
            directory=plan.directory,
            environ=plan.environ,
            output=listener.hear,
            started=started,
            inherit=(lock, *place.locks),
            idle=place.held.look if place.held else None,
            timeout=place.request.timeout,
            is_apart=place.request.reproduces is not None,
        )
    except ExptrackError:
        journal.has_started = False
        raise
    listener.close()
    if attendance.stopped:
        ending = ending._replace(interrupted=True)
    journal.append("ended", **ending._asdict())
    attendance.end()
    journal.stop_syncing()
    observation.wait()
    return ending
