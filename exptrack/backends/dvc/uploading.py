"""One object out of the cache into a DVC remote, under a temporary name first wherever a remote could show half of it.

What is uploaded is hashed on the way, and is not under its name in the remote unless it is what the name says: a damaged cache damages no
remote. Into a local remote it is hashed while it is copied, into others before: then reading it once more comes from memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from exptrack.backends.dvc.config import Cache
from exptrack.backends.dvc.copying import duplicate
from exptrack.backends.dvc.objects import make_folder, protect, sweep, unique
from exptrack.backends.dvc.parallel import Stop, Transfer, for_each
from exptrack.backends.dvc.project import one_line
from exptrack.backends.dvc.remote import Remote
from exptrack.backends.dvc.state import digest_stream
from exptrack.backends.dvc.stored import Local, Object
from exptrack.errors import DataError

_RENAMED: Final = {"ssh"}  # file systems that show a file while it grows, and rename over what is there
_ABANDONED: Final = 86_400  # seconds after which a temporary file must be of a process that was killed


def upload(
    remote: Remote, one: Object, local: Local, advance: Callable[[int], None], stop: Stop, *, parts: int = 1
) -> bool:
    """Bring an object into the remote; False if it is not what its name says. `advance` is told the bytes.

    S3 takes so many `parts` of a large file at once. Raises what remotes raise.
    """
    if remote.is_local:
        return _copy(Cache(Path(remote.path), remote.shared), one, local, advance, stop)
    if not _is_sound(one, local, stop):
        return False
    _put(remote, one, local, Transfer(advance, stop), parts)
    return True


def prepare(remote: Remote, objects: Iterable[Object]) -> None:
    """Make the folders that objects are renamed into, and remove what killed uploads left behind more than a day ago. Raises as remotes do."""
    fs = remote.fs
    if remote.is_local:
        sweep(Cache(Path(remote.path)))
    elif fs.protocol in _RENAMED:
        _sweep(remote)
        folders = {fs.parent(remote.object(*one)) for one in objects}
        there = {str(info["name"]) for above in {fs.parent(one) for one in folders} for info in _list(remote, above)}
        for_each(fs.makedirs, folders - there, fs.jobs)


def _sweep(remote: Remote) -> None:
    for info in _list(remote, remote.fs.join(remote.path, "files")):
        name = str(info["name"]).rpartition("/")[2]
        if name.startswith("exptrack-") and info["mtime"].timestamp() < time.time() - _ABANDONED:
            with suppress(Exception):
                remote.fs.rm_file(info["name"])


def _list(remote: Remote, folder: str) -> Iterable[Mapping[str, Any]]:
    try:
        return list(remote.fs.fs.ls(folder, detail=True))
    except FileNotFoundError:
        return []


def _copy(store: Cache, one: Object, local: Local, advance: Callable[[int], None], stop: Stop) -> bool:
    target, new = store.object(*one), store.folder / "files" / unique()
    make_folder(new.parent, store)
    try:
        with _reading(local.path):
            found = duplicate(local.path, new, one.algorithm, Transfer(advance, stop))
        if found != one.digest.removesuffix(".dir"):
            return False
        protect(new)
        make_folder(target.parent, store)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)
    return True


def _is_sound(one: Object, local: Local, stop: Stop) -> bool:
    stop.check()
    with _reading(local.path), local.path.open("rb") as reader:
        return digest_stream(reader, one.algorithm) == one.digest.removesuffix(".dir")


def _put(remote: Remote, one: Object, local: Local, transfer: Transfer, parts: int) -> None:
    from dvc.fs import Callback

    fs, place = remote.fs, remote.object(*one)
    # Left to itself, s3fs sends many parts of each of many files at once, and has them all in memory.
    options: dict[str, Any] = {"max_concurrency": parts} if hasattr(fs.fs, "max_concurrency") else {}
    callback = Callback(hooks={"go on": transfer.hook})
    if fs.protocol not in _RENAMED:
        fs.put_file(str(local.path), place, callback=callback, **options)
    else:
        new = fs.join(remote.path, "files", unique())
        try:
            fs.put_file(str(local.path), new, callback=callback, **options)
            fs.mv(new, place)
        except BaseException:
            with suppress(Exception):
                fs.rm_file(new)
            raise
    transfer.reach(local.size)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """What cannot be read in the cache, as DataError; what cannot be written passes."""
    try:
        yield
    except OSError as error:
        if str(error.filename) != str(path):
            raise
        raise DataError(f"cannot read {path} in the DVC cache: {one_line(error)}") from error
