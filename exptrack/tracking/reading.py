"""What a script may ask of its own run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exptrack.tracking.run import ActiveRun


def read_history(run: ActiveRun, metric: str) -> Any:
    """The whole history of a metric so far as a pandas frame."""
    raise NotImplementedError
