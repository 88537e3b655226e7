"""DVC's run cache, used by several pipelines at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

_TRIES = 10


def share_run_cache(cache: Any, restored: Callable[[Any], None]) -> None:
    """Let a `dvc.stage.cache.StageCache` stand other processes beside it; `restored` is told of each stage that comes out of it.

    DVC takes what another process is still writing as it is, or for broken, and removes it under that one's hands. Both were seen with
    four pipelines at once on one cache.
    """
    load, restore = cache._load_cache, _patiently(cache.restore)  # noqa: SLF001 - there is no public way in

    def load_whole(key: str, value: str) -> Any:
        return None if value.endswith(".tmp") else load(key, value)

    def watched(stage: Any, **options: Any) -> None:
        restore(stage, **options)
        restored(stage)

    cache._load_cache = load_whole  # noqa: SLF001
    cache.restore = watched
    cache.save = _patiently(cache.save)


def _patiently(use: Callable[..., None]) -> Callable[..., None]:
    """A use of the run cache, again if another process moved a file of it meanwhile."""

    def tried(*words: Any, **options: Any) -> None:
        for _ in range(_TRIES):
            try:
                return use(*words, **options)
            except FileNotFoundError as error:
                if os.sep + "runs" + os.sep not in str(error.filename):
                    raise
        return use(*words, **options)

    return tried
