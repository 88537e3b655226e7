"""What is kept: whether it is whole, what goes, and what of it comes back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from exptrack.model.run import Run

if TYPE_CHECKING:
    from exptrack.model.collection import Collected
    from exptrack.model.progress import Progress
    from exptrack.model.verification import Verification
    from exptrack.verbs.opened import Opened


def verify(
    project: Opened, *words: str, full: bool = False, offline: bool = False, progress: Progress | None = None
) -> Verification:
    """Look whether all runs, or those that `words` name (revs, queries, ranges), are whole, and where their data is; changes nothing.

    With `full` all that is stored is read and compared with its hash; `offline` asks no DVC remote. Raises RevError, QueryError.
    """
    from exptrack.model.progress import Silence
    from exptrack.operations.verify import verify

    return verify(project.context, words, full=full, offline=offline, progress=progress or Silence())


def remove(project: Opened, *runs: str | Run, reason: str | None = None) -> tuple[str, ...]:
    """Move runs, each a run, a rev or a query, into the trash, and give their names; others hear of it by the next `push`.

    Raises RevError, QueryError, and ExptrackError for a run that is under way.
    """
    from exptrack.operations.remove import choose, remove

    words = [one.oid if isinstance(one, Run) else one for one in runs]
    return remove(project.context, choose(project.context, words), reason)


def restore(project: Opened, *names: str) -> tuple[str, ...]:
    """Bring removed runs back, all or none, each by its name or oid, and give their names; raises RevError, NameTakenError, RecordError."""
    from exptrack.operations.remove import restore

    return restore(project.context, names)


def collect(
    project: Opened,
    remote: str | None = None,
    *,
    force: bool = False,
    projects: Sequence[str | Path] = (),
    progress: Progress | None = None,
) -> Collected:
    """Find data in the DVC cache, or in the DVC remote of this name, that nothing uses, and delete it with `force`.

    `projects` are folders of other repositories that use the same cache or remote. Raises DataError, RepositoryError; then nothing
    that is used was deleted.
    """
    from exptrack.model.progress import Silence
    from exptrack.operations.collect import collect

    folders = [project.directory / folder for folder in projects]
    return collect(
        project.context,
        force=force,
        remote=remote,
        projects=folders,
        progress=progress or Silence(),
        folder=project.directory,
    )
