"""The data that a run needs in a slot, and how it gets there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from exptrack.backends import dvc
from exptrack.errors import DataError
from exptrack.model.data import Pointer
from exptrack.model.run import Record, Run, Status
from exptrack.operations.context import Context
from exptrack.operations.files import Committed
from exptrack.operations.recording.surroundings import Move
from exptrack.operations.recording.words import find_named
from exptrack.operations.sources import Reader, below, is_at
from exptrack.operations.ways import check_way, leads_away
from exptrack.store.private_index import is_dvc_file


class Needs(NamedTuple):
    """Pointers of data: `inputs` have to be there, `others` are brought if the cache has them; `copied` are never linked to it."""

    inputs: tuple[Pointer, ...]
    others: tuple[Pointer, ...]
    copied: frozenset[str]


def find_needs(context: Context, run: Run, files: Committed, code: Run | None) -> Needs:
    """What the run needs when it is executed on these files, which are those of the run `code`."""
    sources = Reader(files, context.project, context.yaml.load).find_sources(
        [path for path in files.paths if is_dvc_file(path)], run.record.directory
    )
    return _sort(
        run.record, (*sources.pointers, *(read_large_pointers(context, code) if code else ())), _frozen(context, files)
    )


def read_large_pointers(context: Context, run: Run) -> tuple[Pointer, ...]:
    """The pointers of files that were too large for Git, and went into the DVC cache."""
    paths = [f"{one.path}.dvc" for one in run.record.not_captured if one.pointer]
    if not paths:
        return ()
    reader = Reader(Committed(context.repository, run.oid), run.record.project, context.yaml.load)
    return tuple(pointer for path in paths for pointer in reader.pointers(path))


def list_kept(record: Record) -> tuple[Pointer, ...]:
    """What exptrack kept of a run, each with a `source` in the run's project: its data is in the DVC cache of that, wherever the user is now."""
    return tuple(one._replace(source=below(record.project, one.source)) for one in record.kept)


def _sort(record: Record, pointers: Sequence[Pointer], frozen: Collection[tuple[str, str]]) -> Needs:
    """What the run had on disk when it started. What a stage of its own pipeline makes it makes again, unless that is frozen."""
    absent = list_absent(record)
    there = [one for one in pointers if one.path not in absent]
    inputs = [one for one in there if not is_made(record, one) or (one.source, _base_name(one)) in frozen]
    written = {*(one.path for one in record.outputs), *(one.path for one in there if one.stage is not None)}
    return Needs(tuple(inputs), tuple(one for one in there if one not in inputs), frozenset(written))


def is_made(record: Record, pointer: Pointer) -> bool:
    """Whether a pointer stands for what a stage of the run's own pipeline makes."""
    return record.is_pipeline and pointer.stage is not None


def _base_name(pointer: Pointer) -> str:
    return (pointer.stage or "").partition("@")[0]


def _frozen(context: Context, files: Committed) -> set[tuple[str, str]]:
    """Stages that DVC never runs again, each with the file that holds its outs."""
    found = set()
    for path in files.paths:
        if path.rpartition("/")[2] == "dvc.yaml" and b"frozen" in (text := files.read(path)):
            with suppress(ValueError):
                tree = context.yaml.load(text.decode(errors="replace"))
                stages = tree.get("stages") if isinstance(tree, dict) else None
                for name, stage in stages.items() if isinstance(stages, dict) else ():
                    if isinstance(stage, dict) and stage.get("frozen") is True:
                        found.add((path.removesuffix("dvc.yaml") + "dvc.lock", str(name)))
    return found


def name_places(move: Move, files: Committed) -> Iterator[str]:
    """A line for each `dvc.yaml` that names a path in the user's work tree, which cannot be led elsewhere."""
    for path in files.paths:
        if path.rpartition("/")[2] == "dvc.yaml":
            named = find_named(move, files.read(path).decode(errors="replace"))
            if named:
                yield f"{path} names {named}, a path in the work tree: that is used, not the snapshot's; name it by a relative path"


def bring_data(context: Context, inside: Context, needs: Needs, *, is_fetched: bool) -> list[str]:
    """Data by its pointers, out of the cache of the DVC project that each belongs to, into the slot that `inside` is.

    Inputs that are not there come from its remote, if `is_fetched`; else a line is given for each. Raises DataError for inputs that
    cannot be had or written.
    """
    main, top = context.repository.top, inside.repository.top
    home = dvc.find_root(inside.folder, top)
    roots = by_root(top, home, (*needs.inputs, *needs.others))
    known = dvc.StatCache(context.repository.shared / "cache" / "digests")
    inputs = frozenset(needs.inputs)
    lacking: list[str] = []
    for root, pointers in roots.items():
        share = _Share(pointers, inputs, needs.copied, known)
        own = main / root.relative_to(top)
        _settle(own, root, share, is_fetched=is_fetched)
        if not is_fetched:
            _complete_cache(own, main, [one for one in pointers if one in inputs], known)
        lacking += _bring(root, top, share._replace(links=inside.settings.capture.links), is_fetched=is_fetched)
    return lacking


def by_root(top: Path, home: Path | None, pointers: Sequence[Pointer]) -> dict[Path, list[Pointer]]:
    """The pointers by the root of the DVC project that each belongs to; `home` is that of the project, and always there."""
    roots: dict[Path, list[Pointer]] = {home: []} if home else {}
    for pointer in pointers:
        root = dvc.find_root((top / pointer.source).parent, top) or home
        if root is not None:
            roots.setdefault(root, []).append(pointer)
    return roots


def find_spoilt(context: Context, needs: Needs) -> Iterator[str]:
    """A line for each input whose data in the DVC cache is not what it should be: all of it is read, so ask only if there is a reason."""
    top = context.repository.top
    known = dvc.StatCache(context.repository.shared / "cache" / "digests")
    for root, pointers in by_root(top, dvc.find_root(context.folder, top), needs.inputs).items():
        for pointer, file in dvc.find_spoilt(root, pointers, known):
            yield f"{file} of {pointer.path} is not what its name says: delete it, and fetch it again"
    known.save()


class _Share(NamedTuple):
    """The pointers of one DVC project, which of all are inputs and which are copied, the digests that are known, and `capture.links`."""

    pointers: Sequence[Pointer]
    inputs: frozenset[Pointer]
    copied: frozenset[str]
    known: dvc.StatCache
    links: tuple[str, ...] = ()


def _settle(main: Path, root: Path, share: _Share, *, is_fetched: bool) -> None:
    """Have the project at `root` of a slot use the cache of the one at `main`, the user's, and have the inputs there."""
    has_main = (main / ".dvc").is_dir()
    if share.pointers and not has_main and dvc.cache_dir(main).is_relative_to(main):
        raise DataError(
            f"there is no DVC project in {main}, whose cache would hold the data: check out a commit that has it"
        )
    dvc.settle(main, root)
    if is_fetched:
        dvc.fetch(main if has_main else root, [one for one in share.pointers if one in share.inputs])


def _complete_cache(root: Path, top: Path, inputs: Sequence[Pointer], known: dvc.StatCache) -> None:
    """Put into the cache of the user's DVC project at `root` what it lacks and his work tree has, as the pointers say."""
    lacking = [pointer for pointer, is_there in dvc.has_in_cache(root, inputs).items() if not is_there]
    for pointer in dvc.look(lacking, top, dvc.cache_dir(root), known) if lacking else ():
        if pointer.modified is False:
            dvc.add_to_cache(root, top / pointer.path, top, known)


def _bring(root: Path, top: Path, share: _Share, *, is_fetched: bool) -> Iterator[str]:
    """Bring what belongs to the project at `root`; gives a line for each input that the cache has not, if it was not to be fetched."""
    if not share.pointers:
        return
    looked = dvc.look(share.pointers, top, dvc.cache_dir(root), share.known)
    for pointer, now in zip(share.pointers, looked, strict=True):
        target = top / pointer.path
        if leads_away(top, pointer.path) and is_at(pointer.path, share.links):
            continue  # what the link leads to is what is used
        check_way(top, pointer.path)
        if now.modified is False and (not pointer.is_folder or dvc.trim(root, pointer, target)):
            continue
        is_had = dvc.has_in_cache(root, [pointer])[pointer]
        try:
            dvc.bring(root, pointer, target, is_linked=pointer.path not in share.copied)
        except DataError:
            if pointer in share.inputs and (is_fetched or is_had):
                raise
            if pointer in share.inputs:
                yield f"{pointer.path} is not there for it: the DVC cache lacks its data; get it with `dvc fetch {pointer.source}`"


def list_absent(record: Record) -> set[str]:
    """The paths of data that was not on disk, neither when the run started nor when it ended. Of one that died early nothing is known."""
    absent = {one.path for one in record.data if one.modified is None}
    return set() if record.status is Status.CRASHED and len(absent) == len(record.data) else absent
