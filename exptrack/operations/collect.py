"""Collect garbage: delete data that nothing uses, in the DVC cache or in a DVC remote.

Used is what any version of a pointer file names (`usage.py`), and what is in folders of it. Besides, all is kept that is young: what was
put there, or taken up again, within the days of grace may belong to a run that has no ref yet, or one that is elsewhere.

In a cache DVC's own locks are held while it is looked at for the second time and garbage is deleted. Who takes up old data again
(`backends/dvc/objects.py`) makes it young first. In a remote, marks keep those away who push.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

from exptrack.backends import dvc
from exptrack.backends.dvc.collecting import delete, list_objects, locked, read_members
from exptrack.backends.dvc.config import Cache, find_cache
from exptrack.backends.git import everywhere
from exptrack.errors import DataError
from exptrack.model.collection import Collected
from exptrack.model.progress import Progress, Silence
from exptrack.operations.context import Context
from exptrack.operations.garbage import Counted, Scope, forget_expired, make_plan, refuse_unreadable
from exptrack.operations.usage import find_repositories

_SILENCE: Final = Silence()


def collect(  # noqa: PLR0913 - each is a choice of the user's, but for the clock
    context: Context,
    *,
    force: bool,
    remote: str | None = None,
    projects: Sequence[Path] = (),
    progress: Progress = _SILENCE,
    despite: bool = False,
    folder: Path | None = None,
    now: float | None = None,
) -> Collected:
    """Find the data that nothing uses, and delete it if `force`; in the remote of this name, else in the DVC cache of the project.

    Of several DVC projects in the repository the one counts that `folder` lies in, or else the project's own folder.
    `projects` are folders of other repositories that use it, too. `despite` deletes even if there are pointer files that do not say
    what they use. `now` is the time to reckon with. Raises DataError if there is no DVC project, if others may use the cache, if somebody
    works with DVC or pushes just now, or if what is used cannot be known; RepositoryError if a repository is not whole, or a Git remote
    cannot be reached.
    """
    folder = (context.folder if folder is None else folder).resolve()
    root = dvc.find_root(folder, context.repository.top.resolve())
    if root is None:
        raise DataError(f"there is no DVC project at {folder}, so there is no data to collect")
    scope = Scope(context, root, find_repositories(context.repository, projects), time.time() if now is None else now)
    if remote is not None:
        from exptrack.operations.collectremote import collect_remote

        return collect_remote(scope, remote, progress, force=force, despite=despite, is_given=now is not None)
    return _collect_cache(scope, progress, force=force, despite=despite, is_shared=bool(projects))


def _collect_cache(scope: Scope, progress: Progress, *, force: bool, despite: bool, is_shared: bool) -> Collected:
    cache = find_cache(scope.root)
    if not is_shared:
        _refuse_shared(scope, cache)
    lock: AbstractContextManager[None] = nullcontext()
    if force:
        lock = locked(_find_roots(scope, cache))
    with lock:
        progress.begin("looking for garbage")
        objects = list(list_objects(cache))
        plan = make_plan(scope, str(cache.folder), objects, lambda digests: read_members(cache, digests))
        if force:
            refuse_unreadable(plan.said, despite=despite)
            forget_expired(scope)
            counted = Counted(progress, len(plan.garbage))
            delete(cache, plan.garbage, scope.before, counted.add)
            return plan.said._replace(done=True, objects=counted.objects, size=counted.size)
    return plan.said


def _refuse_shared(scope: Scope, cache: Cache) -> None:
    folder = cache.folder.resolve()
    repository = scope.context.repository
    inside = [repository.common_dir, *(place.top for place in everywhere.list_places(repository) if place.top)]
    if not any(folder.is_relative_to(top.resolve()) for top in inside):
        raise DataError(
            f"the cache {cache.folder} lies outside of the repository, and others may use it: "
            "name their folders with `--projects DIR…`"
        )


def _find_roots(scope: Scope, cache: Cache) -> list[Path]:
    """All DVC projects in work trees of the repositories that have this cache."""
    folder = cache.folder.resolve()
    roots = {scope.root.resolve()}
    for repository in scope.repositories:
        for place in everywhere.list_places(repository):
            roots |= {root.resolve() for root in everywhere.find_folders_with(repository, place, ".dvc/config")}
    return sorted(root for root in roots if find_cache(root).folder.resolve() == folder)
