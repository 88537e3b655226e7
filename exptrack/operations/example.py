"""The example project that travels with the package."""

from __future__ import annotations

import shutil
from pathlib import Path

from exptrack.backends import dvc
from exptrack.errors import ExptrackError, explain

_PACKAGE = Path(__file__).resolve().parent.parent
# What somebody may have left who ran the example where it lies.
_LEFTOVERS = (
    "__pycache__",
    "*.npz",
    "*.tmp",
    "metrics.json",
    "confusion.csv",
    "dvc.lock",
    "dvc_plots",
    "tmp",
    "cache",
    "config.local",
)


def find_example() -> Path:
    """Where the example lies: inside the installed package, or beside it in a checkout."""
    for folder in (_PACKAGE / "_shipped" / "example", _PACKAGE.parent / ".dvc-example"):
        if (folder / "dvc.yaml").is_file():
            return folder
    raise ExptrackError("the example project is not part of this installation: install exptrack again")


def copy_example(target: Path) -> None:
    """Copy the example into a new or empty folder; raises ExptrackError if something is there."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ExptrackError(f"{target} is not empty: name a new folder, as in `exptrack demo FOLDER`")
    try:
        shutil.copytree(find_example(), target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*_LEFTOVERS))
    except OSError as error:
        raise ExptrackError(f"cannot copy the example to {target}: {explain(error)}") from error


def keep_example_data(target: Path) -> None:
    """Put the example's data into its DVC cache, as `dvc commit` does."""
    dvc.add_to_cache(target, target / "data" / "digits.csv.gz", target)
