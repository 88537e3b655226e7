"""Whether a commit is what ran: each of its files as in the run's snapshot, or as in the run itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from exptrack.analysis.comparable import holds_metrics
from exptrack.analysis.same import is_same
from exptrack.analysis.secretshapes import MASK
from exptrack.analysis.terms import matches_path
from exptrack.analysis.wording import name_few
from exptrack.backends.git import diffs, objects
from exptrack.backends.git.ancestry import find_merge_base
from exptrack.backends.git.diffs import Changed
from exptrack.errors import ExptrackError, RepositoryError
from exptrack.model.change import Kind
from exptrack.model.difference import FileChange
from exptrack.model.run import Run
from exptrack.model.settings import Settings
from exptrack.model.tree import Tree
from exptrack.operations.checking.pointed import name_data
from exptrack.operations.context import Context
from exptrack.operations.edits import change_of
from exptrack.operations.files import Committed
from exptrack.operations.recording.given import change_params
from exptrack.operations.reproducing.code import settings_at
from exptrack.operations.reproducing.replay import read_environment
from exptrack.operations.sources import Reader, below
from exptrack.store.private_index import is_ours

_NAMED = 3
_REGULAR = "100"
_METRICS, _PARAMS = "metrics.json", "params.yaml"


class Compared(NamedTuple):
    """What a commit has otherwise than a run.

    `files` are those in which it is not what ran, by path, as they became what the commit has. `given` are lines about parameters that it
    has without what the run was given. `data` are the paths for whose data each pointer file among `files` stands for another hash.
    `is_base_newer`: all `files` are as the base has them, which has changed them since it and the run parted.
    `are_results`: all `files` are results that the run wrote otherwise.
    """

    files: tuple[FileChange, ...] = ()
    given: tuple[str, ...] = ()
    data: Mapping[str, tuple[str, ...]] = {}
    is_base_newer: bool = False
    are_results: bool = False

    def describe(self, file: FileChange) -> str:
        """One of `files` in a few words, by the data that a pointer stands for."""
        data = name_few(self.data.get(file.path, ()), _NAMED, " and ")
        gone = {Kind.ADDED: "added", Kind.REMOVED: "removed"}.get(file.kind, "")
        if not data:
            return f"{file.path} ({gone})" if gone else file.path
        if file.path.endswith(".dvc"):
            return f"{data} (its pointer {file.path}{' was ' if gone else ''}{gone})"
        return f"{data} (in {file.path}{', which was ' if gone else ''}{gone})"


def compare_code(
    context: Context,
    run: Run,
    commit: str,
    ignore: Sequence[str] = (),
    *,
    others: Sequence[Run] = (),
    base: str | None = None,
) -> Compared:
    """Compare the files of a commit with the run's snapshot and with the run: what agrees with neither is named.

    Of several runs that a commit claims, it can have the results of one only: what this run wrote may be as one of the `others` left it.

    Left out are exptrack's own files, and what matches `ignore`. Files of parameters may lack what was given to the run alone. Of what the
    run wrote, nothing need be there; `metrics.json` may be laid out otherwise. `base` is the commit of which `is_base_newer` speaks; with it
    the results that lay there before the run may be there only as the base has them: others were put there, and are not the run's.

    Raises RepositoryError if one of the commits is not in this repository.
    """
    if run.snapshot is None:
        raise RepositoryError(
            f"the snapshot of '{run.name}' is not in this repository: run `git fetch --unshallow` first"
        )
    strange = _list_strange(context, run, run.snapshot, commit, base)
    changed = [one for one in strange if not is_ours(one.path) and not matches_path(one.path, ignore)]
    changed = [one for one in changed if not _holds_metrics(context, (run, *others), one)]
    changed = _without_results(context, run, commit, others, changed)
    fitting, given = _find_given(context, run, run.snapshot, commit, changed)
    changed = [one for one in changed if one.path not in fitting]
    return Compared(
        tuple(map(change_of, changed)),
        given,
        name_data(context, changed, commit),
        base is not None and bool(changed) and _is_brought(context, run.snapshot, base, changed),
        bool(changed) and _are_results(context, run, changed),
    )


def _list_strange(context: Context, run: Run, snapshot: str, commit: str, base: str | None) -> list[Changed]:
    """The files of a commit that are neither as in the snapshot nor as in the run; what the run wrote is compared with that."""
    before = {one.path for one in diffs.list_changes(context.repository, snapshot, commit, renames=False)}
    after = {one.path: one for one in diffs.list_changes(context.repository, run.oid, commit, renames=False)}
    # A file that is missing from the run was never taken away by one: a record is the snapshot and what came out.
    left = [one for path, one in after.items() if path not in before and one.status != "D" and _is_result(run, path)]
    foreign = _list_foreign(context, left, commit, base) if base and left else set()
    return [one for path, one in after.items() if path in before or path in foreign]


def _is_result(run: Run, path: str) -> bool:
    """Whether what a run wrote there came out of it: parameters were given to it, and lines of `.gitignore` keep data out of Git."""
    return path != below(run.record.project, _PARAMS) and path.rpartition("/")[2] != ".gitignore" and not is_ours(path)


def _are_results(context: Context, run: Run, changed: Iterable[Changed]) -> bool:
    written = {*diffs.list_written(context.repository, run.oid)}
    return all(one.path in written and _is_result(run, one.path) for one in changed)


def _list_foreign(context: Context, left: Iterable[Changed], commit: str, base: str) -> set[str]:
    """Which of these files the commit has otherwise than the base, and than the commit of it that both stand on."""
    found = {one.path for one in left}
    fork = find_merge_base(context.repository, base, commit)
    for one in {base, fork or base}:
        found &= {other.path for other in diffs.list_changes(context.repository, one, commit, renames=False)}
    return found


def _without_results(
    context: Context, run: Run, commit: str, others: Sequence[Run], changed: list[Changed]
) -> list[Changed]:
    """What is left without the files that this run and another one wrote, and that the commit has as the other one left them."""
    if not (changed and others):
        return changed
    results = {one.path for one in changed}.intersection(diffs.list_written(context.repository, run.oid))
    for other in others:
        if not results:  # as most of the time; each other run takes git twice, and each of ten claims has nine others
            break
        differing = {one.path for one in diffs.list_changes(context.repository, other.oid, commit, renames=False)}
        alike = results - differing
        if alike:
            alike.intersection_update(diffs.list_written(context.repository, other.oid))
        results -= alike
        changed = [one for one in changed if one.path not in alike]
    return changed


def _holds_metrics(context: Context, runs: Sequence[Run], one: Changed) -> bool:
    """Whether it is a project's `metrics.json` as the command of one of these runs wrote it: in the run stands one that was made of the record."""
    records = [run.record for run in runs if one.path == below(run.record.project, _METRICS)]
    if not records or not _is_edited(one):
        return False
    content = objects.read(context.repository, one.new_oid)
    return content is not None and any(holds_metrics(record, one.path, content) for record in records)


def _is_brought(context: Context, snapshot: str, base: str, changed: Iterable[Changed]) -> bool:
    """Whether all that changed is as the base has changed it since it and the run parted."""
    try:
        brought = diffs.list_changes(context.repository, snapshot, base, renames=False, since_fork=True)
    except RepositoryError:  # they have no commit in common, or not in a shallow clone
        return False
    theirs = {one.path: (one.new_mode, one.new_oid) for one in brought}
    return all(theirs.get(one.path) == (one.new_mode, one.new_oid) for one in changed)


def _find_given(
    context: Context, run: Run, snapshot: str, commit: str, changed: Iterable[Changed]
) -> tuple[frozenset[str], tuple[str, ...]]:
    """The files of parameters that are what ran as soon as they get what the run was given; and a line that says so."""
    record = run.record
    sources = {below(record.project, source): source for source in record.params}
    asked = [one.path for one in changed if one.path in sources and _is_edited(one)]
    if not asked or any(MASK in word for word in record.overrides):
        return frozenset(), ()
    seed = _find_seed(context, run)
    if seed is None and not record.overrides:
        return frozenset(), ()
    context = context._replace(project=record.project)
    try:
        named = (settings_at(context, snapshot) or Settings()).seed
        expected = change_params(_read_params(context, commit, sources), record.overrides, seed, named)
    except ExptrackError:  # it does not fit there, so this is not what the run was given it for
        return frozenset(), ()
    ran = _read_params(context, snapshot, asked)
    fitting = [path for path in asked if _agree(expected, ran, sources[path])]
    words = [*record.overrides, *([] if seed is None else [f"seed={seed}"])]
    line = f"{name_few(fitting, _NAMED, ' and ')} without what the run was given: {', '.join(words)}"
    return frozenset(fitting), (line,) if fitting else ()


def _is_edited(one: Changed) -> bool:
    """Whether it is a file on both sides, in which only the content differs."""
    return one.status == "M" and one.old_mode == one.new_mode and one.new_mode.startswith(_REGULAR)


def _find_seed(context: Context, run: Run) -> int | None:
    """The seed that the run was given by `--seed`; one that its parameters had stands in them."""
    seed = run.record.seed
    if not isinstance(seed, int):
        return None
    environment = read_environment(context, run)
    return seed if environment is not None and environment.variables.get("EXPTRACK_SEED") == str(seed) else None


def _read_params(context: Context, commit: str, paths: Iterable[str]) -> dict[str, Tree]:
    files = Committed(context.repository, commit)
    return Reader(files, context.project, context.yaml.load).params(path for path in paths if files.has(path))


def _agree(expected: Mapping[str, Tree], ran: Mapping[str, Tree], source: str) -> bool:
    return source in expected and source in ran and is_same(expected[source], ran[source])
