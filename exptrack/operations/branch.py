"""Make an ordinary branch of a run: the base, the changes of the snapshot and the results, in one commit."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from exptrack.analysis.message import format_branch_message
from exptrack.analysis.trust import check_run
from exptrack.backends.git import branches, objects, refs
from exptrack.backends.git.repository import Repository
from exptrack.backends.git.staging import list_files, write_tree_without
from exptrack.errors import ExptrackError, RepositoryError
from exptrack.model.run import Run
from exptrack.operations.context import Context
from exptrack.operations.recording.observe import describe_omissions
from exptrack.store.private_index import is_ours


class Branch(NamedTuple):
    """A new branch: its name, its commit, and what that stands on."""

    name: str
    oid: str
    base: str | None


def branch(context: Context, run: Run, name: str) -> Branch:
    """Create the branch `name`, whose one commit on the run's base claims the run; HEAD stays where it is.

    Raises ExptrackError if the name cannot be one or is taken, RecordError if the run cannot be trusted, RepositoryError if the base is not in this repository.
    """
    repository = context.repository
    check_run(run)
    _check_name(repository, name)
    if run.snapshot is None or (run.base and not objects.resolve(repository, [f"{run.base}^{{commit}}"])[0]):
        raise RepositoryError(f"the base of '{run.name}' is not in this repository: run `git fetch --unshallow` first")
    with TemporaryDirectory(prefix="exptrack-") as scratch:
        tree = write_tree_without(repository, run.oid, Path(scratch), _list_private(repository, run, run.snapshot))
    message = format_branch_message(run.record, run.oid, run.notes, next(iter(context.settings.metrics), None))
    oid = _commit(context, tree, [run.base] if run.base else [], message)
    if not refs.create_ref(repository, f"refs/heads/{name}", oid, f"branch of {run.name}"):
        raise ExptrackError(_taken(name))
    if left := describe_omissions(run.record.not_captured):
        context.notice(f"{run.name}: {left}")
    return Branch(name, oid, run.base)


def _check_name(repository: Repository, name: str) -> None:
    if not branches.is_branch_name(repository, name):
        raise ExptrackError(f"{name!r} cannot be the name of a branch: see `git help check-ref-format`")
    if refs.list_refs(repository, f"refs/heads/{name}").get(f"refs/heads/{name}"):
        raise ExptrackError(_taken(name))
    if refs.find_branch(repository) == name:
        raise ExptrackError(f"'{name}' is checked out, and has no commit yet: choose another name")


def _taken(name: str) -> str:
    return f"the branch '{name}' exists already: choose another name, or delete it with `git branch -D`"


def _list_private(repository: Repository, run: Run, snapshot: str) -> list[str]:
    """The files of the run commit that are no part of the project: exptrack's own, and copies of metrics that DVC holds.

    A file that is both in Git and an out of a stage makes `dvc repro` fail.
    """
    before = list_files(repository, snapshot)
    held = {pointer.path for pointer in run.record.pointers}
    return [path for path in list_files(repository, run.oid) if is_ours(path) or (path in held and path not in before)]


def _commit(context: Context, tree: str, parents: list[str], message: str) -> str:
    """The commit, signed if the user's Git says so and the signer works. Raises RepositoryError if Git knows no identity."""
    repository = context.repository
    if branches.find_committing(repository).is_signing:
        try:
            return objects.write_commit(repository, tree, parents, message, signed=True)
        except RepositoryError:
            context.notice("commit.gpgSign is set, but signing failed: the commit of the branch is unsigned")
    return objects.write_commit(repository, tree, parents, message)
