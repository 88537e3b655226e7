"""What differs between two sides, or several: runs, commits, the work tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack

from exptrack.analysis.comparable import MODIFIED, data_tree, is_value_file, params_tree, plain_outs, pointers_of
from exptrack.analysis.diff import diff as diff_trees
from exptrack.analysis.diff import overview as overview_trees
from exptrack.backends import dvc
from exptrack.backends.git import diffs
from exptrack.backends.git.diffs import Changed
from exptrack.backends.git.repository import Repository
from exptrack.errors import DataError
from exptrack.model.change import Change, Kind
from exptrack.model.difference import Area, DataFile, Difference, FileChange, Overview, Row, Side, SideKind
from exptrack.model.run import SEALED, Run
from exptrack.model.tree import flatten, nest
from exptrack.operations.context import Context
from exptrack.operations.edits import change_of
from exptrack.operations.histories import find_logged
from exptrack.operations.sides import WORK_TREE, Found, find, make_commit_side, make_run_side, work_tree_side
from exptrack.operations.sources import is_at

_TREES = (Area.PARAMS, Area.METRICS, Area.DATA, Area.ENVIRONMENT)


def diff(
    context: Context,
    old: str | Run,
    new: str | Run = WORK_TREE,
    *,
    areas: Collection[Area] | None = None,
    patch: bool = True,
) -> Difference:
    """Compare two sides, each a run, a commit or branch of Git, or `.` for the work tree; raises RevError.

    `areas` are all if None; `patch` asks for the code's differences line by line.
    """
    areas = tuple(Area) if areas is None else areas
    with ExitStack() as stack:
        sides, repository = _open(context, (old, new), areas, stack)
        before, after = _alike(repository, sides)
        changes = [change for area in _TREES if area in areas for change in _compare(before, after, area)]
        files, text = _compare_code(repository, before, after, patch=patch) if Area.CODE in areas else ((), "")
        return Difference(
            before,
            after,
            tuple(changes),
            files,
            _folders(context, before, after, changes),
            text,
            _skipped((before, after), areas),
            (*_cautions((before, after), areas), *_whose(changes, (before, after))),
        )


def overview(context: Context, revs: Sequence[str | Run], *, areas: Collection[Area] | None = None) -> Overview:
    """What differs between three sides or more, as `diff` understands them; of code the oids of the files' content."""
    areas = tuple(Area) if areas is None else areas
    with ExitStack() as stack:
        found, repository = _open(context, revs, areas, stack)
        sides = _alike(repository, found)
        rows: list[Row] = []
        for area in _TREES:
            if area in areas and all(area in side.trees for side in sides):
                rows += overview_trees([side.trees[area] for side in sides], area)
        if Area.CODE in areas:
            rows += _code_rows(repository, sides)
        return Overview(tuple(sides), tuple(rows), _skipped(sides, areas), tuple(_cautions(sides, areas)))


def _open(
    context: Context, revs: Sequence[str | Run], areas: Collection[Area], stack: ExitStack
) -> tuple[list[Side], Repository]:
    """The sides, and the repository in which the code of all of them is found."""
    found = [find(context, rev) for rev in revs]
    run = next((one.run for one in found if one.run), None)
    repository = context.repository
    tree: Side | None = None
    if any(_is_work_tree(one) for one in found):
        tree, repository = stack.enter_context(work_tree_side(context, areas, run))
    return [tree if tree and _is_work_tree(one) else _make(context, one, areas) for one in found], repository


def _is_work_tree(found: Found) -> bool:
    return found.run is None and found.commit is None


def _make(context: Context, found: Found, areas: Collection[Area]) -> Side:
    if found.run is not None:
        return make_run_side(context, found.run, areas)
    return make_commit_side(context, found.typed, found.commit or "")


def _alike(repository: Repository, sides: Sequence[Side]) -> list[Side]:
    """Beside a commit or work tree, which has neither a command nor output nor outputs, runs without what came of theirs."""
    others = [side for side in sides if side.kind is not SideKind.RUN]
    if not others:
        return list(sides)
    paths = {path for side in others for path in side.pointers}
    metrics = {key for side in others for key in flatten(side.trees.get(Area.METRICS, {}))}
    return [side if side.run is None else _without_own(repository, side, side.run, paths, metrics) for side in sides]


def _without_own(
    repository: Repository, side: Side, run: Run, paths: Collection[str], metrics: Collection[str]
) -> Side:
    """A run without its arguments, and without the outputs and the metrics read from its output that no other side has."""
    data = pointers_of(run.record, with_outputs=False)
    pointers = {path: one for path, one in side.pointers.items() if path in data or path in paths}
    flat = flatten(run.record.shown_metrics)
    printed = find_logged(repository, run.oid, [key for key in flat if key not in metrics])
    printed = {*printed, *(key for key in run.record.sealed if key not in metrics)}
    trees = {
        **side.trees,
        Area.PARAMS: params_tree(run.record.params, with_arguments=False),
        Area.METRICS: nest({key: value for key, value in flat.items() if key not in printed})
        if printed
        else run.record.shown_metrics,
        Area.DATA: data_tree(pointers.values()),
    }
    return side._replace(trees=trees, pointers=pointers)


def _compare(old: Side, new: Side, area: Area) -> tuple[Change, ...]:
    if area not in old.trees or area not in new.trees:
        return ()
    return diff_trees(old.trees[area], new.trees[area], area)


def _compare_code(repository: Repository, old: Side, new: Side, *, patch: bool) -> tuple[tuple[FileChange, ...], str]:
    """The files that differ and the patch, without those whose values are compared."""
    found = diffs.list_changes(repository, old.code, new.code)
    hidden = {one.path for one in found if _is_compared(one, old, new)}
    shown = [one for one in found if one.path not in hidden]
    text = diffs.read_diff(repository, old.code, new.code, without=hidden) if shown and patch else ""
    return tuple(map(change_of, shown)), text


def _is_compared(changed: Changed, old: Side, new: Side) -> bool:
    """Whether a file holds values that are compared: read on each side that has it, or results of either.

    What the stages of both sides made is compared as data: in a snapshot lies what an earlier run left.
    """
    if all(side.run is not None and is_at(changed.path, plain_outs(side.run.record)) for side in (old, new)):
        return True
    if not is_value_file(changed.path):
        return False
    before = changed.old_path or changed.path
    is_read = (changed.status == "A" or before in old.read_by_value) and (
        changed.status == "D" or changed.path in new.read_by_value
    )
    return is_read or changed.path in old.results | new.results


def _folders(context: Context, old: Side, new: Side, changes: Sequence[Change]) -> dict[str, tuple[DataFile, ...]]:
    """For each folder of data that changed the files in it that did, as far as the DVC cache has both listings."""
    changed = [one.key[0] for one in changes if one.area == Area.DATA and one.kind is Kind.CHANGED]
    folders = [path for path in changed if old.pointers[path].is_folder and new.pointers[path].is_folder]
    if not folders:
        return {}
    root = dvc.find_root(context.folder, context.repository.top)
    found = {}
    for path in folders if root else ():
        try:
            files = dvc.compare_folders(root, old.pointers[path], new.pointers[path])  # type: ignore[arg-type]
        except DataError:
            continue
        if files is not None:
            found[path] = files
    return found


def _skipped(sides: Sequence[Side], areas: Collection[Area]) -> dict[str, str]:
    skipped: dict[str, str] = {}
    for area in _TREES:
        names: dict[str, list[str]] = {}
        for side in sides:
            if area in side.unknown and area in areas:
                names.setdefault(side.unknown[area], []).append(side.name)
        if names:
            skipped[str(area)] = "; ".join(f"{' and '.join(some)}: {reason}" for reason, some in names.items())
    return skipped


def _cautions(sides: Sequence[Side], areas: Collection[Area]) -> Iterator[str]:
    if Area.DATA in areas:
        seen = Counter(
            item for side in sides for item in side.trees[Area.DATA].items() if str(item[1]).endswith(MODIFIED)
        )
        for (path, _), count in sorted(seen.items()):
            if count > 1:
                yield f"{path} was modified on {_where(count, sides)} without its pointer: whether it differs cannot be told"
    if Area.METRICS in areas:
        metrics = [flatten(side.trees.get(Area.METRICS, {})) for side in sides]
        sealed = Counter(key for one in metrics for key, value in one.items() if value == SEALED)
        for key, count in sorted(sealed.items()):
            if count > 1:
                yield f"{key} is sealed on {_where(count, sides)}: whether it differs cannot be told"
    for side in sides:
        if Area.DATA in areas and side.kind is SideKind.WORK_TREE:
            missing = [path for path, pointer in side.pointers.items() if pointer.modified is None]
            yield from (f"{path} is not on disk: its pointer is compared" for path in sorted(missing))
        yield from (f"{side.name}: {problem}" for problem in side.problems)


def _where(count: int, sides: Sequence[Side]) -> str:
    return "both sides" if count == len(sides) == 2 else f"{count} sides"


def _whose(changes: Sequence[Change], sides: Sequence[Side]) -> Iterator[str]:
    if any(one.area == Area.METRICS for one in changes) and any(side.kind is SideKind.WORK_TREE for side in sides):
        yield "the metrics of the work tree are what lies in its files, whichever run wrote them"


def _code_rows(repository: Repository, sides: Sequence[Side]) -> list[Row]:
    """The first side is compared with each other one; a file that does not differ there is as on the first side."""
    first, *others = sides
    seen: dict[str, dict[int, tuple[str, str]]] = {}
    compared: set[str] = set()
    for number, side in enumerate(others, 1):
        for one in diffs.list_changes(repository, first.code, side.code, renames=False):
            row = seen.setdefault(one.path, dict.fromkeys(range(len(sides)), (one.old_oid, one.old_mode)))
            row[number] = (one.new_oid, one.new_mode)
            compared |= {one.path} if _is_compared(one, first, side) else set()
    return [Row(Area.CODE, (path,), _name_contents(row)) for path, row in sorted(seen.items()) if path not in compared]


def _name_contents(row: Mapping[int, tuple[str, str]]) -> dict[int, str]:
    has = {number: content for number, content in row.items() if content[0].strip("0")}
    is_mode_told = len({mode for _, mode in has.values()}) > 1
    return {number: f"{oid} {mode}" if is_mode_told else oid for number, (oid, mode) in has.items()}
