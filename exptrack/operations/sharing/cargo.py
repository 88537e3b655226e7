"""The data of runs, to the DVC remotes and from them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from exptrack.analysis.wording import name_few
from exptrack.backends import dvc
from exptrack.backends.dvc.remote import GET_REMOTE, NO_REMOTE
from exptrack.backends.dvc.verifying import find_cached, has_remotes
from exptrack.backends.git.objects import read_many
from exptrack.errors import DataError
from exptrack.model.data import Pointer
from exptrack.model.progress import Progress
from exptrack.model.run import Run
from exptrack.model.sharing import Held
from exptrack.operations.context import Context
from exptrack.operations.recording.needs import by_root, list_absent, list_kept, read_large_pointers

if TYPE_CHECKING:
    from exptrack.backends.dvc.markers import Claim

_NAMED = 3
_Key: TypeAlias = tuple[str, str, str | None]


class Cargo(NamedTuple):
    """What one run points at. `absent` was not on disk when it ran; `private` is not to be pushed."""

    run: Run
    wanted: tuple[Pointer, ...]
    absent: tuple[Pointer, ...] = ()
    private: tuple[Pointer, ...] = ()


class Shipment(NamedTuple):
    """What was sent: so many objects of so many bytes. `held` are runs of whose data something is nowhere.

    `notices` tell of data that a run did without.
    """

    objects: int = 0
    size: int = 0
    held: tuple[Held, ...] = ()
    notices: tuple[str, ...] = ()


class Delivery(NamedTuple):
    """What came, as in `Shipment`; `lacking` are runs with the data that could not be had, `reasons` say why."""

    objects: int = 0
    size: int = 0
    lacking: tuple[Held, ...] = ()
    reasons: tuple[str, ...] = ()


def read_cargo(context: Context, run: Run) -> Cargo:
    """The pointers of a run: its data, its outputs, what exptrack kept of it, and files that were too large for Git."""
    record = run.record
    absent = list_absent(record)
    pointers = dict.fromkeys((*record.pointers, *list_kept(record), *read_large_pointers(context, run)))
    private = tuple(one for one in pointers if one.is_private)
    there = tuple(one for one in pointers if not one.is_private)
    return Cargo(
        run,
        tuple(one for one in there if one.path not in absent),
        tuple(one for one in there if one.path in absent),
        private,
    )


def send(context: Context, cargo: Sequence[Cargo], progress: Progress, claim: Claim | None = None) -> Shipment:
    """Push the data of runs to the DVC remotes of the present configuration, once for each DVC project; `claim` as in `dvc.push`.

    Without any pointer nothing of DVC is loaded. Raises DataError if there is no remote, or it cannot be reached or written.
    """
    pointers = {_key(one): one for each in reversed(cargo) for one in (*each.absent, *each.wanted)}
    if not pointers:
        return Shipment()
    roots, homeless = _sort(context, list(pointers.values()))
    missing, damaged = {_key(one) for one in homeless}, set[_Key]()
    objects = size = 0
    for root, some in roots.items():
        sent = dvc.push(root, some, progress=progress, claim=claim)
        damaged |= {_key(one) for one in sent.damaged}
        objects, size = objects + sent.objects, size + sent.size
        missing |= {_key(one) for one in sent.missing}
    held = _hold(cargo, missing, damaged, is_homeless=bool(homeless))
    return Shipment(objects, size, tuple(held), tuple(_tell_absent(cargo, missing)))


def estimate(context: Context, cargo: Sequence[Cargo]) -> Shipment:
    """What `send` would do, as far as it is known without doing it; of a folder all counts, also what is there. Raises as that does."""
    pointers = {_key(one): one for each in cargo for one in each.wanted}
    roots, homeless = _sort(context, list(pointers.values())) if pointers else ({}, [])
    missing = {_key(one) for one in homeless}
    lacking: list[Pointer] = []
    for root, some in roots.items():
        stored = dvc.find_stored(root, some, doing="push")
        away = [one for one in some if not stored[one]]
        here = find_cached(root, away)
        lacking += [one for one in away if here[one]]
        missing |= {_key(one) for one in away if not here[one]}
    return Shipment(*_measure(lacking), tuple(_hold(cargo, missing, set(), is_homeless=bool(homeless))))


def estimate_delivery(context: Context, cargo: Sequence[Cargo]) -> Delivery:
    """How much data of runs the cache lacks: what `receive` would bring if the remotes have it."""
    wanted = list({_key(one): one for each in cargo for one in each.wanted}.values())
    roots, _ = _sort(context, wanted) if wanted else ({}, [])
    here = {one: is_here for root, some in roots.items() for one, is_here in dvc.has_in_cache(root, some).items()}
    return Delivery(*_measure([one for one, is_here in here.items() if not is_here]))


def _measure(pointers: Collection[Pointer]) -> tuple[int, int]:
    """How many files of how many bytes, by the pointers."""
    return sum(one.files or 1 for one in pointers), sum(one.size or 0 for one in pointers)


def _hold(cargo: Iterable[Cargo], missing: set[_Key], damaged: set[_Key], *, is_homeless: bool) -> Iterator[Held]:
    """The runs that stay here, since some of their data is missing."""
    for each in cargo:
        if lacking := _of(each.wanted, missing):
            yield Held(each.run.name, _explain(lacking, _of(lacking, damaged), is_homeless=is_homeless))


def advise(context: Context, cargo: Iterable[Cargo]) -> tuple[str, ...]:
    """What others lack in order to find the data: a remote that is in .dvc/config, and not in the one of HEAD."""
    from exptrack.backends.dvc.remoteconfig import find_uncommitted

    roots, _ = _sort(context, [one for each in cargo for one in each.wanted])
    files = [
        (root, some, f"{(root / '.dvc/config').relative_to(context.repository.top)}") for root, some in roots.items()
    ]
    contents = read_many(context.repository, [f"HEAD:{file}" for _, _, file in files])
    return tuple(
        f"the last commit does not have the DVC remote '{name}' as it is here, so other clones do not find the data: commit {file}, and push it"
        for (root, some, file), content in zip(files, contents, strict=True)
        for name in find_uncommitted(root, content or b"", {one.remote for one in some})
    )


def _tell_absent(cargo: Iterable[Cargo], missing: set[_Key]) -> Iterator[str]:
    """A line for data that runs did without, and that is nowhere."""
    names: dict[str, list[str]] = {}
    for each in cargo:
        if lacking := _of(each.absent, missing):
            names.setdefault(_name_paths(lacking), []).append(each.run.name)
    for paths, some in names.items():
        who = some[0] if len(some) == 1 else f"{len(some):,} runs"
        yield f"{paths}: not there when {who} ran, and not to be had, so not shared"


def receive(context: Context, cargo: Sequence[Cargo], progress: Progress) -> Delivery:
    """Bring the data of runs into the DVC cache; what can be had comes, whatever else cannot."""
    wanted = list({_key(one): one for each in cargo for one in each.wanted}.values())
    if not wanted:
        return Delivery()
    roots, homeless = _sort(context, wanted)
    missing, unknown = {_key(one) for one in homeless}, set[_Key]()
    reasons = [_NO_PROJECT] if homeless else []
    came: list[Pointer] = []
    for root, some in roots.items():
        before = dvc.has_in_cache(root, some)
        lacking = [one for one in some if not before[one]]
        if lacking and not has_remotes(root, {one.remote for one in lacking}):
            unknown |= {_key(one) for one in lacking}
        elif lacking:
            reasons += _fetch(root, lacking, progress)
        after = dvc.has_in_cache(root, lacking) if lacking else {}
        came += [one for one in lacking if after[one]]
        missing |= {_key(one) for one in lacking if not after[one]}
    short = [
        Held(each.run.name, f"{NO_REMOTE}: {GET_REMOTE}" if _of(some, unknown) else _name_paths(some))
        for each in cargo
        if (some := _of(each.wanted, missing))
    ]
    return Delivery(*_measure(came), tuple(short), tuple(dict.fromkeys(reasons)))


def _fetch(root: Path, pointers: Sequence[Pointer], progress: Progress) -> list[str]:
    try:
        dvc.fetch(root, pointers, progress=progress)
    except DataError as error:
        return [str(error)]
    return []


_NO_PROJECT = "there is no DVC project in the work tree that the data would belong to: check out a commit that has it"


def _sort(context: Context, pointers: Sequence[Pointer]) -> tuple[dict[Path, list[Pointer]], list[Pointer]]:
    """The pointers by DVC project, and those that belong to none."""
    top = context.repository.top
    found = by_root(top, dvc.find_root(context.folder, top), pointers)
    roots = {root: some for root, some in found.items() if some}
    housed = {_key(one) for some in roots.values() for one in some}
    return roots, [one for one in pointers if _key(one) not in housed]


def _of(pointers: Iterable[Pointer], keys: set[_Key]) -> list[Pointer]:
    return [one for one in pointers if _key(one) in keys]


def _key(pointer: Pointer) -> _Key:
    return pointer.algorithm, pointer.digest, pointer.remote


def _explain(lacking: Sequence[Pointer], damaged: Sequence[Pointer], *, is_homeless: bool) -> str:
    """Why a run is held back, and the ways out."""
    if is_homeless:
        return f"{_name_paths(lacking)}: {_NO_PROJECT}, or push without data: `--no-data`"
    if damaged:
        verb = "is" if len({one.path for one in damaged}) == 1 else "are"
        return f"{_name_paths(damaged)} {verb} damaged in the DVC cache: `exptrack fsck --full` tells more; or push without data: `--no-data`"
    verb, them = ("is", "it") if len({one.path for one in lacking}) == 1 else ("are", "them")
    return (
        f"{_name_paths(lacking)} {verb} neither in the DVC cache nor in the remote: "
        f"get {them} from whoever has {them}, or push without data: `--no-data`"
    )


def _name_paths(pointers: Iterable[Pointer]) -> str:
    """The paths of pointers, the first few by name."""
    return name_few(list(dict.fromkeys(one.path for one in pointers)), _NAMED, " and ")


def list_private(cargo: Iterable[Cargo]) -> Iterator[str]:
    """The paths of data that is not to be pushed, each once."""
    yield from dict.fromkeys(one.path for each in cargo for one in each.private)
