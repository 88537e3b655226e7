"""Which runs are replicates: those with the same parameters but for the seed, and the same state of the code."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from posixpath import join, normpath, splitext

from exptrack.analysis.arguments import other_words
from exptrack.analysis.commands import script_words
from exptrack.analysis.seeds import find_seed_key
from exptrack.analysis.settings import Section
from exptrack.analysis.terms import matches_path
from exptrack.model.pipeline import StageRun
from exptrack.model.run import Record
from exptrack.model.tree import Tree, Value, flatten

# The usual endings of programs and notebooks.
CODE = tuple(
    f"*.{ending}"
    for ending in (
        "R", "Rmd", "awk", "bash", "c", "cc", "clj", "cpp", "cs", "cu", "cuh", "cxx", "ex", "exs", "f", "f03", "f08", "f90", "f95",
        "for", "go", "h", "hpp", "hs", "hxx", "ipynb", "java", "jl", "js", "kt", "lua", "m", "mjs", "ml", "mm", "nim", "php", "pl", "pm",
        "ps1", "py", "pyx", "qmd", "r", "rb", "rs", "scala", "sh", "sql", "stan", "swift", "ts", "zig", "zsh",
    )
)  # fmt: skip

_ENDINGS = frozenset(CODE)
_DIGEST = re.compile(r"[a-z][a-z0-9-]*:")
_EXACT = 2**53


_INTERPRETER = re.compile(r"(?:.*/)?(python|pypy)[\d.]*t?", re.DOTALL)


def configuration_key(record: Record, seed_name: str | None) -> str:
    """What the replicates of a run have in common, but for the code: a digest of its parameters of all sources, and of its command.

    The seed is left out, which is the parameter `seed_name`, or if none is named the one that `find_seed_key` takes for it; further seeds
    are parameters. 1 and 1.0 are the same. Of the command count the words that gave no parameter (the program, files, short options)
    and the folder in which it ran.
    """
    flat = {source: flatten(tree) for source, tree in record.params.items()}
    seed = find_seed_key(record.params, seed_name)
    params: dict[str, Value] = {}
    for source, one in flat.items():
        others = {key: _plain(value) for key, value in one.items() if key != seed}
        if others:
            params[source] = others
    return _digest([params, record.directory, _words(record.command)])


def configuration_command(record: Record) -> str:
    """The command as far as it belongs to the configuration: the words that gave no parameter, and the folder in which it ran."""
    words = shlex.join(_words(record.command))
    return words if record.directory == "." else f"{words} in {record.directory}".strip()


def code_digest(record: Record, files: Mapping[str, str], compare: Tree) -> str:
    """The state of the code of a run: a digest of its code files.

    `files` are those of its snapshot, object ids by path; `compare` is the section of `exptrack.yaml`. For a pipeline they are the code
    dependencies of its stages, see `pipeline_code`; a pipeline without any, and any other run, has those of `compare.code`, and if that
    is not given, also what the command runs, whatever it is called.

    Raises SettingsError if `compare.code` is no list of texts.
    """
    if record.stages:
        found = pipeline_code(record.stages, (pointer.path for pointer in record.data))
        if found:
            return _digest(["stages", found])
    patterns = code_patterns(compare)
    paths = {*code_files(files, patterns), *(_programs(record) & files.keys() if patterns == CODE else ())}
    return _digest(["files", {path: files[path] for path in paths}])


def code_patterns(compare: Tree, name: str = "exptrack.yaml") -> tuple[str, ...]:
    """What `compare.code` says: patterns like those of `.gitignore`; by default the usual endings of programs and notebooks.

    An entry `default` stands for these. Raises SettingsError, one line, that names the file `name` and the key.
    """
    patterns = Section(name, "compare", dict(compare)).texts("code")
    if patterns is None:
        return CODE
    return tuple(part for pattern in patterns for part in (CODE if pattern == "default" else (pattern,)))


def code_files(paths: Iterable[str], patterns: Sequence[str] = CODE) -> tuple[str, ...]:
    """Those paths of a snapshot that are code, sorted."""
    if patterns != CODE:
        asked = tuple(patterns)
        return tuple(sorted(path for path in paths if _matches(path, asked)))
    # One look at the ending in place of fifty patterns: a repository may have 20,000 files.
    return tuple(sorted(path for path in paths if "*" + splitext(f"_{path.rpartition('/')[2]}")[1] in _ENDINGS))


def pipeline_code(stages: Sequence[StageRun], data: Iterable[str]) -> dict[str, str]:
    """The code dependencies of a pipeline, digests by path: what no stage made, what is not `data` and no parameter.

    `data` are paths that pointers stand for. What lies in a folder that is data or was made is so, too.
    """
    made = {path for stage in stages for path in stage.outs} | set(data)
    return {
        path: digest
        for stage in stages
        for path, digest in stage.deps.items()
        if _DIGEST.match(digest) and made.isdisjoint(_with_folders(path))
    }


@lru_cache(maxsize=2**16)
def _matches(path: str, patterns: tuple[str, ...]) -> bool:
    # The paths of one run are mostly those of the next: 20,000 take 0.5 s once, and 0.02 s then.
    return matches_path(path, patterns)


def _with_folders(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]


@lru_cache(maxsize=1024)
def _words(command: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a command that gave no parameter."""
    own = script_words(command)
    return (*map(_name_interpreter, command[: len(command) - len(own)]), *other_words(own))


def _name_interpreter(word: str) -> str:
    """An interpreter without its place and version: where it lies says nothing of the configuration."""
    return _INTERPRETER.sub(r"\1", word) if _INTERPRETER.fullmatch(word) else word


def _programs(record: Record) -> set[str]:
    """Paths of the files that the command runs: what stands in it up to the script, which need not end as programs do."""
    words = record.command[: len(record.command) - len(script_words(record.command))]
    return {normpath(join(record.directory, word)) for word in words if not word.startswith("-")}


def _plain(value: Value) -> Value:
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT else value


def _digest(value: Value) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
