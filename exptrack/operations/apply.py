"""Bring a run's code, parameters and data into the work tree; index, HEAD and branches stay as they are."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import time
from typing import NamedTuple

from exptrack.analysis.arguments import ARGUMENTS
from exptrack.analysis.wording import name_few
from exptrack.backends.git import clearing, staging
from exptrack.backends.git.index import list_untracked
from exptrack.backends.git.staging import SUBMODULE, File, WorkTree
from exptrack.errors import ExptrackError, explain
from exptrack.model.application import Applied, Part
from exptrack.model.change import Kind
from exptrack.model.run import Run
from exptrack.model.tree import flatten
from exptrack.operations.applying.applydata import Cargo, check_cargo, find_cargo, list_cargo, load_cargo
from exptrack.operations.applying.exchange import Step, exchange
from exptrack.operations.applying.overwriting import find_obstacle, find_unsaved
from exptrack.operations.applying.wanted import Source, find_wanted, read_source
from exptrack.operations.context import Context
from exptrack.operations.recording.observe import describe_omissions
from exptrack.store.private_index import is_ours

_NAMED = 5
_ABANDONED = 86_400.0  # seconds; data may be fetched meanwhile


class _Plan(NamedTuple):
    """What is to be done: files that differ from what is wanted, and data that does."""

    tree: WorkTree
    wanted: Mapping[str, File | None]
    differing: Mapping[str, File | None]
    cargo: Cargo


def apply(
    context: Context, run: Run, parts: Collection[Part] = tuple(Part), *, force: bool = False, dry: bool = False
) -> Applied:
    """Bring the files of a run into the work tree; with `dry` only say what would be done.

    Code and parameters are those of the snapshot, with the values that the command's own words gave; data and results are those of
    the run commit. Nothing is touched unless all of it is to
    be had; an error while files are exchanged puts back what was there. Raises ExptrackError for work that would be lost (unless
    `force`) or is in the way, DataError for data that is not to be had, RepositoryError if git refuses.
    """
    repository = context.repository
    source = read_source(context, run)
    with _scratch(context) as scratch:
        tree = staging.look(repository, scratch, [*source.snapshot, *source.final])
        wanted = find_wanted(source, tree.staged.keys(), parts)
        differing = _differing(tree, wanted)
        cargo = find_cargo(context, source, tree, wanted) if Part.DATA in parts else Cargo()
        plan = _Plan(tree, wanted, differing, cargo)
        _check(context, source, plan, force=force)
        files = {path: file for path, file in differing.items() if file is not None}
        (scratch / "new").mkdir()
        written = (
            staging.write_files(repository, _with_attributes(source, files, parts), scratch / "new") if files else ()
        )
        _tell(context, source, plan, parts, sorted(files.keys() - written))
        chosen = {path: file for path, file in differing.items() if file is None or path in written}
        applied = Applied(run.name, tuple(_list(tree, chosen)), list_cargo(context, cargo))
        if not dry:
            _carry_out(context, source, chosen, cargo, scratch)
    return applied


@contextmanager
def _scratch(context: Context) -> Iterator[Path]:
    """A folder of the moment in the repository, so that files can be renamed from there into the work tree."""
    _mention_killed(context)
    folder = context.repository.private / f"apply-{os.urandom(4).hex()}"
    try:
        (folder / "old").mkdir(parents=True)
    except OSError as error:
        raise ExptrackError(f"cannot write below {context.repository.private}: {explain(error)}") from error
    try:
        yield folder
    finally:
        # What could not be put back stays.
        if not any((folder / "old").iterdir()):
            clearing.remove(folder)


def _mention_killed(context: Context) -> None:
    """What a killed one has left: files that it had replaced are the user's to delete."""
    for folder in context.repository.private.glob("apply-*"):
        with suppress(OSError):
            if any((folder / "old").iterdir()):
                context.notice(
                    f"an `exptrack apply` was killed: what it had replaced is in {folder}, delete that if all is well"
                )
            elif time() - folder.stat().st_mtime > _ABANDONED:
                clearing.remove(folder)


def _differing(tree: WorkTree, wanted: Mapping[str, File | None]) -> dict[str, File | None]:
    """What is not on disk as it is wanted. Submodules are left alone, and what a sparse checkout leaves out is not there."""
    return {
        path: file
        for path, file in wanted.items()
        if (path in tree.refused or tree.found.get(path) != file)
        and path not in tree.outside
        and tree.staged.get(path, ("",))[0] != SUBMODULE
    }


def _check(context: Context, source: Source, plan: _Plan, *, force: bool) -> None:
    """Raise ExptrackError if there is something in the way, or work would be lost."""
    top = context.repository.top
    gone = {path for path, file in plan.differing.items() if file is None}
    places = [*(path for path, file in plan.differing.items() if file is not None), *plan.cargo.paths]
    if obstacle := find_obstacle(top, places, gone, plan.cargo.paths):
        raise ExptrackError(f"{obstacle[0]} is in the way of {obstacle[1]}: move it away, and try again")
    if force:
        return
    files = find_unsaved(context, source, plan.tree, plan.differing)
    data = list(check_cargo(context, plan.cargo))
    if files or data:
        saved = " and ".join(
            filter(None, ["commit or stash it" if files else "", "`dvc add` the data" if data else ""])
        )
        raise ExptrackError(
            f"'{source.run.name}' is not applied, since it would overwrite what is not committed: {name_few([*files, *data], _NAMED)}; "
            f"{saved}, or overwrite it with --force"
        )


def _with_attributes(source: Source, files: Mapping[str, File], parts: Collection[Part]) -> dict[str, File]:
    """The files, and beside them those that say how git writes files."""
    tree = source.snapshot if Part.CODE in parts else source.final
    deciding = {
        path: file for path, file in tree.items() if path.rpartition("/")[2] in {".gitattributes", ".lfsconfig"}
    }
    return {**{path: file for path, file in deciding.items() if file[0].startswith("100")}, **files}


def _list(tree: WorkTree, chosen: Mapping[str, File | None]) -> Iterator[tuple[str, Kind]]:
    for path, file in sorted(chosen.items()):
        is_there = path in tree.found or path in tree.refused
        if file is not None:
            yield path, Kind.CHANGED if is_there else Kind.ADDED
        elif is_there:
            yield path, Kind.REMOVED


def _carry_out(
    context: Context, source: Source, chosen: Mapping[str, File | None], cargo: Cargo, scratch: Path
) -> None:
    top = context.repository.top
    with load_cargo(context, source, cargo, scratch.name) as loaded:
        removed = [Step(top / path, None) for path, file in sorted(chosen.items()) if file is None]
        written = [
            Step(top / path, scratch / "new" / path) for path, file in sorted(chosen.items()) if file is not None
        ]
        steps = [step for step in removed if os.path.lexists(step.target)]
        try:
            exchange([*steps, *loaded, *written], top, scratch / "old")
        except ExptrackError as error:
            raise ExptrackError(f"'{source.run.name}' could not be applied: {error}") from error


def _tell(context: Context, source: Source, plan: _Plan, parts: Collection[Part], outside: Sequence[str]) -> None:
    """What the user should know: what the run had and the work tree will not have, and the other way round."""
    run, tree = source.run, plan.tree
    record = run.record
    if left := describe_omissions(record.not_captured):
        context.notice(f"{run.name}: {left}")
    told = flatten(record.params.get(ARGUMENTS, {}))
    if Part.PARAMS in parts and told:
        words = [f"{key}={value}" for key, value in told.items()]
        context.notice(f"{run.name} was told {name_few(words, _NAMED)} by its command, which is in no file of it")
    outside = sorted({*outside, *(path for path in plan.wanted if path in tree.outside)})
    if outside:
        context.notice(f"left alone, since the sparse checkout leaves it out: {name_few(outside, _NAMED)}")
    if Part.CODE not in parts:
        return
    if record.changed:
        context.notice(f"changed while {run.name} ran, and as it was at the start: {name_few(record.changed, _NAMED)}")
    modules = [
        path
        for path in {*source.snapshot, *tree.staged}
        if SUBMODULE in {source.snapshot.get(path, ("",))[0], tree.staged.get(path, ("",))[0]}
        and source.snapshot.get(path) != tree.found.get(path)
    ]
    if modules:
        context.notice(f"submodules are left alone; another commit in the run: {name_few(sorted(modules), _NAMED)}")
    if others := _list_others(context, source, tree):
        context.notice(
            f"left alone, since Git does not track it and the run did not have it: {name_few(others, _NAMED)}"
        )


def _list_others(context: Context, source: Source, tree: WorkTree) -> list[str]:
    known = {
        *source.snapshot,
        *source.final,
        *tree.staged,
        *(one.path.rstrip("/") for one in source.run.record.not_captured),
    }
    data = tuple(f"{path}/" for path in source.pointers)
    return [
        path
        for path in list_untracked(context.repository)
        if path.rstrip("/") not in known
        and path not in source.pointers
        and not is_ours(path)
        and not path.startswith(data)
    ]
