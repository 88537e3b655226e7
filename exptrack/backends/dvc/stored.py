"""What a DVC remote has of the data that pointers stand for: of folders, the listing and every file in it."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import md5
from pathlib import Path
from typing import Any, Final, NamedTuple

from exptrack.analysis.trust import is_digest
from exptrack.backends.dvc.config import Cache
from exptrack.backends.dvc.folder import decode_listing
from exptrack.backends.dvc.parallel import for_each
from exptrack.backends.dvc.remote import Remote, explained, open_remote, quiet
from exptrack.backends.dvc.worktrees import find_caches
from exptrack.errors import DataError
from exptrack.model.data import Pointer

_LISTED: Final = 2  # objects wanted of a prefix, on average, from which on a listing is quicker than asking for each
_UNKNOWN: Final = -1  # an object is there, and the remote does not say how large it is


class Object(NamedTuple):
    """A file or listing by its hash."""

    digest: str
    algorithm: str

    @property
    def is_listing(self) -> bool:
        return self.digest.endswith(".dir")


class Local(NamedTuple):
    """An object in a cache: where, and its size in bytes."""

    path: Path
    size: int


class Wanted(NamedTuple):
    """What pointers stand for, each object with the path of one that wants it.

    `members` has for each folder its files, None if its listing is neither in a cache nor whole in the remote. `sizes` (bytes) are as the
    pointers say.
    """

    paths: dict[Object, str]
    members: dict[Object, frozenset[Object] | None]
    sizes: dict[Object, int]

    def of(self, top: Object) -> frozenset[Object] | None:
        """All objects that a pointer stands for, or None if its listing is nowhere, or if it is no pointer."""
        if top not in self.paths:
            return None
        members = self.members[top] if top.is_listing else frozenset()
        return None if members is None else members | {top}


def find_stored(root: Path, pointers: Sequence[Pointer], *, doing: str = "look for") -> dict[Pointer, bool]:
    """Whether all data of each pointer is in its remote, with the sizes that it has in the cache or by its pointer.

    Each is looked for where the present configuration of the DVC project at `root` has it: in the remote that the pointer names, else
    in the default one. Raises DataError if there is no such remote or it cannot be asked; also if its folder is not there, unless this is
    `doing` a push, which makes it.
    """
    stored: dict[Pointer, bool] = {}
    with quiet():
        for name, group in by_remote(pointers).items():
            with open_remote(root, name, group[0].path, doing=doing) as remote:
                caches = find_caches(root)
                wanted = want(remote, caches, group)
                sizes = find_sizes(remote, wanted.paths)
                if not sizes and remote.is_local and doing != "push":
                    _check_place(remote, group[0].path)
                lacking = {one for one in wanted.paths if not is_whole(one, sizes, wanted, find_local(caches, one))}
                short = find_short(group, wanted, lacking)
            stored |= {pointer: top_of(pointer) not in short for pointer in group}
    return {pointer: stored[pointer] for pointer in pointers}


def _check_place(remote: Remote, path: str) -> None:
    if not Path(remote.path).is_dir():
        raise DataError(
            f"cannot look for {path} in the remote '{remote.name}': there is no {remote.path}; "
            f"mount it, or correct it with `dvc remote modify {remote.name} url URL`"
        )


def find_short(pointers: Iterable[Pointer], wanted: Wanted, lacking: set[Object]) -> set[Object]:
    """Of what pointers stand for, as `top_of` gives it, that of which something is lacking. Many runs have the same data."""
    tops = {top_of(pointer) for pointer in pointers}
    return {top for top in tops if (objects := wanted.of(top)) is None or not objects.isdisjoint(lacking)}


def top_of(pointer: Pointer) -> Object:
    """The file or listing that a pointer names."""
    return Object(pointer.digest, pointer.algorithm)


def by_remote(pointers: Iterable[Pointer]) -> dict[str | None, list[Pointer]]:
    """Pointers by the remote that they name; None is the default one."""
    groups: dict[str | None, list[Pointer]] = {}
    for pointer in pointers:
        groups.setdefault(pointer.remote, []).append(pointer)
    return groups


def want(remote: Remote, caches: Sequence[Cache], pointers: Sequence[Pointer]) -> Wanted:
    """All objects of pointers; listings are read from a cache, else from the remote. Raises DataError if that cannot be asked."""
    wanted = Wanted({}, {}, {})
    far: dict[Object, str] = {}
    for pointer in pointers:
        top = top_of(pointer)
        if top in wanted.paths or not is_digest(top.digest):
            continue
        wanted.paths[top] = pointer.path
        if not top.is_listing:
            if pointer.size is not None and pointer.algorithm == "md5":
                wanted.sizes[top] = pointer.size
            continue
        listing = _cached_listing(caches, top)
        if listing is None:
            far[top] = pointer.path
        else:
            _enter(wanted, top, listing)
    if far:
        found: dict[Object, dict[str, str] | None] = {}

        def read(top: Object) -> None:
            with explained(remote.name, far[top], remote.doing):
                found[top] = _remote_listing(remote, top)

        for_each(read, far, remote.fs.jobs)
        for top in far:
            _enter(wanted, top, found[top])
    return wanted


def _enter(wanted: Wanted, top: Object, listing: Mapping[str, str] | None) -> None:
    if listing is None:
        wanted.members[top] = None
        return
    members = {Object(digest, top.algorithm): name for name, digest in listing.items()}
    wanted.members[top] = frozenset(members)
    for member, name in members.items():
        wanted.paths.setdefault(member, f"{wanted.paths[top]}/{name}")


def _cached_listing(caches: Sequence[Cache], top: Object) -> dict[str, str] | None:
    for cache in caches:
        try:
            content = cache.object(*top).read_bytes()
        except OSError:
            continue
        if (listing := _decode(content, top)) is not None:
            return listing
    return None


def _remote_listing(remote: Remote, top: Object) -> dict[str, str] | None:
    try:
        return _decode(remote.fs.cat_file(remote.object(*top)), top)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _decode(content: bytes, top: Object) -> dict[str, str] | None:
    if f"{md5(content, usedforsecurity=False).hexdigest()}.dir" != top.digest:
        return None
    try:
        return decode_listing(content)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def find_local(caches: Sequence[Cache], one: Object) -> Local | None:
    """Where an object lies in the first cache that has it."""
    for cache in caches:
        path = cache.object(*one)
        try:
            status = path.stat()
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            return Local(path, status.st_size)
    return None


def is_whole(one: Object, sizes: Mapping[Object, int], wanted: Wanted, local: Local | None) -> bool:
    """Whether the remote has an object, and not one of another size: a torn upload."""
    there = sizes.get(one)
    if there is None or there == _UNKNOWN:
        return there is not None
    expected = {local.size} if local else set()
    if one in wanted.sizes:
        expected.add(wanted.sizes[one])
    return not expected or there in expected


def find_sizes(remote: Remote, wanted: Mapping[Object, str]) -> dict[Object, int]:
    """The sizes, in bytes, of those of the wanted objects that the remote has; `wanted` says for which path each is. Raises DataError."""
    if remote.is_local:
        return dict(_local_sizes(remote, wanted))
    remote.forget()
    prefixes = {(one.algorithm, one.digest[:2]): one for one in wanted}
    if remote.fs.CAN_TRAVERSE and len(wanted) > _LISTED * len(prefixes):
        return _listed_sizes(remote, wanted, prefixes.values())
    return _asked_sizes(remote, wanted)


def _local_sizes(remote: Remote, wanted: Iterable[Object]) -> Iterator[tuple[Object, int]]:
    store = Cache(Path(remote.path))
    for one in wanted:
        if local := find_local([store], one):
            yield one, local.size


def _listed_sizes(remote: Remote, wanted: Mapping[Object, str], examples: Iterable[Object]) -> dict[Object, int]:
    """By one listing of the folder of each of the examples."""
    path = next(iter(wanted.values()))
    sizes: dict[Object, int] = {}

    def look(example: Object) -> None:
        folder = remote.fs.parent(remote.object(*example))
        with explained(remote.name, path, remote.doing):
            try:
                found = remote.fs.fs.find(folder, detail=True)
            except (FileNotFoundError, NotADirectoryError):
                return
        for place, info in found.items():
            if (size := _size(info)) is not None:
                sizes[Object(example.digest[:2] + place.rpartition("/")[2], example.algorithm)] = size

    for_each(look, examples, remote.fs.jobs)
    return {one: sizes[one] for one in wanted if one in sizes}


def _asked_sizes(remote: Remote, wanted: Mapping[Object, str]) -> dict[Object, int]:
    sizes: dict[Object, int] = {}

    def look(one: Object) -> None:
        with explained(remote.name, wanted[one], remote.doing):
            try:
                size = _size(remote.fs.info(remote.object(*one)))
            except (FileNotFoundError, NotADirectoryError) as error:
                _check_absence(error)
                return
        if size is not None:
            sizes[one] = size

    for_each(look, wanted, remote.fs.jobs)
    return sizes


def _check_absence(error: OSError) -> None:
    """Raise what was behind an error that says that a file is not there: fsspec says so of HTTP servers that fail or are gone."""
    cause = error.__cause__
    if isinstance(cause, Exception) and type(cause).__module__.startswith("aiohttp"):
        status = getattr(cause, "status", None)
        if status in {None, 401} or status >= 500:
            raise cause


def _size(info: Mapping[str, Any]) -> int | None:
    if info.get("type") == "directory":
        return None
    size = info.get("size")
    return int(size) if size is not None else _UNKNOWN
