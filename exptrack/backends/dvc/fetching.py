"""Data out of the DVC remote into the cache.

The objects are taken one by one, and not by DVC's `transfer`: that trusts what the remote gives unless `verify` is set, and looks into a
database that several processes share. Here each comes under a temporary name, is hashed, and is renamed only if it is what its name says;
so a kill, or four processes at once, leave a cache that is right.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from exptrack.analysis.wording import name_few
from exptrack.backends.dvc.cache import is_cached
from exptrack.backends.dvc.config import Cache, find_cache
from exptrack.backends.dvc.copying import duplicate
from exptrack.backends.dvc.folder import read_listing
from exptrack.backends.dvc.objects import is_there, sweep, unique
from exptrack.backends.dvc.parallel import Stop, Transfer, for_each
from exptrack.backends.dvc.project import one_line
from exptrack.backends.dvc.remote import Remote, explained, open_remote, quiet
from exptrack.backends.dvc.state import digest_stream
from exptrack.backends.dvc.stored import by_remote
from exptrack.errors import DataError
from exptrack.model.data import Pointer
from exptrack.model.progress import Progress, Silence

_SILENCE: Final = Silence()
_NAMED: Final = 3
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


class _Object(NamedTuple):
    """What is to be fetched; `size` is in bytes, None if it is not known."""

    digest: str
    algorithm: str
    size: int | None = None


class _Failures(NamedTuple):
    """Paths of the data that the remote does not have, and of what it has with another content, with the place of that."""

    missing: list[str]
    damaged: list[tuple[str, str]]


def fetch(
    root: Path, pointers: Sequence[Pointer], *, remote: str | None = None, progress: Progress = _SILENCE
) -> tuple[Pointer, ...]:
    """Bring the data of `pointers` that the cache of the DVC project at `root` lacks from its remotes, and give those pointers.

    `remote` is the name of one; else it is for each pointer the one that it names, or the default remote of the present configuration.
    What is in the cache already costs no import of DVC. Raises DataError if there is no such remote, if it does not have the data, cannot
    be reached or refuses, or if what it has is damaged; whatever came is in the cache then.
    """
    cache = find_cache(root)
    lacking = tuple(pointer for pointer in pointers if not is_cached(cache, pointer))
    if not lacking:
        return ()
    sweep(cache)
    progress.begin("fetching data", sum(pointer.size or 0 for pointer in set(lacking)) or None, is_bytes=True)
    errors = []
    for name, group in ({remote: list(lacking)} if remote else by_remote(lacking)).items():
        try:
            _fetch_from(root, name, cache, group, progress)
        except DataError as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return lacking


def fetch_listing(root: Path, pointer: Pointer) -> None:
    """Bring the listing of a folder, and none of its files, into the cache of the DVC project at `root`. Raises DataError as `fetch` does."""
    cache, failures = find_cache(root), _Failures([], [])
    with quiet(), open_remote(root, pointer.remote, pointer.path) as source:
        _take(source, cache, _tops(cache, [pointer]), failures, _SILENCE)
        _check(source, failures)


def _fetch_from(root: Path, name: str | None, cache: Cache, pointers: Sequence[Pointer], progress: Progress) -> None:
    failures = _Failures([], [])
    with quiet(), open_remote(root, name, pointers[0].path) as source:
        _take(source, cache, _tops(cache, pointers), failures, progress)
        _take(source, cache, _members(cache, pointers), failures, progress)
        _check(source, failures)
    for pointer in pointers:
        if not is_cached(cache, pointer):
            raise DataError(
                f"what the remote '{source.name}' has of {pointer.path} is not as its pointer says: "
                f"correct the size in {pointer.source or 'the pointer'}"
            )


def _tops(cache: Cache, pointers: Sequence[Pointer]) -> dict[_Object, str]:
    """The files and listings that the cache lacks, with the path of one that wants each."""
    wanted = {}
    for pointer in pointers:
        size = pointer.size if pointer.algorithm == "md5" and not pointer.is_folder else None
        place = cache.object(pointer.digest, pointer.algorithm)
        if (read_listing(place) is None) if pointer.is_folder else not is_there(place, size):
            wanted[_Object(pointer.digest, pointer.algorithm, size)] = pointer.path
    return wanted


def _members(cache: Cache, pointers: Sequence[Pointer]) -> dict[_Object, str]:
    """The files of folders that the cache lacks."""
    wanted = {}
    for pointer in pointers:
        listing = read_listing(cache.object(pointer.digest, pointer.algorithm)) if pointer.is_folder else None
        for name, digest in (listing or {}).items():
            if not is_there(cache.object(digest, pointer.algorithm), None):
                wanted[_Object(digest, pointer.algorithm)] = f"{pointer.path}/{name}"
    return wanted


def _take(source: Remote, cache: Cache, wanted: Mapping[_Object, str], failures: _Failures, progress: Progress) -> None:
    """Bring objects into the cache, several at once; what the remote does not have or has damaged goes into `failures`."""
    if not wanted:
        return
    stop = Stop()
    _make_folders(cache, wanted)

    def take(one: _Object) -> None:
        _take_one(source, cache, one, wanted[one], failures, Transfer(progress.advance, stop))

    for_each(take, wanted, source.fs.jobs, stop)


def _take_one(
    source: Remote, cache: Cache, wanted: _Object, path: str, failures: _Failures, transfer: Transfer
) -> None:
    target = cache.object(wanted.digest, wanted.algorithm)
    if is_there(target, wanted.size) and not wanted.digest.endswith(".dir"):
        return  # another process was faster
    place, new = source.object(wanted.digest, wanted.algorithm), cache.folder / "files" / unique()
    try:
        with explained(source.name, path), _writing(cache, path):
            found = _download(source, place, new, wanted.algorithm, transfer)
            if found != wanted.digest.removesuffix(".dir"):
                failures.damaged.append((path, source.url(place)))
                return
            with suppress(OSError):  # a file system without modes
                new.chmod(0o444)
            new.replace(target)
    except FileNotFoundError:
        failures.missing.append(path)
    finally:
        new.unlink(missing_ok=True)


def _download(source: Remote, place: str, new: Path, algorithm: str, transfer: Transfer) -> str:
    """The hash of what came."""
    if source.is_local:
        return duplicate(Path(place), new, algorithm, transfer)
    from dvc.fs import Callback

    source.fs.get_file(place, str(new), callback=Callback(hooks={"go on": transfer.hook}))
    transfer.reach(new.stat().st_size)
    with new.open("rb") as file:
        return digest_stream(file, algorithm)


def _make_folders(cache: Cache, wanted: Mapping[_Object, str]) -> None:
    from dvc.fs import localfs
    from dvc_data.hashfile.db import get_odb

    odb = get_odb(localfs, str(cache.folder), shared=cache.shared, hash_name="md5")  # type: ignore[no-untyped-call]
    try:
        for folder in {cache.folder / "files", *(cache.object(*one[:2]).parent for one in wanted)}:
            odb.makedirs(str(folder))
    except OSError as error:
        raise _unwritable(cache, next(iter(wanted.values())), error) from error


@contextmanager
def _writing(cache: Cache, path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL or str(error.filename).startswith(f"{cache.folder}/"):
            raise _unwritable(cache, path, error) from error
        raise


def _unwritable(cache: Cache, path: str, error: OSError) -> DataError:
    return DataError(
        f"cannot write {path} into the DVC cache at {cache.folder}: {one_line(error)}; make room there or set cache.dir"
    )


def _check(source: Remote, failures: _Failures) -> None:
    """Raise DataError if something could not be fetched."""
    if failures.missing:
        names = _names(failures.missing)
        if not source.is_there():
            raise DataError(
                f"cannot fetch {names} from the remote '{source.name}': there is no {source.url(source.path)}; "
                f"mount it, or correct it with `dvc remote modify {source.name} url URL`"
            )
        them, are = ("them", "are") if len(set(failures.missing)) > 1 else ("it", "is")
        raise DataError(
            f"{names} {are} neither in the DVC cache nor on the remote '{source.name}': "
            f"ask whoever has {them} for `exptrack push RUN` or `dvc push`"
        )
    if failures.damaged:
        raise DataError(
            f"what the remote '{source.name}' has of {_names([path for path, _ in failures.damaged])} is damaged: "
            f"delete {_names([place for _, place in failures.damaged])}, and ask whoever has the data to `dvc push` it again"
        )


def _names(paths: Sequence[str]) -> str:
    return name_few(sorted(set(paths)), _NAMED, " and ")
