"""Runs, their data and annotations, to and from others, and as files for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from exptrack.model.progress import Progress
    from exptrack.model.sharing import Fetched, Pushed
    from exptrack.operations.export import Exported
    from exptrack.operations.sharing.arriving import Filter
    from exptrack.verbs.opened import Opened


def push(
    project: Opened,
    remote: str | None = None,
    runs: Sequence[str] = (),
    *,
    others: bool = False,
    data: bool = True,
    progress: Progress | None = None,
) -> Pushed:
    """Share runs by a Git remote: their data first, then the runs, then annotations.

    `runs` are revs and queries; else those that were recorded here go, with `others` all. Without `data` it is noted with each run
    that its data is not shared. Runs that stay here are among the result's `clashes` and `held`. Raises RepositoryError, DataError, RevError.
    """
    from exptrack.operations.push import Order, push

    return push(project.context, Order(tuple(runs), remote=remote, is_all=others, has_data=data), progress)


def fetch(
    project: Opened, remote: str | None = None, wanted: Filter | None = None, progress: Progress | None = None
) -> Fetched:
    """Get the runs of others that are `wanted` (else all) from a Git remote, and their annotations; raises RepositoryError."""
    from exptrack.operations.fetch import Order, fetch
    from exptrack.operations.sharing.arriving import Filter

    return fetch(project.context, Order(remote, wanted or Filter()), progress)


def pull(
    project: Opened, remote: str | None = None, wanted: Filter | None = None, progress: Progress | None = None
) -> Fetched:
    """As `fetch`, and the data of these runs comes too; what cannot be had is among the result's `lacking`."""
    from exptrack.operations.fetch import Order, fetch
    from exptrack.operations.sharing.arriving import Filter

    return fetch(project.context, Order(remote, wanted or Filter(), has_data=True), progress)


def export(  # noqa: PLR0913 - the options of the command
    project: Opened,
    folder: str | Path,
    query: str | None = None,
    *,
    since: str | datetime | None = None,
    format: str = "parquet",  # noqa: A002 - as the command calls it
    history: bool = False,
    repository: str | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Write runs into a folder as `parquet`, `csv` or `jsonl`, a file a month, and with `history` their histories; `docs/export.md` has the columns.

    It replaces what an earlier export of this repository left there, and only when all is written. `repository` is what the files are
    called. Raises QueryError; DataError where pyarrow is missing; ExptrackError if the folder cannot be written.
    """
    from exptrack.model.progress import Silence
    from exptrack.operations.export import Asked, export

    asked = Asked(query, since, format, history, repository)
    return export(project.context, project.directory / folder, asked, progress or Silence())
