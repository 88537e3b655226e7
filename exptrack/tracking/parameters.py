"""The parameters of the run, as the script reads them."""

from __future__ import annotations

import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from exptrack.errors import ExptrackWarning, RepositoryError
from exptrack.model.tree import Tree, Value
from exptrack.tracking.active import active_run
from exptrack.tracking.keeping import find_command

if TYPE_CHECKING:
    from exptrack.operations.context import Context

T = TypeVar("T")


@overload
def params() -> dict[str, Any]: ...
@overload
def params(cls: type[T]) -> T: ...
def params(cls: type | None = None) -> Any:
    """The parameters of this script: those of the project's files, with what its command line says in their place.

    They are what a run of it records (`Run.params`): `params.yaml`, and the files that `dvc.yaml` names, with `--key value` and
    `key=value` of the command line; under `exptrack run -S`, `--seed` or a DVC pipeline with what was given there. Credentials are not
    masked. Outside of a repository the `params.yaml` of the working directory is read. Nothing of it needs a run.

    With a dataclass they come as an object of it, each value checked against the type of its field. Raises ExptrackError for a value of
    another type, a field without value and default, and a file that cannot be read.
    """
    tree = _unite(_read_sources(_find_context()))
    if cls is None:
        return tree
    from exptrack.analysis.typed import fill

    slips: list[str] = []
    filled = fill(cls, tree, slips.append)
    for text in slips:
        _warn(text)
    return filled


def find_seed() -> int | str | None:
    """The value of the parameter that is the seed: what `exptrack.yaml` names, else `seed` or the like."""
    from exptrack.analysis import seeds

    context = _find_context()
    return seeds.find_seed(_read_sources(context), context.settings.seed if context else None)


def _find_context() -> Context | None:
    """The project that the script works in; None outside of a repository."""
    from exptrack.tracking.place import find_folders, open_project

    with suppress(RepositoryError):
        return open_project(find_folders()).context
    return None


def _read_sources(context: Context | None) -> dict[str, Tree]:
    """The parameters by the file that they come from; those that only the command line has under `args`."""
    from exptrack.operations.parameters import read_folder_params, read_params

    words = find_command()
    return read_folder_params(Path.cwd(), words) if context is None else read_params(context, words)


def _unite(sources: dict[str, Tree]) -> dict[str, Value]:
    from exptrack.operations.parameters import unite_params

    return unite_params(sources)


def _warn(text: str) -> None:
    run = active_run()
    if run is None or run.name is None:
        warnings.warn(text, ExptrackWarning, stacklevel=3)
    else:
        run.warn(text)
