"""The state of the code of many runs, and which of them had the code of a commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from exptrack.analysis.commands import script_words
from exptrack.analysis.configurations import code_digest
from exptrack.backends.git import objects
from exptrack.backends.git.repository import Repository
from exptrack.model.run import Record, Run
from exptrack.operations.context import Context

_FILE = "100"


def digest_code(context: Context, runs: Sequence[Run]) -> dict[str, str]:
    """The state of the code of each run, by its oid; a run whose snapshot is not here has none."""
    return _digest(context, [(one.oid, one.record) for one in runs], [f"{one.oid}^^{{tree}}" for one in runs])


def digest_files(context: Context, runs: Sequence[Run], commit: str) -> tuple[dict[str, str], dict[str, str]]:
    """By the oid of each run the state of the code files of its snapshot, and what that state would be in `commit`.

    Of a pipeline, too, all files that are code count: what its stages depend on is not known of a commit.
    """
    plain = [(one.oid, one.record._replace(stages=None)) for one in runs]
    had = _digest(context, plain, [f"{one.oid}^^{{tree}}" for one in runs])
    return had, _digest(context, plain, [f"{commit}^{{tree}}"] * len(plain))


def read_trees(repository: Repository, roots: Iterable[str]) -> dict[str, dict[str, str]]:
    """The regular files of each tree, oids by path. A folder that several have is read once: one process for each level of folders."""
    width = 32 if repository.object_format == "sha256" else 20
    entries: dict[str, list[objects.Entry]] = {}
    wanted = [*dict.fromkeys(roots)]
    tops = tuple(wanted)
    while wanted:
        for oid, content in zip(wanted, objects.read_many(repository, wanted), strict=True):
            entries[oid] = [*objects.parse_tree(content or b"", width)]
        below = (one.oid for oid in wanted for one in entries[oid] if one.is_folder)
        wanted = [oid for oid in dict.fromkeys(below) if oid not in entries]
    known: dict[str, dict[str, str]] = {}
    return {oid: _list_files(oid, entries, known) for oid in tops}


def _list_files(
    oid: str, entries: Mapping[str, list[objects.Entry]], known: dict[str, dict[str, str]]
) -> dict[str, str]:
    if oid not in known:
        files: dict[str, str] = {}
        for one in entries[oid]:
            if one.is_folder:
                below = _list_files(one.oid, entries, known)
                files.update({f"{one.name}/{path}": blob for path, blob in below.items()})
            elif one.mode.startswith(_FILE):
                files[one.name] = one.oid
        known[oid] = files
    return known[oid]


def _digest(context: Context, records: Sequence[tuple[str, Record]], names: Sequence[str]) -> dict[str, str]:
    trees = dict(zip(dict.fromkeys(names), objects.resolve(context.repository, [*dict.fromkeys(names)]), strict=True))
    files = read_trees(context.repository, [tree for tree in trees.values() if tree])
    known: dict[tuple[object, ...], str] = {}
    digests = {}
    for (oid, record), name in zip(records, names, strict=True):
        tree = trees[name]
        if tree is None:
            continue
        words = record.command[: len(record.command) - len(script_words(record.command))]
        key = (tree, record.directory, words) if not record.stages else (oid,)
        if key not in known:
            known[key] = code_digest(record, files[tree], context.settings.compare)
        digests[oid] = known[key]
    return digests
