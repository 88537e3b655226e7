"""The sides of a diff: runs, commits and the work tree, each with what can be compared of it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from exptrack.analysis.codec import decode_environment
from exptrack.analysis.comparable import (
    data_tree,
    environment_tree,
    holds_metrics,
    is_value_file,
    params_tree,
    plain_outs,
    pointers_of,
)
from exptrack.analysis.holdout import find_holdouts, hide
from exptrack.analysis.names import is_name
from exptrack.analysis.secrets import mask_tree
from exptrack.backends import dvc
from exptrack.backends.git import diffs, objects
from exptrack.backends.git.refs import list_refs
from exptrack.backends.git.repository import Repository
from exptrack.errors import DataError, RecordError, RepositoryError, RevError
from exptrack.model.data import Pointer
from exptrack.model.difference import Area, Side, SideKind
from exptrack.model.run import Run
from exptrack.model.tree import Tree
from exptrack.operations.artifacts import list_artifacts
from exptrack.operations.context import Context
from exptrack.operations.environment import capture_environment, environment_cache
from exptrack.operations.files import Committed, Disk, Files
from exptrack.operations.recording.observe import describe_omissions
from exptrack.operations.sources import Reader, Sources, below
from exptrack.store import revs, runs
from exptrack.store.names import find_named
from exptrack.store.private_index import is_dvc_file, survey
from exptrack.store.snapshot import build

WORK_TREE = "."
_NO_RUN = "no run is named"


class Found(NamedTuple):
    """What was typed, and what it means: a run, or a commit, or else the work tree."""

    typed: str
    run: Run | None = None
    commit: str | None = None


def find(context: Context, rev: str | Run) -> Found:
    """What `rev` means on a side of a diff: `.` is the work tree; else it is a run, or what Git knows by that name.

    A branch or tag of Git counts more than a run that is only named by a beginning, a tag or an oid. Raises RevError.
    """
    if isinstance(rev, Run):
        return Found(rev.name, run=rev)
    if rev == WORK_TREE:
        return Found(rev)
    commit = _find_in_git(context.repository, rev)
    if commit and not find_named(context.repository, rev):
        return Found(rev, commit=commit)
    try:
        run = revs.load(context.repository, rev)
    except RevError as error:
        commit = None if _is_latest(rev) else objects.find_commit(context.repository, rev)
        if commit is None:
            raise _unknown(context.repository, rev, error) from error
        return Found(rev, commit=commit)
    if run.snapshot is None:
        raise RepositoryError(
            f"the snapshot of '{run.name}' is not in this repository: run `git fetch --unshallow` first"
        )
    if commit:
        context.notice(
            f"'{rev}' is a run and a branch or tag of Git: the run is taken, `refs/heads/{rev}` is the branch"
        )
    return Found(rev, run=run)


def _find_in_git(repository: Repository, rev: str) -> str | None:
    """The commit of a branch or tag, or of what can be no run by its look (`HEAD~2`, `origin/main`)."""
    if _is_latest(rev):
        return None
    if not is_name(rev):
        return objects.find_commit(repository, rev)
    names = [f"refs/{kind}/{rev}^{{commit}}" for kind in ("heads", "tags")]
    return next(filter(None, objects.resolve(repository, names)), None)


def _unknown(repository: Repository, rev: str, error: RevError) -> RevError:
    """What no run is, and Git does not know either; a branch may be meant."""
    from difflib import get_close_matches

    said = str(error)
    if _is_latest(rev) or not said.startswith(_NO_RUN):
        return error
    branches = [ref.removeprefix("refs/heads/") for ref in list_refs(repository, "refs/heads")]
    near = get_close_matches(rev[:100], branches, n=1)
    if near and "did you mean" not in said:
        return RevError(f"no run, branch or commit is named '{rev}', did you mean '{near[0]}'?")
    return RevError(said.replace(_NO_RUN, "no run, branch or commit is named", 1), error.hints)


def _is_latest(rev: str) -> bool:
    """Whether it is `@` or `@~2`, which mean runs here; `@{upstream}` is Git's."""
    return rev.startswith("@") and not rev.startswith("@{")


def make_run_side(context: Context, run: Run, areas: Collection[Area]) -> Side:
    """The side of a run: what its record says, and its environment if that is asked for."""
    record = run.record
    pointers = _plain_outs(context, run) | pointers_of(record)
    if Area.DATA in areas:
        pointers |= {pointer.path: pointer for pointer in list_artifacts(context, run)}
    trees: dict[str, Tree] = {
        Area.PARAMS: params_tree(record.params),
        Area.METRICS: record.shown_metrics,
        Area.DATA: data_tree(pointers.values()),
    }
    unknown: dict[str, str] = {}
    if Area.ENVIRONMENT in areas:
        data = runs.read_files(context.repository, run.oid, [runs.ENVIRONMENT]).get(runs.ENVIRONMENT)
        try:
            if data is None:
                unknown[Area.ENVIRONMENT] = "it was not captured"
            else:
                trees[Area.ENVIRONMENT] = environment_tree(decode_environment(data))
        except RecordError as error:
            unknown[Area.ENVIRONMENT] = f"it cannot be read, {error}"
    written = diffs.list_written(context.repository, run.oid) if Area.CODE in areas else []
    sources = [below(record.project, source) for source in record.params]
    by_value = frozenset([*sources, *(pointer.source for pointer in pointers.values() if pointer.source)])
    code = run.snapshot or f"{run.oid}^"
    return Side(run.name, SideKind.RUN, run.oid, code, trees, unknown, pointers, by_value, frozenset(written), run)


def _plain_outs(context: Context, run: Run) -> dict[str, Pointer]:
    """What stages made and DVC does not cache, but for files of metrics, which are compared by value."""
    outs = plain_outs(run.record)
    asked = [path for path in outs if is_value_file(path)]
    found = runs.read_files(context.repository, run.oid, asked) if asked else {}
    metrics = {path for path, content in found.items() if holds_metrics(run.record, path, content)}
    return {path: pointer for path, pointer in outs.items() if path not in metrics}


def make_commit_side(context: Context, name: str, commit: str) -> Side:
    """The side of a commit: what its own files say."""
    files = Committed(context.repository, commit)
    unknown = {str(Area.ENVIRONMENT): "a commit has none"}
    side = Side(name, SideKind.COMMIT, commit, commit, {}, unknown)
    return _with_files(context, side, files, [path for path in files.paths if is_dvc_file(path)])[0]


@contextmanager
def work_tree_side(context: Context, areas: Collection[Area], like: Run | None) -> Iterator[tuple[Side, Repository]]:
    """The side of the work tree as it is now, and the repository as it must be looked at to see its code.

    Nothing is written to the repository: what git makes goes to a folder of the moment. The environment is that in which the command
    of the run `like` would be started now.
    """
    repository, capture = context.repository, context.settings.capture
    with TemporaryDirectory(prefix="exptrack-") as temporary:
        scratch = Path(temporary)
        (scratch / "objects").mkdir()
        seen = repository._replace(scratch=scratch / "objects")
        [base] = objects.resolve(repository, ["HEAD^{commit}"])
        found = survey(seen, base, capture, scratch)
        side = Side("work tree", SideKind.WORK_TREE, None, "", {})
        side, sources = _with_files(context, side, Disk(repository.top), found.dvc_files)
        if Area.CODE in areas:
            tree, omissions, _ = build(seen, found, capture, frozenset(sources.outs))
            left = describe_omissions(omissions)
            side = side._replace(code=tree, problems=(*side.problems, *([left] if left else [])))
        if Area.DATA in areas:
            side = _with_pointers(side, _look_at_data(context, sources.pointers))
        if Area.ENVIRONMENT in areas:
            side = _with_environment(context, side, like)
        yield side, seen


def _with_files(context: Context, side: Side, files: Files, dvc_files: Sequence[str]) -> tuple[Side, Sources]:
    """The side with what its files say, and which files these are."""
    reader = Reader(files, context.project, context.yaml.load)
    sources = reader.find_sources(dvc_files, context.project)
    metrics = [path for path in sources.metrics if files.has(path)]
    trees: dict[str, Tree] = {Area.PARAMS: mask_tree(params_tree(reader.params(sources.params)))}
    unknown = dict(side.unknown)
    if metrics:
        trees[Area.METRICS] = hide(reader.metrics(metrics), find_holdouts(context.settings.metrics), metrics)
    else:
        unknown[Area.METRICS] = "no file of metrics"
    by_value = frozenset({*sources.params, *metrics, *sources.pointer_files} - reader.refused)
    side = side._replace(trees=trees, unknown=unknown, read_by_value=by_value, results=by_value & {*metrics})
    side = side._replace(problems=tuple(dict.fromkeys(reader.problems)))
    return _with_pointers(side, sources.pointers), sources


def _with_pointers(side: Side, pointers: Sequence[Pointer]) -> Side:
    by_path = {pointer.path: pointer for pointer in pointers}
    return side._replace(pointers=by_path, trees={**side.trees, Area.DATA: data_tree(pointers)})


def _look_at_data(context: Context, pointers: tuple[Pointer, ...]) -> tuple[Pointer, ...]:
    if not pointers:
        return pointers
    top = context.repository.top
    root = dvc.find_root(context.folder, top)
    known = dvc.StatCache(context.repository.shared / "cache" / "digests")
    looked = dvc.look(pointers, top, dvc.cache_dir(root) if root else None, known)
    with suppress(OSError, DataError):
        known.save()  # a cache; in a checkout that can only be read it stays as it is
    return looked


def _with_environment(context: Context, side: Side, like: Run | None) -> Side:
    if like is None:
        return side._replace(
            unknown={**side.unknown, Area.ENVIRONMENT: "known only beside a run, whose command would use it"}
        )
    directory = context.repository.top / like.record.directory
    if not directory.is_dir():
        directory = context.repository.top
    variables = context.settings.capture.environment
    cache = environment_cache(context.repository.shared)
    # Of a pipeline, what its stages ran.
    stages = "\n".join(stage.command for stage in like.record.stages or ())
    command = ("sh", "-c", stages) if like.record.is_pipeline else like.record.command
    found = capture_environment(command, directory, os.environ, variables, cache)
    return side._replace(trees={**side.trees, Area.ENVIRONMENT: environment_tree(found)})
