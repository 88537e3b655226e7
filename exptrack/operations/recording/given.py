"""Parameters that are given for one run, by `-S` and `--seed`: which they are, and how they get into the files of a work tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from exptrack.analysis.editing.overrides import apply_overrides, parse_overrides, seed_overrides
from exptrack.analysis.seeds import find_seed_key
from exptrack.errors import ExptrackError
from exptrack.model.tree import Tree
from exptrack.operations.context import Context
from exptrack.operations.files import Disk
from exptrack.operations.sources import Reader, below
from exptrack.store import journal
from exptrack.store.private_index import survey


def find_seed_parameter(context: Context, name: str, base: str | None) -> str | None:
    """The parameter that `--seed` sets for the run `name`: the one that `exptrack.yaml` names, else the one that is taken for the seed.

    None if the project has neither.
    """
    repository, settings = context.repository, context.settings
    if settings.seed is not None:
        return settings.seed
    found = survey(repository, base, settings.capture, journal.folder_of(repository.shared, name))
    reader = Reader(Disk(repository.top), context.project, context.yaml.load)
    return find_seed_key(reader.params(reader.find_sources(found.dvc_files).params), None)


def change_params(
    params: Mapping[str, Tree], overrides: Sequence[str], seed: int | None, named: str | None
) -> dict[str, Tree]:
    """Those files of parameters that change, with what is given for the run; `named` is the seed by `exptrack.yaml`.

    Raises ExptrackError for what does not fit.
    """
    parsed = parse_overrides(overrides)
    key = None if seed is None else named or find_seed_key(params, None)
    if seed is not None and key is not None:
        parsed += seed_overrides(key, seed, params)
    return apply_overrides(params, parsed)


def write_params(top: Path, project: str, changed: Mapping[str, Tree]) -> None:
    """Have files of parameters in the work tree at `top` hold these values; comments and layout stay. Raises ExptrackError."""
    for file, tree in changed.items():
        _edit(top / below(project, file), file, tree)


def _edit(path: Path, name: str, tree: Tree) -> None:
    from exptrack.analysis.editing.fileedit import edit_text

    try:
        text = path.read_bytes().decode("utf-8") if path.exists() else ""
        path.write_bytes(edit_text(name, text, tree).encode("utf-8"))
    except (OSError, UnicodeError) as error:
        raise ExptrackError(f"{name} cannot be changed for the run: {error}") from error
