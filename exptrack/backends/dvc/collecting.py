"""The objects of a DVC cache: which there are, how old they are, and some of them deleted.

Objects are what has the name of one: `files/md5/xx/yyyy`, and `xx/yyyy` of DVC 2. All else (`runs/`, temporary files, what somebody put
there) is left alone. The age of an object counts from when it came or was last used again: an object that was moved or hard-linked in has
the modification time of the user's file, but a change time of its own.
"""

# Paths are strings: of 100,000 files a Path for each takes longer than its stat.
# ruff: noqa: PTH116

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from exptrack.backends.dvc.config import Cache
from exptrack.backends.dvc.folder import decode_listing
from exptrack.backends.dvc.objects import holding
from exptrack.backends.dvc.project import one_line
from exptrack.errors import DataError

PLACE: Final = re.compile(r"(files/md5/)?([0-9a-f]{2})/([0-9a-f]{30}(?:\.dir)?)")
"""Of an object, relative to its cache or remote: its layout, and the two parts of its digest."""

_LEGACY: Final = "md5-dos2unix"


class Stored(NamedTuple):
    """An object of a cache or a remote: `size` in bytes; `changed` in seconds since 1970, None if that is not known."""

    digest: str
    algorithm: str
    place: str
    size: int
    changed: float | None

    @property
    def is_listing(self) -> bool:
        return self.digest.endswith(".dir")


def parse_place(place: str) -> tuple[str, str] | None:
    """The digest and algorithm of the object at a place relative to its cache or remote; None of what is no object."""
    found = PLACE.fullmatch(place)
    return (found[2] + found[3], "md5" if found[1] else _LEGACY) if found else None


def list_objects(cache: Cache) -> Iterator[Stored]:
    """Every object of a cache. Raises DataError if it cannot be listed."""
    try:
        for layout in ("files/md5/", ""):
            for folder in _folders(f"{cache.folder}/{layout}"):
                yield from _objects(folder, layout)
    except OSError as error:
        raise DataError(f"cannot list the DVC cache at {cache.folder}: {one_line(error)}") from error


def _folders(layout: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(layout) as entries:
            return [entry for entry in entries if len(entry.name) == 2 and entry.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _objects(folder: os.DirEntry[str], layout: str) -> Iterator[Stored]:
    with os.scandir(folder.path) as entries:
        for entry in entries:
            meant = parse_place(f"{layout}{folder.name}/{entry.name}")
            if meant is not None and (status := _status(entry.path)) is not None:
                yield Stored(*meant, entry.path, status.st_size, max(status.st_mtime, status.st_ctime))


def _status(path: str) -> os.stat_result | None:
    """The state of a regular file; None of all else, and of what is gone."""
    try:
        status = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def delete(cache: Cache, objects: Sequence[Stored], before: float, deleted: Callable[[Stored], None]) -> None:
    """Delete those of the objects that still were last changed before this moment, and tell of each.

    Listings go first: DVC takes a folder whose listing is there for whole. Raises DataError if one cannot be deleted.
    """
    for one in sorted(objects, key=lambda one: not one.is_listing):
        try:
            with holding(cache, alone=True):
                status = _status(one.place)
                if status is None or max(status.st_mtime, status.st_ctime) >= before:
                    continue
                os.unlink(one.place)  # noqa: PTH108 - as above
            if one.is_listing:
                shutil.rmtree(f"{one.place}.unpacked", ignore_errors=True)  # of DVC 1: the same folder, linked together
        except OSError as error:
            raise DataError(f"cannot delete {one.place}: {one_line(error)}") from error
        deleted(one)


class Members(NamedTuple):
    """What folders hold: the digests of their files; folders whose listing is missing; and the places of listings that are broken."""

    digests: frozenset[str] = frozenset()
    unlisted: frozenset[str] = frozenset()
    broken: tuple[str, ...] = ()


def read_members(cache: Cache, digests: Iterable[str]) -> Members:
    """What the folders of these digests hold, by their listings in the cache; those of DVC 2 count, too."""
    found, unlisted, broken = set[str](), set[str](), []
    for digest in digests:
        contents = [(place, _read(place)) for place in (cache.object(digest, "md5"), cache.object(digest, _LEGACY))]
        for place, content in contents:
            try:
                found |= decode_members(content) if content is not None else set()
            except ValueError:
                broken.append(str(place))
        if all(content is None for _, content in contents):
            unlisted.add(digest)
    return Members(frozenset(found), frozenset(unlisted), tuple(broken))


def _read(place: Path) -> bytes | None:
    """The content of a file; none if it cannot be read, which is no listing; None if it is not there."""
    try:
        return place.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return b""


def decode_members(content: bytes) -> set[str]:
    """The digests of the files in a listing; raises ValueError if it is none."""
    try:
        return set(decode_listing(content).values())
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError("not a listing") from error


@contextmanager
def locked(roots: Sequence[Path]) -> Iterator[None]:
    """Hold DVC's own locks of several projects, so that no `dvc` command runs in them. Raises DataError if somebody else holds one."""
    from dvc.config import Config
    from dvc.exceptions import DvcException
    from dvc.lock import LockError, make_lock

    with ExitStack() as stack:
        for root in roots:
            folder = root / ".dvc" / "tmp"
            try:
                folder.mkdir(exist_ok=True)
                is_linking = Config(str(root / ".dvc"))["core"].get("hardlink_lock", False)
                stack.enter_context(make_lock(str(folder / "lock"), str(folder), hardlink_lock=is_linking))
            except LockError as error:
                raise DataError(
                    f"another process works with DVC in {root}: wait until it has ended, and try again"
                ) from error
            except (DvcException, OSError) as error:
                raise DataError(f"cannot take the DVC lock in {root}: {one_line(error)}") from error
        yield
