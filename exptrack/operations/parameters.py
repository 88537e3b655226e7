"""The parameters that a script has: those of the project's files, with what the script's words said in their place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from exptrack.analysis.arguments import merge_arguments, parse_arguments
from exptrack.backends.git import objects
from exptrack.errors import ExptrackError
from exptrack.model.tree import Tree, Value, unite
from exptrack.operations.context import Context
from exptrack.operations.files import Disk
from exptrack.operations.sources import Reader
from exptrack.store.private_index import survey


def read_params(context: Context, words: Sequence[str]) -> dict[str, Tree]:
    """The parameters by source, as a run with this command would have them, nothing masked.

    Raises ExptrackError if a file of parameters cannot be read: nobody wants to train with half of them.
    """
    repository = context.repository
    [base] = objects.resolve(repository, ["HEAD^{commit}"])
    with TemporaryDirectory(prefix="exptrack-") as scratch:
        found = survey(repository, base, context.settings.capture, Path(scratch))
    return _read(Reader(Disk(repository.top), context.project, context.yaml.load), found.dvc_files, words)


def read_folder_params(folder: Path, words: Sequence[str]) -> dict[str, Tree]:
    """The same of a folder that is in no repository: its own `params.yaml`, and what its `dvc.yaml` names."""
    files = Disk(folder)
    return _read(Reader(files, "."), [path for path in ("dvc.yaml",) if files.has(path)], words)


def unite_params(params: dict[str, Tree]) -> dict[str, Value]:
    """The parameters of all sources in one tree, as `Run.params` has them."""
    return unite("params.yaml", params)


def _read(reader: Reader, dvc_files: Sequence[str], words: Sequence[str]) -> dict[str, Tree]:
    files = [path for path in dvc_files if path.rpartition("/")[2] == "dvc.yaml"]
    read = reader.params(reader.find_sources(files).params)
    if reader.problems:
        raise ExptrackError(f"the parameters cannot be read: {reader.problems[0]}")
    return merge_arguments(read, parse_arguments(words))
