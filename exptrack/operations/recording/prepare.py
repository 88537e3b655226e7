"""What is known before the command of a run starts: the project is looked at, and the snapshot taken."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath

from exptrack.analysis.arguments import merge_arguments, parse_arguments
from exptrack.analysis.holdout import find_holdouts
from exptrack.analysis.secrets import mask, mask_arguments, mask_tree
from exptrack.analysis.seeds import find_seed
from exptrack.backends import dvc
from exptrack.backends.git import refs
from exptrack.errors import ExptrackError
from exptrack.model.run import Links, Record, Status
from exptrack.model.tree import Tree, flatten
from exptrack.operations.context import Context
from exptrack.operations.files import Disk
from exptrack.operations.recording import dvclive
from exptrack.operations.recording.declared import check_declared
from exptrack.operations.recording.observe import Plan, describe_omissions
from exptrack.operations.recording.outputs import check_outputs
from exptrack.operations.recording.request import Place, Request
from exptrack.operations.sources import Reader, Sources, below
from exptrack.store import journal as journals
from exptrack.store import runs, snapshot
from exptrack.store.journal import Journal, list_ancestors
from exptrack.store.private_index import Survey, survey
from exptrack.store.snapshot import Snapshot
from exptrack.store.start import Start, read_start, stamp


def prepare(place: Place, journal: Journal, started: datetime) -> tuple[Start, Plan]:
    """Look at the project, take the snapshot, and write down all that is known before the command starts."""
    context, request, outset = place.context, place.request, place.outset
    repository, settings = context.repository, context.settings
    name, top = journal.folder.name, repository.top
    found = survey(repository, outset.base, settings.capture, journal.folder)
    reader = Reader(Disk(top), context.project, context.yaml.load)
    directory = _inside(top, request.directory)
    sources, folders = dvclive.claim(reader.find_sources(found.dvc_files, directory), context.project, directory)
    root = dvc.find_root(context.folder, top)
    outputs = check_outputs(context, request.directory, request.outputs, root)
    read = reader.params(sources.params)
    merged = merge_arguments(read, parse_arguments(request.command))
    params: dict[str, Tree] = {source: mask_tree(tree) for source, tree in merged.items()}
    seed = _seed(request, find_seed(params, settings.seed))
    declared = check_declared(settings.experiments, request, params)
    excluded = frozenset([*sources.outs, *outputs, *place.links, *dvclive.list_own(folders)])
    taken = snapshot.take(repository, name, found, settings.capture, excluded)
    taken = taken._replace(omissions=tuple(dict.fromkeys([*place.omissions, *taken.omissions])))
    refs.create_ref(repository, runs.ACTIVE + name, taken.oid, f"start {name}")
    parent = _find_parent(request.environ, repository.shared)
    concurrent = _meet_others(context, name, parent)
    draft = Record(
        name=name,
        status=Status.CRASHED,
        started=started,
        author=str(outset.committing.committer),
        host=os.uname().nodename,
        command=mask_arguments(request.command),
        overrides=tuple(map(_mask_override, request.overrides)),
        project=context.project,
        directory=directory,
        branch=outset.branch,
        experiment=request.experiment,
        seed=seed,
        note=mask(request.note) if request.note else None,
        tags=request.tags,
        params=params,
        data=sources.pointers,
        not_captured=taken.omissions,
        concurrent=concurrent,
        problems=(*place.problems, *reader.problems, *declared),
        links=Links(parent=parent, reproduces=request.reproduces, resumes=request.resumes),
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
        primary=next((name for name, one in settings.metrics.items() if not one.holdout), None),
        params_text=_params_text(context, found, taken),
        is_isolated=bool(place.locks),
        links=place.links,
        limits=settings.capture.limits,
        secrets=settings.capture.secrets,
        holdouts=tuple(dict.fromkeys([*find_holdouts(settings.metrics), *request.holdouts])),
        patterns=settings.capture.patterns,
        seed_name=settings.seed,
        is_overridden=any(merged.get(source) != tree for source, tree in read.items()),
        author=str(outset.committing.author),
        committer=str(outset.committing.committer),
        is_signing=outset.committing.is_signing,
    )
    start = dvclive.watch(start if request.command else _start_pipeline(place, found, taken, sources, start), folders)
    journal.save_start(start)
    _tell(context, (*place.problems, *reader.problems, *declared, describe_omissions(taken.omissions)))
    environ = {**request.environ, "EXPTRACK_RUN": name, "EXPTRACK_JOURNAL": str(journal.folder)}
    executed = request.executed or request.command
    plan = Plan(executed, request.directory, environ, settings.capture, sources.pointers, taken.omissions, root)
    return start, plan if request.command else _plan_pipeline(place, journal, plan, sources)


def _tell(context: Context, lines: Sequence[str | None]) -> None:
    for line in lines:
        if line:
            context.notice(line)


def _start_pipeline(place: Place, found: Survey, taken: Snapshot, sources: Sources, start: Start) -> Start:
    """What besides is to be looked at in the end: files that Git may hold, and ignore lines, which DVC writes."""
    from exptrack.operations.recording.pipeline import find_unversioned

    top = place.context.repository.top
    ignores = dict.fromkeys(str(PurePosixPath(path).with_name(".gitignore")) for path in sources.outs)
    return start._replace(
        record=start.record._replace(stages=()),
        own=sources.own,
        plain=(*sources.plain, *ignores),
        unversioned=find_unversioned(sources, found, taken.omissions, place.links, top),
        stamps={**start.stamps, **{path: stamp(top / path) for path in (*sources.plain, *ignores)}},
    )


def _plan_pipeline(place: Place, journal: Journal, plan: Plan, sources: Sources) -> Plan:
    from exptrack.operations.recording.pipeline import as_shell, driver

    words = as_shell(sources.stages, place.context.repository.top)
    return plan._replace(command=driver(place, journal.folder), words=words)


def _seed(request: Request, found: int | str | None) -> int | str | None:
    """What `--seed` gave, which the files of parameters have by now; else what was `found` in the parameters."""
    if request.seed is None or found is None or found == request.seed:
        return found if request.seed is None else request.seed
    raise ExptrackError(f"--seed gives {request.seed} and the run's parameters give {found} as the seed: leave one out")


def _mask_override(word: str) -> str:
    """An override without its credentials: what would be masked in the words of a command, or as a parameter of a file."""
    before = word.partition("=")[0]
    start = max(map(before.rfind, ":+~")) + 1  # the name of a file, and signs
    key, sign, value = mask_arguments([word[start:]])[0].partition("=")
    tree: Tree = {"": value}
    for name in reversed(key.split(".")):
        tree = {name: tree.get("", tree)}
    [masked] = flatten(mask_tree(tree)).values()
    return f"{word[:start]}{key}{sign}{masked}"


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


def _find_parent(environ: Mapping[str, str], shared: Path) -> str | None:
    """Name of the run that this one is inside of; in another repository it means nothing."""
    journal = environ.get("EXPTRACK_JOURNAL")
    if journal and os.path.realpath(Path(journal).parents[1]) != os.path.realpath(shared):
        return None
    return environ.get("EXPTRACK_RUN")


def _meet_others(context: Context, name: str, parent: str | None) -> tuple[str, ...]:
    """Names of live runs in this work tree, but for those that this one is inside of; each is told of this one, and the user of strangers."""
    shared = context.repository.shared
    around = list_ancestors(shared, parent)
    others, strangers = [], []
    for other in journals.list_names(shared):
        start = read_start(journals.folder_of(shared, other)) if other not in {name, *around} else None
        if start is not None and start.top == str(context.repository.top) and journals.is_alive(shared, other):
            journals.append_elsewhere(shared, other, "concurrent", name=name)
            others.append(other)
            if parent is None or parent != start.record.links.parent:  # another child of the same is no stranger
                strangers.append(other)
    if strangers:
        context.notice(f"{', '.join(strangers)} runs in this work tree too: what both write cannot be told apart")
    return tuple(others)
