"""Run a command and record it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from exptrack.analysis.arguments import merge_arguments, parse_arguments
from exptrack.analysis.message import check_note
from exptrack.analysis.names import check_name, check_tag, make_up
from exptrack.analysis.secrets import mask, mask_arguments, mask_tree
from exptrack.analysis.seeds import find_seed
from exptrack.backends import dvc, process
from exptrack.backends.git import refs
from exptrack.backends.git.repository import Repository
from exptrack.backends.process.signals import patience
from exptrack.errors import ExptrackError, NameTakenError, explain
from exptrack.model.run import Ending, Links, Record, Status
from exptrack.model.tree import Tree
from exptrack.operations.context import Context
from exptrack.operations.environment import environment_cache
from exptrack.operations.files import Disk
from exptrack.operations.finish import Finished, discard, finish
from exptrack.operations.housekeeping import tidy_in_background
from exptrack.operations.listen import Listener
from exptrack.operations.observe import EnvironmentLook, Observation, Plan, describe_omissions
from exptrack.operations.outputs import check_outputs
from exptrack.operations.sources import Reader, below
from exptrack.store import journal as journals
from exptrack.store import runs, snapshot
from exptrack.store.journal import Journal
from exptrack.store.outset import Outset, find_outset
from exptrack.store.private_index import Survey, survey
from exptrack.store.snapshot import Snapshot
from exptrack.store.start import Start, read_start, stamp

_ATTEMPTS = 20
_STILL_RECORDING = "the command has ended and is being recorded; Ctrl-C once more leaves that to `exptrack recover`"


class Request(NamedTuple):
    """What the user asks for. `directory` is where the command runs; `outputs` are paths as typed there."""

    command: tuple[str, ...]
    directory: Path
    environ: Mapping[str, str]
    name: str | None = None
    note: str | None = None
    experiment: str | None = None
    tags: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


class Recorded(NamedTuple):
    """How the command ended, and the run; where it could not be recorded now, `failure` says why and the journal is kept."""

    name: str
    ending: Ending
    finished: Finished | None
    failure: str | None = None


def record(context: Context, request: Request) -> Recorded:
    """Run the command in the work tree and record it as a run.

    What can be refused is refused before the command starts (ExptrackError, CommandError; nothing is left behind). Afterwards nothing
    is lost: what cannot be recorded stays in the journal for `recover`.
    """
    _check(request)
    started = datetime.now(UTC)
    cache = environment_cache(context.repository.shared)
    look = EnvironmentLook(request.command, request.directory, request.environ, context.settings.capture, cache)
    journal, outset = _claim(context.repository, request.name, started)
    try:
        start, plan = _prepare(context, request, journal, outset, started)
        with patience(lambda: context.notice(_STILL_RECORDING)):
            return _run_and_finish(context, journal, start, plan, look)
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


def _outcome(journal: Journal) -> str:
    return "all of the run is kept for `exptrack recover`" if journal.has_started else "nothing was started"


def _check(request: Request) -> None:
    """Nothing that the user named may break the message of the commit, or be taken for something else later."""
    check_note(request.note or "")
    for tag in request.tags:
        check_tag(tag)
    if request.experiment is not None:
        check_tag(request.experiment, "experiment")


def _run_and_finish(context: Context, journal: Journal, start: Start, plan: Plan, look: EnvironmentLook) -> Recorded:
    name = journal.folder.name
    ending = _run(context, journal, start.record, plan, look)
    try:
        finished = finish(context.repository, journal, start)
    except (ExptrackError, OSError) as error:
        return Recorded(name, ending, None, explain(error))
    tidy_in_background(context.repository)
    return Recorded(name, ending, finished)


def _claim(repository: Repository, wanted: str | None, now: datetime) -> tuple[Journal, Outset]:
    """Take a name nobody has, and the journal that goes with it."""
    if wanted is not None:
        check_name(wanted)
    for _ in range(_ATTEMPTS):
        name = wanted or make_up(_randbelow)
        # Claimed before looking, so that nobody can take it between the two.
        journal = journals.claim(repository.shared, name)
        try:
            outset = find_outset(repository, name, now)
        except BaseException:
            _let_go(journal)
            raise
        if outset.taken is None:
            return journal, outset
        _let_go(journal)
        if wanted:
            raise NameTakenError(f"a run named '{name}' exists already ({outset.taken}): choose another name")
    raise NameTakenError("no free name was found in 20 attempts: give one with `--name`")


def _let_go(journal: Journal) -> None:
    journal.remove()
    journal.close()


def _randbelow(bound: int) -> int:
    """A random number below a small bound; the module `secrets` takes 4 ms to import for it."""
    return int.from_bytes(os.urandom(8)) % bound


def _prepare(
    context: Context, request: Request, journal: Journal, outset: Outset, started: datetime
) -> tuple[Start, Plan]:
    """Look at the project, take the snapshot, and write down all that is known before the command starts."""
    repository, settings = context.repository, context.settings
    name, top = journal.folder.name, repository.top
    found = survey(repository, outset.base, settings.capture, journal.folder)
    reader = Reader(Disk(top), context.project, context.yaml.load)
    sources = reader.find_sources(found.dvc_files, _inside(top, request.directory))
    root = dvc.find_root(context.folder, top)
    outputs = check_outputs(context, request.directory, request.outputs, root)
    read = reader.params(sources.params)
    merged = merge_arguments(read, parse_arguments(request.command))
    params: dict[str, Tree] = {source: mask_tree(tree) for source, tree in merged.items()}
    excluded = frozenset([*sources.outs, *outputs])
    taken = snapshot.take(repository, name, found, settings.capture, excluded)
    refs.create_ref(repository, runs.ACTIVE + name, taken.oid, f"start {name}")
    parent = request.environ.get("EXPTRACK_RUN")
    concurrent = _meet_others(context, name, parent)
    draft = Record(
        name=name,
        status=Status.CRASHED,
        started=started,
        author=str(outset.committing.committer),
        host=os.uname().nodename,
        command=mask_arguments(request.command),
        project=context.project,
        directory=_inside(top, request.directory),
        branch=outset.branch,
        experiment=request.experiment,
        seed=find_seed(params, settings.seed),
        note=mask(request.note) if request.note else None,
        tags=request.tags,
        params=params,
        data=sources.pointers,
        not_captured=taken.omissions,
        concurrent=concurrent,
        problems=tuple(reader.problems),
        links=Links(parent=parent),
    )
    watched = (*sources.metrics, *sources.pointer_files, *outputs)
    start = Start(
        record=draft,
        snapshot=taken.oid,
        top=str(top),
        git_dir=str(repository.git_dir),
        metric_files=sources.metrics,
        pointer_files=sources.pointer_files,
        outputs=outputs,
        outs=sources.outs,
        stamps={path: stamp(top / path) for path in watched},
        primary=next(iter(settings.metrics), None),
        params_text=_params_text(context, found, taken),
        is_overridden=any(merged.get(source) != tree for source, tree in read.items()),
        author=str(outset.committing.author),
        committer=str(outset.committing.committer),
        is_signing=outset.committing.is_signing,
    )
    journal.save_start(start)
    for line in (*reader.problems, describe_omissions(taken.omissions)):
        if line:
            context.notice(line)
    environ = {**request.environ, "EXPTRACK_RUN": name}
    plan = Plan(request.command, request.directory, environ, settings.capture, sources.pointers, taken.omissions, root)
    return start, plan


def _params_text(context: Context, found: Survey, taken: Snapshot) -> str | None:
    """The project's `params.yaml`, if the snapshot holds it."""
    path = below(context.project, "params.yaml")
    if not found.is_captured(path, taken.omissions):
        return None
    try:
        return (context.repository.top / path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _inside(top: Path, path: Path) -> str:
    """A folder as a path from the root of the repository; one outside it (GIT_DIR allows that) counts as the root."""
    found, root = path.resolve(), top.resolve()
    return found.relative_to(root).as_posix() if found.is_relative_to(root) else "."


def _meet_others(context: Context, name: str, parent: str | None) -> tuple[str, ...]:
    """Names of live runs in this work tree; each of them is told of this one, and the user of all but the parent."""
    shared = context.repository.shared
    others = []
    for other in journals.list_names(shared):
        start = read_start(journals.folder_of(shared, other)) if other != name else None
        if start is not None and start.top == str(context.repository.top) and journals.is_alive(shared, other):
            journals.append_elsewhere(shared, other, "concurrent", name=name)
            others.append(other)
    strangers = [other for other in others if other != parent]
    if strangers:
        context.notice(f"{', '.join(strangers)} runs in this work tree too: what both write cannot be told apart")
    return tuple(others)


def _run(context: Context, journal: Journal, draft: Record, plan: Plan, look: EnvironmentLook) -> Ending:
    """Run the command to its end, with everything that comes out written down as it comes."""
    listener = Listener(journal, context.settings.capture.patterns)
    observation = Observation(context.repository, journal, draft, plan, look)

    def started(pid: int) -> None:
        journal.append("command", pid=pid)
        journal.start_syncing()
        observation.start()
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
            inherit=(lock,),
        )
    except ExptrackError:
        journal.has_started = False
        raise
    listener.close()
    journal.append("ended", exit_code=ending.exit_code, signal=ending.signal, interrupted=ending.interrupted)
    journal.stop_syncing()
    observation.wait()
    return ending
