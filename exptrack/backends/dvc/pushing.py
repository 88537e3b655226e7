"""Data out of the cache into the DVC remotes, as the configuration says now.

Not by DVC's `Repo.push(revs=…)`: that reads the configuration of the commit. It ignores remotes that were added later, wrote to the root
of the file system with a relative local one, and reports success either way. And not by `transfer` of dvc_data, which trusts an index of
what it has seen in the remote, and looks at no size, so that a torn upload stays for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from exptrack.backends.dvc.config import Cache
from exptrack.backends.dvc.markers import Claim
from exptrack.backends.dvc.parallel import Stop, for_each
from exptrack.backends.dvc.remote import Remote, explained, open_remote, quiet
from exptrack.backends.dvc.stored import (
    Local,
    Object,
    Wanted,
    by_remote,
    find_local,
    find_short,
    find_sizes,
    is_whole,
    top_of,
    want,
)
from exptrack.backends.dvc.uploading import prepare, upload
from exptrack.backends.dvc.worktrees import find_caches
from exptrack.errors import DataError
from exptrack.model.data import Pointer
from exptrack.model.progress import Progress, Silence
from exptrack.model.sharing import Sent

_SILENCE: Final = Silence()


class _Plan(NamedTuple):
    """What is to be uploaded, what the remote has, and what is neither there nor here."""

    uploads: dict[Object, Local]
    there: frozenset[Object]
    lacking: set[Object]


def push(root: Path, pointers: Sequence[Pointer], *, progress: Progress = _SILENCE, claim: Claim | None = None) -> Sent:
    """Bring the data of `pointers` into the remotes of the DVC project at `root` that lack it.

    Each goes to the remote that the pointer names, else to the default one of the present configuration; what has `push: false` to none.
    Of a folder every file is looked for, and its listing comes last, so that a remote with a listing has the files. What was uploaded is
    looked for once more. Data that neither a cache of the repository nor the remote has, or has only damaged, comes back as `missing`.
    `claim` keeps others from collecting garbage in these remotes for as long as it is held; without one that is until this is done.
    Raises DataError if there is no such remote, or it cannot be reached, or cannot be written and has to; repeat it, and it goes on.
    """
    if claim is None:
        with Claim() as own:
            return push(root, pointers, progress=progress, claim=own)
    sent = Sent(private=tuple(pointer for pointer in pointers if pointer.is_private))
    with quiet():
        for name, group in by_remote(pointer for pointer in pointers if not pointer.is_private).items():
            with open_remote(root, name, group[0].path, doing="push") as remote:
                found = _push_to(remote, find_caches(root), group, claim, progress)
            sent = sent._replace(
                objects=sent.objects + found.objects,
                size=sent.size + found.size,
                there=sent.there + found.there,
                missing=sent.missing + found.missing,
                damaged=sent.damaged + found.damaged,
            )
    return sent


def _push_to(
    remote: Remote, caches: Sequence[Cache], pointers: Sequence[Pointer], claim: Claim, progress: Progress
) -> Sent:
    _check_place(remote, pointers[0].path)
    unmarked = claim.put(remote)
    wanted = want(remote, caches, pointers)
    plan = _make_plan(wanted, caches, find_sizes(remote, wanted.paths))
    damaged: set[Object] = set()
    uploads = _uploads(plan, wanted, pointers, plan.lacking)
    if uploads:
        if unmarked is not None:
            raise unmarked
        with explained(remote.name, pointers[0].path, remote.doing):
            prepare(remote, uploads)
        progress.begin("pushing data", sum(local.size for local in uploads.values()), is_bytes=True)
    files = {one: local for one, local in uploads.items() if not one.is_listing}
    _upload(remote, files, wanted, damaged, progress)
    whole = _uploads(plan, wanted, pointers, plan.lacking | damaged)
    listings = {one: local for one, local in whole.items() if one.is_listing}
    _upload(remote, listings, wanted, damaged, progress)
    done = [local for one, local in {**files, **listings}.items() if one not in damaged]
    missing = find_short(pointers, wanted, plan.lacking | damaged)
    spoilt = {top for top in missing if not (wanted.of(top) or frozenset()).isdisjoint(damaged)}
    return Sent(
        objects=len(done),
        size=sum(local.size for local in done),
        there=len(plan.there),
        missing=tuple(pointer for pointer in pointers if top_of(pointer) in missing),
        damaged=tuple(pointer for pointer in pointers if top_of(pointer) in spoilt),
    )


def _check_place(remote: Remote, path: str) -> None:
    """A local remote is made where it is missing, as DVC does, but not on what may be a drive that is not mounted."""
    if not remote.is_local or (folder := Path(remote.path)).is_dir():
        return
    cannot = f"cannot push {path} to the remote '{remote.name}': there is no {folder}"
    if not remote.is_certain:
        raise DataError(
            f"{cannot}, and a relative url in .dvc/config means another folder in each linked work tree: "
            "push from the main work tree, or make the folder that you mean"
        )
    try:
        is_used = any(folder.parent.iterdir())
    except OSError:
        is_used = False
    if not is_used:
        raise DataError(
            f"{cannot}, and {folder.parent} is empty or not there, as if a drive were not mounted: "
            f"mount it, or make the folder with `mkdir -p {folder}`"
        )


def _make_plan(wanted: Wanted, caches: Sequence[Cache], sizes: Mapping[Object, int]) -> _Plan:
    uploads, there, lacking = {}, set(), set()
    for one in wanted.paths:
        local = find_local(caches, one)
        if is_whole(one, sizes, wanted, local):
            there.add(one)
        elif local is not None:
            uploads[one] = local
        else:
            lacking.add(one)
    return _Plan(uploads, frozenset(there), lacking)


def _uploads(plan: _Plan, wanted: Wanted, pointers: Iterable[Pointer], lacking: set[Object]) -> dict[Object, Local]:
    """What those of the pointers want that can be whole."""
    short = find_short(pointers, wanted, lacking)
    chosen: set[Object] = set()
    for top in {top_of(pointer) for pointer in pointers} - short:
        chosen |= wanted.of(top) or frozenset()
    return {one: local for one, local in plan.uploads.items() if one in chosen}


def _upload(
    remote: Remote, uploads: Mapping[Object, Local], wanted: Wanted, damaged: set[Object], progress: Progress
) -> None:
    stop, parts = Stop(), max(1, remote.fs.jobs // max(1, len(uploads)))

    def act(one: Object) -> None:
        path = wanted.paths[one]
        try:
            with explained(remote.name, path, remote.doing):
                if not upload(remote, one, uploads[one], progress.advance, stop, parts=parts):
                    damaged.add(one)
        except FileNotFoundError as error:
            raise DataError(
                f"cannot push {path} to the remote '{remote.name}': {remote.url(remote.path)} is gone; "
                f"mount it, or correct it with `dvc remote modify {remote.name} url URL`"
            ) from error

    for_each(act, uploads, remote.fs.jobs, stop)
    done = {one: wanted.paths[one] for one in uploads if one not in damaged}
    sizes = find_sizes(remote, done) if done else {}
    for one, path in done.items():
        if not is_whole(one, sizes, wanted, uploads[one]):
            raise DataError(
                f"the remote '{remote.name}' took {path} and does not have it: "
                f"look at {remote.url(remote.object(*one))}, and push once more"
            )
