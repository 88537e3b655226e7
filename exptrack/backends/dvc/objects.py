"""Files as objects of the DVC cache: in as copies, each under the name of its own content, and looked up.

They are written here and not by dvc-data's `build` and `transfer`, for three things that were measured with dvc-data 3.18:
those hash first and copy afterwards, so that a file that is still being written got a name that is not its content's (20 of 20 times,
and protected, so that DVC trusts it); they try a reflink onto the final name first, which truncates and removes what another process
has just put there (seen once in 160 adds by 4 processes; a kill in between loses the data); and they take 110 ms to import.
Here a copy is hashed while it is made under a temporary name, and renamed to what it turned out to be.
"""

from __future__ import annotations

import fcntl
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import md5
from pathlib import Path
from typing import BinaryIO, Final

from exptrack.backends.dvc.config import Cache
from exptrack.backends.dvc.project import one_line
from exptrack.backends.dvc.state import CHUNK, StatCache, digest_stream, identity
from exptrack.errors import DataError

_PROTECTED: Final = 0o444
CLONE_FROM: Final = 64 << 20  # bytes: below, a copy is as quick, and dvc_objects may take 100 ms to import
_FICLONE: Final = 0x40049409  # of linux/fs.h; dvc_objects does no more with it, and takes 45 ms to import
_YOUNG: Final = 6 * 3600  # seconds; nothing is collected that is younger than a day
_ABANDONED: Final = 86_400  # seconds after which a temporary file must be of a process that was killed


def is_there(file: Path, size: int | None) -> bool:
    """Whether there is an object, and if its size is known, of that size."""
    try:
        status = file.stat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and size in {None, status.st_size}


def put_file(cache: Cache, source: str, status: os.stat_result, known: StatCache | None) -> tuple[str, int]:
    """Copy a file into the cache, unless `known` says that it is there; its md5 and size. Raises DataError."""
    digest = known.find(source, status, "md5") if known is not None else None
    if digest is not None and _take_up(cache, digest, status.st_size):
        return digest, status.st_size
    started = time.time_ns()
    with reading(source):
        reader = Path(source).open("rb")  # noqa: SIM115 - reading and writing fail with different words
    with reader, _writing(cache, source), _temporary(cache) as new:
        before = os.fstat(reader.fileno())
        digest, size = _duplicate(reader, source, before.st_size, new)
        _keep(cache, new, digest, size)
        after = os.fstat(reader.fileno())
    if known is not None and identity(after) == identity(before) and size == before.st_size:
        known.remember(source, before, "md5", digest, started)
    return digest, size


def take_file(cache: Cache, file: Path) -> tuple[str, int]:
    """As `put_file`, of a file of our own that nobody writes to any more: read once, and linked into the cache where that can be."""
    with reading(file), file.open("rb") as reader:
        digest, size = digest_stream(reader, "md5"), os.fstat(reader.fileno()).st_size
    if _take_up(cache, digest, size):
        return digest, size
    if cache.shared:  # then its group counts, which a link would bring along
        return put_file(cache, str(file), file.stat(), None)
    with _writing(cache, file), _temporary(cache) as new:
        try:
            new.hardlink_to(file)
        except OSError:  # on another file system, or one without links
            return put_file(cache, str(file), file.stat(), None)
        _keep(cache, new, digest, size)
    return digest, size


def put_bytes(cache: Cache, content: bytes, digest: str, source: Path) -> None:
    """Put the listing of the folder `source` into the cache. Raises DataError."""
    with _writing(cache, source), _temporary(cache) as new:
        new.write_bytes(content)
        _keep(cache, new, digest, len(content))


def copy(reader: BinaryIO, writer: BinaryIO) -> tuple[str, int]:
    """The md5 and size of what was copied."""
    hasher, size = md5(usedforsecurity=False), 0
    while chunk := reader.read(CHUNK):
        writer.write(chunk)
        hasher.update(chunk)
        size += len(chunk)
    return hasher.hexdigest(), size


def protect(new: Path) -> None:
    """Make a file read-only, as DVC does with objects."""
    with suppress(OSError):  # a file system without modes: DVC lets it pass as well
        new.chmod(_PROTECTED)


def unique() -> str:
    """A name for a temporary file."""
    return f"exptrack-{os.getpid()}-{os.urandom(6).hex()}.tmp"


def sweep(cache: Cache) -> None:
    """Remove what killed processes left behind more than a day ago."""
    with suppress(OSError), os.scandir(cache.folder / "files") as entries:
        for entry in entries:
            if entry.name.startswith("exptrack-") and entry.stat().st_mtime < time.time() - _ABANDONED:
                Path(entry.path).unlink()


def _duplicate(reader: BinaryIO, source: str, size: int, new: Path) -> tuple[str, int]:
    if size >= CLONE_FROM and clone(source, new):
        with new.open("rb") as shared:
            return digest_stream(shared, "md5"), os.fstat(shared.fileno()).st_size
    with new.open("xb") as writer:
        return copy(reader, writer)


def clone(source: str, new: Path) -> bool:
    """Whether a file could be made that shares its blocks with another, until either is written to."""
    try:
        _share(source, new)
    except OSError:
        new.unlink(missing_ok=True)
        return False
    return True


def _share(source: str, new: Path) -> None:
    if sys.platform == "linux":
        from fcntl import ioctl

        with open(source, "rb") as reader, new.open("xb") as writer:  # noqa: PTH123 - the callers' paths are strings
            ioctl(writer, _FICLONE, reader.fileno())
    else:
        from dvc_objects.fs.system import reflink

        reflink(source, str(new))  # type: ignore[no-untyped-call]


@contextmanager
def _temporary(cache: Cache) -> Iterator[Path]:
    # In `files/`: on the cache's own file system, and DVC passes over it there.
    make_folder(cache.folder / "files", cache)
    new = cache.folder / "files" / unique()
    try:
        yield new
    finally:
        new.unlink(missing_ok=True)


def _keep(cache: Cache, new: Path, digest: str, size: int) -> None:
    target = cache.object(digest, "md5")
    protect(new)
    with suppress(OSError):
        if stat.S_IMODE(target.stat().st_mode) == _PROTECTED and _take_up(cache, digest, size):
            return
    make_folder(target.parent, cache)
    new.replace(target)


def _take_up(cache: Cache, digest: str, size: int) -> bool:
    """Whether an object is there, of this size; it counts as young from now on, so that it is not collected before a run names it."""
    target = cache.object(digest, "md5")
    with holding(cache, alone=False):
        if not is_there(target, size):
            return False
        status = target.stat()
        if time.time() - max(status.st_mtime, status.st_ctime) < _YOUNG:
            return True
        try:
            # Renews the change time and nothing else, so that for Git and DVC a hard link to it in a work tree is what it was.
            target.chmod(stat.S_IMODE(status.st_mode))
        except FileNotFoundError:
            return False
        except OSError:
            return not os.access(target.parent, os.W_OK)  # another user's: a copy of our own takes its place
        return True


@contextmanager
def holding(cache: Cache, *, alone: bool) -> Iterator[None]:
    """A lock that those hold together who use objects again, and alone who deletes some; each for a moment only."""
    try:
        folder = os.open(cache.folder / "files", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(folder, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(folder)


def make_folder(folder: Path, cache: Cache) -> None:
    """Make a folder of a cache, with those above it, for a group if one shares it."""
    if folder.is_dir():
        return
    if not cache.shared:
        folder.mkdir(parents=True, exist_ok=True)
        return
    make_folder(folder.parent, cache)
    with suppress(FileExistsError):
        folder.mkdir()
        folder.chmod(0o2775)  # as dvc-data does: the group writes, and what is made inside belongs to it


@contextmanager
def reading(path: Path | str) -> Iterator[None]:
    """Errors of reading the user's files as DataError."""
    try:
        yield
    except OSError as error:
        named = Path(os.fsdecode(error.filename) if error.filename else path)
        if named.is_symlink():
            raise DataError(f"{named} is a broken link, and DVC cannot hold it; remove it or mend it") from error
        raise DataError(f"cannot read {named}: {one_line(error)}") from error


@contextmanager
def _writing(cache: Cache, path: Path | str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"cannot copy {path} into the DVC cache at {cache.folder}: {one_line(error)}; make room there or set cache.dir"
        ) from error
