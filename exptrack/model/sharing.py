"""What came of sharing runs: pushed, fetched, removed."""

from __future__ import annotations

from typing import NamedTuple

from exptrack.model.data import Pointer


class Clash(NamedTuple):
    """A name that the other side has given to another run; both oids in full."""

    name: str
    here: str
    there: str


class Held(NamedTuple):
    """A run that stays where it is, and why."""

    name: str
    reason: str


class Sent(NamedTuple):
    """What `backends.dvc.push` did for the pointers of one DVC project.

    `objects` files of `size` bytes went to the remote, `there` were there. `missing` are pointers whose data is neither in the cache
    nor in the remote, `private` those that their `.dvc` file or `dvc.yaml` marks with `push: false`. `damaged` are those of the missing
    whose data is in the cache, but is not what its name says.
    """

    objects: int = 0
    size: int = 0
    there: int = 0
    missing: tuple[Pointer, ...] = ()
    private: tuple[Pointer, ...] = ()
    damaged: tuple[Pointer, ...] = ()


class Pushed(NamedTuple):
    """What `push` did. `names` are the runs that the remote has now and had not before, `there` counts those that it had.

    `clashes` and `held` were not pushed. `completed` are runs that went without their data before, which is there now. `removed` are names that were taken off the remote, since they were removed here. `warning`
    says what of the annotations could not be shared, `advice` what the user should know. Of a dry run all is as it would be; `objects` and
    `size` are at most so much then.
    """

    remote: str
    names: tuple[str, ...] = ()
    there: int = 0
    objects: int = 0
    size: int = 0
    clashes: tuple[Clash, ...] = ()
    held: tuple[Held, ...] = ()
    completed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unshared: tuple[str, ...] = ()
    annotations: bool = False
    warning: str | None = None
    advice: tuple[str, ...] = ()


class Arrival(NamedTuple):
    """Runs of one author and host that came."""

    author: str
    host: str
    names: tuple[str, ...]


class Fetched(NamedTuple):
    """What `fetch` did. `refused` are runs that are not what they should be, `clashes` those whose name is taken here.

    `tombstoned` are names that came with a tombstone and were left out; `gone` are runs that are here and were removed by somebody else.
    `objects` and `size` (bytes) count the data that came with `pull`.
    """

    remote: str
    arrivals: tuple[Arrival, ...] = ()
    there: int = 0
    clashes: tuple[Clash, ...] = ()
    refused: tuple[Held, ...] = ()
    tombstoned: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    annotations: bool = False
    objects: int = 0
    size: int = 0
    lacking: tuple[Held, ...] = ()
