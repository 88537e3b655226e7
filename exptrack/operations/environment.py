"""The environment of a command, as it is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from exptrack.analysis.secrets import mask

if TYPE_CHECKING:
    from exptrack.model.environment import Environment


def capture_environment(
    command: Sequence[str], directory: Path, environ: Mapping[str, str], variables: Sequence[str], cache: Path
) -> Environment:
    """What `backends.host.capture` finds, with the credentials in variables masked."""
    from exptrack.backends import host

    found = host.capture(command, directory=directory, environ=environ, variables=variables, cache=cache)
    return found._replace(variables={name: mask(value) for name, value in found.variables.items()})


def environment_cache(shared: Path) -> Path:
    """The folder for answers that cost time."""
    return shared / "cache" / "environment"
