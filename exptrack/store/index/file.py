"""The index, opened: brought up to date first, or left alone where that cannot be."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from exptrack.backends.git.repository import Repository
from exptrack.errors import RepositoryError, explain
from exptrack.model.progress import Progress, Silence
from exptrack.model.run import BrokenRun
from exptrack.store import runs
from exptrack.store.index import mounts, noted, place, refslisting
from exptrack.store.index.place import BypassedError, Meta
from exptrack.store.index.refslisting import Listing
from exptrack.store.index.values import decode_text

if TYPE_CHECKING:
    import sqlite3

    from exptrack.store.index.changing import Source

OFF = "EXPTRACK_NO_INDEX"


class Opened(NamedTuple):
    """An index that stands for a moment after it was asked for: a connection in a read transaction, during which nobody can change it.

    `among` is the number of refs of runs; `broken` are those that hold none, as `runs.read_runs` explains them; `lost` are the oids of runs
    whose note is not in the repository. By its `seal` the same rows are found again by `reopened`.
    """

    connection: sqlite3.Connection
    path: Path
    seal: int
    among: int
    broken: tuple[BrokenRun, ...]
    lost: frozenset[str]


_SILENCE = Silence()


def _tell_nobody(_line: str) -> None: ...


@contextmanager
def opened(
    repository: Repository, progress: Progress = _SILENCE, tell: Callable[[str], None] = _tell_nobody
) -> Iterator[Opened | None]:
    """The index, fresh. None if there are no runs, if it is off, or if it cannot be used, of which `tell` gets one line."""
    is_off = os.environ.get(OFF, "") not in {"", "0"}
    if is_off:
        tell(f"the index is not used: {OFF} is set")
    index = None if is_off else _open(repository, progress, tell)
    try:
        yield index
    finally:
        if index is not None:
            index.connection.close()


@contextmanager
def reopened(path: Path, seal: int) -> Iterator[sqlite3.Connection | None]:
    """The index that was opened before, to read more of rows that were found then; None if they may be gone, or it is damaged."""
    found = _reopen(path)
    try:
        yield found[0] if found is not None and place.has_rows_of(found[0], seal) else None
    finally:
        if found is not None:
            found[0].close()


def _reopen(path: Path) -> tuple[sqlite3.Connection, Meta] | None:
    with suppress(BypassedError, OSError):
        if (found := place.begin(path)) is not None:
            return found
        if place.find_stamp(path) is not None:
            with place.locked(path.parent):  # somebody may just be about to seal it
                return place.begin(path)
    return None


def _open(repository: Repository, progress: Progress, tell: Callable[[str], None]) -> Opened | None:
    import sqlite3

    try:
        return _find(repository, progress, tell)
    except (BypassedError, sqlite3.Error, OSError, RepositoryError) as error:
        tell(f"the index is not used: {explain(error)}")
        return None


def _find(repository: Repository, progress: Progress, tell: Callable[[str], None]) -> Opened | None:
    if (kind := mounts.find_network(repository.common_dir)) is not None:
        raise BypassedError(f"{repository.common_dir} lies on {kind}, where SQLite's locks cannot be trusted")
    path = repository.shared / place.INDEX
    place.check(path)
    before = place.find_stamp(path)
    child = refslisting.start(repository)
    found = place.begin(path)  # while git lists
    try:
        listing = refslisting.finish(child)
        index = found and _look(repository, path, listing, found)
    except BaseException:
        _close(found)
        raise
    if index or not listing.lines:
        return index
    _close(found)
    with place.locked(path.parent):
        if place.find_stamp(path) != before:  # somebody else has changed it, by what he saw later
            listing = refslisting.finish(refslisting.start(repository))
        from exptrack.store.index.changing import Source  # nearly never needed

        return _renew(Source(repository, listing, progress), path, tell)


def _look(
    repository: Repository, path: Path, listing: Listing, found: tuple[sqlite3.Connection, Meta]
) -> Opened | None:
    """The index as it is, if it stands for what git listed, and what could not be read still cannot."""
    connection, meta = found
    if meta.refs != listing.digest or not listing.lines:
        return None
    refs = connection.execute("SELECT CAST(ref AS BLOB), oid FROM broken ORDER BY ref")
    pairs = {decode_text(ref): oid for ref, oid in refs}
    read = tuple(runs.read_runs(repository, pairs)) if pairs else ()
    broken = tuple(one for one in read if isinstance(one, BrokenRun))
    if len(broken) < len(read) or noted.is_found(connection, repository):
        return None
    return _give(path, found, listing, broken)


def _renew(source: Source, path: Path, tell: Callable[[str], None]) -> Opened:
    """The index, changed in place, or made anew."""
    from exptrack.store.index import changing

    broken, found = _refresh(source, path), place.begin(path)
    if broken is None or found is None:  # there was none, or somebody deleted it just now
        _close(found)
        if place.find_stamp(path) is not None:
            tell("the index is damaged, of another version, or another user's: it is built anew")
        broken, found = changing.build(source, path), place.begin(path)
    if found is None:
        raise BypassedError(f"{path} was changed by somebody else")
    return _give(path, found, source.listing, broken)


def _refresh(source: Source, path: Path) -> tuple[BrokenRun, ...] | None:
    """What cannot be read as a run; None if there is no index that could be changed in place."""
    import sqlite3

    from exptrack.store.index import changing

    if not place.is_ours(path) or (found := place.begin(path, "rw")) is None:
        return None
    try:
        if found[1].replaced != source.listing.replaced:  # no ref tells which runs that changes
            return None
        return changing.refresh(found[0], source, path, found[1])
    except FileNotFoundError:
        return None
    except sqlite3.OperationalError:  # a full disk, a file that cannot be written: a new one would fare no better
        raise
    except sqlite3.Error:  # damaged in spite of its seal
        return None
    finally:
        found[0].close()


def _give(
    path: Path, found: tuple[sqlite3.Connection, Meta], listing: Listing, broken: tuple[BrokenRun, ...]
) -> Opened:
    connection, meta = found
    return Opened(connection, path, meta.seal, listing.among, broken, noted.find_lost(connection))


def _close(found: tuple[sqlite3.Connection, Meta] | None) -> None:
    if found is not None:
        found[0].close()
