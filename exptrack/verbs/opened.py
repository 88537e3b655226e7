"""What a verb needs to know of a project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from exptrack.operations.context import Context


class Opened(Protocol):
    """A project that was opened, as `Project` is: the repository with its settings, and the folder that it was opened in."""

    context: Context
    directory: Path
