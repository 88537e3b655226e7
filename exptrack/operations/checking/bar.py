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

DEFAULTS = "the defaults"


def read_bar(context: Context, commit: str | None, name: str) -> tuple[Settings, Bar, str]:
    """The settings and the bar in `exptrack.yaml` of a commit, and whose they are: `name`, or `the defaults` where there is no such file.

    Raises SettingsError, which says `exptrack.yaml of <name>`.
    """
    settings = settings_at(context, commit, name) if commit else None
    file = f"{below(context.project, SETTINGS)} of {name}"
    found = settings or Settings()
    return found, _validate(found, file), DEFAULTS if settings is None else name


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
