"""What came of collecting garbage."""

from __future__ import annotations

from typing import NamedTuple


class Garbage(NamedTuple):
    """An object that nothing uses: `size` in bytes; `path` is what it was, where a removed run or a listing still tells."""

    digest: str
    size: int
    path: str | None = None


class Collected(NamedTuple):
    """What `gc` found in `place`, a cache or a remote, and deleted if `done`.

    `objects` of `size` bytes are garbage, the largest of them in `largest`. `kept` objects are used, `young` ones are not, but not yet
    old enough. `losing` are runs that lose data by the policy of `exptrack.yaml`, `expired` removed runs whose time is over. `unlisted`
    counts folders that are used and whose listing is not in `place`. `unreadable` are pointer files, and listings, that do not say what
    they use.
    """

    place: str
    done: bool
    objects: int = 0
    size: int = 0
    kept: int = 0
    kept_size: int = 0
    young: int = 0
    young_size: int = 0
    largest: tuple[Garbage, ...] = ()
    losing: tuple[str, ...] = ()
    expired: tuple[str, ...] = ()
    unlisted: int = 0
    unreadable: tuple[str, ...] = ()
