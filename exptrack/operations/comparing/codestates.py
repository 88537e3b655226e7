"""The state of the code of many runs, and which of them had the code of a commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from posixpath import join, normpath

from exptrack.analysis.commands import script_words
from exptrack.analysis.configurations import code_digest, code_files, code_patterns
from exptrack.analysis.settings import Section
from exptrack.backends.git import objects
from exptrack.backends.git.repository import Repository
from exptrack.model.run import Record, Run
from exptrack.operations.context import SETTINGS, Context

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


class Trees:
    """Trees that were read, a folder that several have once: one process for each level of folders."""

    def __init__(self, repository: Repository, roots: Iterable[str]) -> None:
        width = 32 if repository.object_format == "sha256" else 20
        self._entries: dict[str, list[objects.Entry]] = {}
        self._files: dict[str, dict[str, str]] = {}
        wanted = [*dict.fromkeys(roots)]
        while wanted:
            for oid, content in zip(wanted, objects.read_many(repository, wanted), strict=True):
                self._entries[oid] = [*objects.parse_tree(content or b"", width)]
            below = (one.oid for oid in wanted for one in self._entries[oid] if one.is_folder)
            wanted = [oid for oid in dict.fromkeys(below) if oid not in self._entries]

    def list_files(self, oid: str) -> dict[str, str]:
        """The regular files of a tree, oids by path."""
        if oid not in self._files:
            files: dict[str, str] = {}
            for one in self._entries[oid]:
                if one.is_folder:
                    files |= {f"{one.name}/{path}": blob for path, blob in self.list_files(one.oid).items()}
                elif one.mode.startswith(_FILE):
                    files[one.name] = one.oid
            self._files[oid] = files
        return self._files[oid]

    def name_top(self, oid: str, is_meant: Callable[[str], bool]) -> tuple[str, ...]:
        """What two trees have in common whose folders are the same, and those files beside them that are meant."""
        return tuple(f"{one.oid} {one.name}" for one in self._entries[oid] if one.is_folder or is_meant(one.name))


def _digest(context: Context, records: Sequence[tuple[str, Record]], names: Sequence[str]) -> dict[str, str]:
    different = [*dict.fromkeys(names)]
    oids = dict(zip(different, objects.resolve(context.repository, different), strict=True))
    trees = Trees(context.repository, [tree for tree in oids.values() if tree])
    Section(SETTINGS, "compare", dict(context.settings.compare)).allow("code")
    patterns = code_patterns(context.settings.compare)

    @cache
    def is_code(name: str) -> bool:
        return bool(code_files([name], patterns))

    known: dict[tuple[object, ...], str] = {}
    digests = {}
    for (oid, record), name in zip(records, names, strict=True):
        tree = oids[name]
        if tree is None:
            continue
        words = record.command[: len(record.command) - len(script_words(record.command))]
        programs = {normpath(join(record.directory, word)) for word in words}
        # Most runs differ in files that are no code: 10,000 with other parameters need one look at what is in the folders.
        top = trees.name_top(tree, lambda file, programs=programs: file in programs or is_code(file))  # type: ignore[misc]
        key = (oid,) if record.stages else (top, record.directory, words)
        if key not in known:
            known[key] = code_digest(record, trees.list_files(tree), context.settings.compare)
        digests[oid] = known[key]
    return digests
