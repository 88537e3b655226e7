"""Git-native experiment versioning: every run is a commit, comparison is a diff.

`start_run` and the functions in lower case are for a training script; `Project` is the face of the library, the other names are what it
gives, takes and raises. Each is imported when it is asked for: `import exptrack` costs nothing.
"""

from __future__ import annotations

from os import getcwd

TYPE_CHECKING = False  # `typing` takes 2 ms to import; type checkers know this name
if TYPE_CHECKING:
    from exptrack.errors import (
        DataError,
        ExptrackError,
        ExptrackWarning,
        QueryError,
        RecordError,
        RepositoryError,
        RevError,
        SettingsError,
    )
    from exptrack.model.change import Change
    from exptrack.model.difference import Area, Difference, Overview
    from exptrack.model.run import Record, Run, Status
    from exptrack.operations.listing import Runs
    from exptrack.project import Project
    from exptrack.tracking import (
        ActiveRun,
        active_run,
        autolog,
        end_run,
        log_artifact,
        log_artifacts,
        log_figure,
        log_image,
        log_metric,
        log_metrics,
        log_param,
        log_params,
        log_table,
        log_text,
        params,
        seed_everything,
        set_note,
        set_tag,
        set_tags,
        start_run,
    )

__all__ = [
    "ActiveRun",
    "Area",
    "Change",
    "DataError",
    "Difference",
    "ExptrackError",
    "ExptrackWarning",
    "Overview",
    "Project",
    "QueryError",
    "Record",
    "RecordError",
    "RepositoryError",
    "RevError",
    "Run",
    "Runs",
    "SettingsError",
    "Status",
    "active_run",
    "autolog",
    "end_run",
    "log_artifact",
    "log_artifacts",
    "log_figure",
    "log_image",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "log_table",
    "log_text",
    "params",
    "seed_everything",
    "set_note",
    "set_tag",
    "set_tags",
    "start_run",
]

_HOMES = {
    "Area": "model.difference",
    "Change": "model.change",
    "Difference": "model.difference",
    "Overview": "model.difference",
    "Project": "project",
    "Record": "model.run",
    "Run": "model.run",
    "Runs": "operations.listing",
    "Status": "model.run",
    "ActiveRun": "tracking",
}


def _find_directory() -> str | None:
    try:
        return getcwd()  # noqa: PTH109 - `pathlib` takes 5 ms to import
    except OSError:
        return None


started_in = _find_directory()  # a script may go elsewhere before it starts its run


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'exptrack' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"exptrack.{_find_home(name)}"), name)
    globals()[name] = value
    return value


def _find_home(name: str) -> str:
    return "tracking" if name.islower() else _HOMES.get(name, "errors")


def __dir__() -> list[str]:
    return __all__
