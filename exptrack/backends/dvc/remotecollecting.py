"""The objects of a DVC remote: which there are, how old they are, and some of them deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from exptrack.backends.dvc.collecting import Members, Stored, decode_members, parse_place, read_members
from exptrack.backends.dvc.config import Cache
from exptrack.backends.dvc.markers import Mark, written_at
from exptrack.backends.dvc.parallel import for_each
from exptrack.backends.dvc.remote import Remote, explained, said
from exptrack.errors import DataError

_BATCH: Final = 100  # objects that are deleted between two looks at our own mark


def check_listable(remote: Remote) -> None:
    """Raise DataError if nobody can know what the remote holds, or it is not there."""
    if not remote.fs.CAN_TRAVERSE:
        raise DataError(
            f"the remote '{remote.name}' ({remote.fs.protocol}) cannot list what it holds, so no garbage can be found "
            "there; collect it where it is served from, as another remote"
        )
    if remote.is_local and not remote.is_there():
        raise DataError(
            f"there is no {remote.url(remote.path)}, which the remote '{remote.name}' is: mount it, "
            f"or correct it with `dvc remote modify {remote.name} url URL`"
        )


def list_remote_objects(remote: Remote) -> Iterator[Stored]:
    """Every object of a remote. Raises DataError if it cannot be listed."""
    remote.forget()
    base = remote.path.rstrip("/") + "/"
    with explained(remote.name, "garbage", "collect"):
        for place, info in _find(remote):
            meant = parse_place(place.removeprefix(base)) if place.startswith(base) else None
            if meant is not None and info.get("type") != "directory":
                yield Stored(*meant, place, int(info.get("size") or 0), written_at(info))


def _find(remote: Remote) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        found = remote.fs.fs.find(remote.path, detail=True)
    except FileNotFoundError:
        return
    if isinstance(found, dict):
        yield from found.items()
        return
    for place in found:  # a local one gives names only
        try:
            yield place, remote.fs.info(place)
        except FileNotFoundError:
            continue


def read_remote_members(remote: Remote, cache: Cache, digests: Iterable[str], objects: Iterable[Stored]) -> Members:
    """What the folders of these digests hold, by their listings in the cache, else among the objects of the remote.

    Raises DataError if the remote cannot be read.
    """
    near = read_members(cache, digests)
    far = [one for one in objects if one.digest in near.unlisted]
    found, broken = list[set[str]](), list[str]()

    def read(one: Stored) -> None:
        with explained(remote.name, "garbage", "collect"):
            try:
                found.append(decode_members(remote.fs.cat_file(one.place)))
            except ValueError:
                broken.append(remote.url(one.place))
            except FileNotFoundError:
                return

    for_each(read, far, remote.fs.jobs)
    return Members(
        near.digests.union(*found),
        near.unlisted - {one.digest for one in far},
        (*near.broken, *sorted(broken)),
    )


def delete_from_remote(
    remote: Remote, objects: Sequence[Stored], mark: Mark, deleted: Callable[[Stored], None]
) -> None:
    """Delete objects, and tell of each; listings first. Raises DataError if one cannot be deleted, or the mark may be taken for dead."""
    ordered = sorted(objects, key=lambda one: not one.is_listing)
    for start in range(0, len(ordered), _BATCH):
        mark.check()
        batch = ordered[start : start + _BATCH]
        try:
            remote.fs.rm([one.place for one in batch])
        except FileNotFoundError:
            pass  # somebody deletes by hand
        except Exception as error:
            raise DataError(f"the remote '{remote.name}' lets nothing be deleted: {said(error)}") from error
        for one in batch:
            deleted(one)
