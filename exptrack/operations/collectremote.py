"""Collect garbage in a DVC remote: with what all Git remotes have fetched afresh, and by the remote's own clock."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exptrack.backends.dvc.config import find_cache
from exptrack.backends.dvc.markers import Mark, collecting
from exptrack.backends.dvc.remote import Remote, open_remote, quiet
from exptrack.backends.dvc.remotecollecting import (
    check_listable,
    delete_from_remote,
    list_remote_objects,
    read_remote_members,
)
from exptrack.backends.git.ancestry import is_shallow
from exptrack.backends.git.everywhere import list_remotes
from exptrack.backends.git.remotes import GitRemote, find_remote
from exptrack.backends.git.repository import Repository
from exptrack.backends.git.transport import fetch_objects, list_remote, push_refs
from exptrack.errors import DataError, RepositoryError
from exptrack.model.collection import Collected
from exptrack.model.progress import Progress
from exptrack.operations.garbage import Counted, Plan, Scope, forget_expired, make_plan, refuse_unreadable
from exptrack.operations.sharing.annotating import merge
from exptrack.store.annotation import NOTES


def collect_remote(
    scope: Scope, name: str, progress: Progress, *, force: bool, despite: bool, is_given: bool
) -> Collected:
    """As `collect`, in the remote of this name; the time of `scope` counts in place of the remote's own if it `is_given`."""
    with quiet(), open_remote(scope.root, name, "garbage", "collect") as remote:
        check_listable(remote)
        if not force:
            return _make_plan(scope, remote, _fetch(scope, progress), progress).said
        with collecting(remote) as mark:
            if not is_given:
                scope = scope._replace(now=_ask_time(remote, mark))
            elsewhere = _fetch(scope, progress)
            plan = _make_plan(scope, remote, elsewhere, progress)
            refuse_unreadable(plan.said, despite=despite)
            _forget_expired(scope, elsewhere)
            counted = Counted(progress, len(plan.garbage))
            delete_from_remote(remote, plan.garbage, mark, counted.add)
            return plan.said._replace(done=True, objects=counted.objects, size=counted.size)


def _ask_time(remote: Remote, mark: Mark) -> float:
    if mark.moment is None:
        raise DataError(
            f"the remote '{remote.name}' does not say when files were written, so nothing there can be called old"
        )
    return min(mark.moment, time.time())


def _make_plan(scope: Scope, remote: Remote, elsewhere: Sequence[_Elsewhere], progress: Progress) -> Plan:
    progress.begin("looking for garbage")
    cache = find_cache(scope.root)
    objects = list(list_remote_objects(remote))
    also: dict[str, set[tuple[str, str]]] = {}
    for one in elsewhere:
        also.setdefault(str(one.repository.common_dir), set()).update(one.refs.items())
    return make_plan(
        scope,
        f"{remote.name} ({remote.url(remote.path)})",
        objects,
        lambda digests: read_remote_members(remote, cache, digests, objects),
        also,
    )


class _Elsewhere(NamedTuple):
    """The refs of a Git remote of one of the repositories, each with its oid."""

    repository: Repository
    remote: GitRemote
    refs: Mapping[str, str]


def _fetch(scope: Scope, progress: Progress) -> list[_Elsewhere]:
    """The refs of all Git remotes of the repositories; their objects are here then."""
    found = []
    for repository in scope.repositories:
        if is_shallow(repository):
            raise RepositoryError(
                f"{repository.top} is a shallow clone, so what older commits use is not known: `git fetch --unshallow`, and try again"
            )
        for name in list_remotes(repository):
            try:
                remote = find_remote(repository, name)
                listed = list_remote(repository, remote)
                fetch_objects(repository, remote, listed, progress)
                if NOTES in listed and repository is scope.context.repository and scope.context.settings.keep.data:
                    merge(repository, listed[NOTES])  # a tag may be what keeps the data of a run
            except RepositoryError as error:
                raise RepositoryError(
                    f"{error}; nothing was deleted, since what the Git remote '{name}' uses is not known"
                ) from error
            found.append(_Elsewhere(repository, remote, listed))
    return found


def _forget_expired(scope: Scope, elsewhere: Sequence[_Elsewhere]) -> None:
    """Delete the refs of removed runs whose time is over, on the Git remotes first: what has a ref there has its data."""
    for one in elsewhere:
        if one.repository is scope.context.repository and (expired := scope.find_expired(one.refs)):
            rejected = push_refs(one.repository, one.remote, {}, expired).rejected
            if rejected:
                raise RepositoryError(
                    f"the trash of {one.remote.name} has changed meanwhile; nothing was deleted, do it once more"
                )
    forget_expired(scope)
