"""What keeps a repository fast with many runs, in the background and never in the way."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime

from exptrack.backends.git import maintenance
from exptrack.backends.git.repository import Repository
from exptrack.store.runs import RUNS

_MANY = 100


def tidy_in_background(repository: Repository) -> None:
    """Pack refs and let git maintain itself, once a hundred loose refs have come together; nobody waits for it."""
    folder = repository.common_dir / RUNS / f"{datetime.now(UTC):%Y-%m}"
    with suppress(OSError):
        if sum(1 for _ in os.scandir(folder)) >= _MANY:
            maintenance.start(repository)
