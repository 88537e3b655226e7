"""By whose terms claims are judged: `exptrack.yaml` of one commit, and what another one would have them be."""

from __future__ import annotations

from exptrack.analysis.bar import AREA, diff_bars, parse_bar
from exptrack.analysis.configurations import code_patterns
from exptrack.analysis.terms import parse_terms
from exptrack.errors import SettingsError
from exptrack.model.change import Change, Kind
from exptrack.model.checking import Bar
from exptrack.model.settings import Settings
from exptrack.operations.context import SETTINGS, Context
from exptrack.operations.reproducing.code import settings_at
from exptrack.operations.sources import below
from exptrack.store import runs

DEFAULTS = "the defaults"


def read_bar(context: Context, commit: str | None, name: str) -> tuple[Settings, Bar, str]:
    """The settings and the bar in `exptrack.yaml` of a commit, and whose they are: `name`, or `the defaults` where there is no such file.

    Raises SettingsError, which says `exptrack.yaml of <name>`.
    """
    settings = settings_at(context, commit, name) if commit else None
    file = f"{below(context.project, SETTINGS)} of {name}"
    found = settings or Settings()
    return found, _validate(found, file), DEFAULTS if settings is None else name


def find_project(context: Context, commit: str | None) -> str:
    """The project at or above that of the context whose `exptrack.yaml` a commit has; if none has one, the context's own.

    A branch that puts one into a folder makes that folder a project, but no bar of its own for it.
    """
    if commit is None:
        return context.project
    parts = [] if context.project == "." else context.project.split("/")
    places = ["/".join(parts[:end]) or "." for end in range(len(parts), -1, -1)]
    found = runs.read_files(context.repository, commit, [below(place, SETTINGS) for place in places])
    return next((place for place in places if below(place, SETTINGS) in found), context.project)


def compare_bars(context: Context, counting: Settings, head: str) -> tuple[Change, ...]:
    """The settings by which claims are judged that the commit `head` has otherwise than those that are `counting`.

    An `exptrack.yaml` that is gone from `head`, or broken there, is one change of that file.
    """
    path = below(context.project, SETTINGS)
    try:
        settings = settings_at(context, head, "HEAD")
        _validate(settings or Settings(), f"{path} of HEAD")
    except SettingsError as error:
        said = str(error).removeprefix(f"{path} of HEAD: ")
        old = None if counting == Settings() else "readable"
        return (Change(AREA, (path,), Kind.CHANGED if old else Kind.ADDED, old, f"broken, {said}"),)
    if settings is None and counting != Settings():
        return (Change(AREA, (path,), Kind.CHANGED, "there", "gone"),)
    return diff_bars(counting, settings or Settings())


def _validate(settings: Settings, file: str) -> Bar:
    """The bar of these settings; raises SettingsError if any of what claims are judged by cannot be read."""
    parse_terms(settings.check, file)
    code_patterns(settings.compare, file)
    return parse_bar(settings.check, file)
