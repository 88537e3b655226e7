"""What scripts log besides numbers: files, texts, figures, images, tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from exptrack.tracking.run import ActiveRun


def log_artifact(run: ActiveRun, path: str | Path, name: str | None = None) -> None:
    """A file, as it is now, under its own name or `name`, which may have folders."""
    raise NotImplementedError


def log_artifacts(run: ActiveRun, folder: str | Path, name: str | None = None) -> None:
    """All files below a folder, as they are now."""
    raise NotImplementedError


def log_text(run: ActiveRun, text: str, name: str) -> None:
    """A text as a file."""
    raise NotImplementedError


def log_figure(run: ActiveRun, figure: object, name: str) -> None:
    """A figure of matplotlib or plotly; the suffix of `name` says the format."""
    raise NotImplementedError


def log_image(run: ActiveRun, image: object, name: str) -> None:
    """An image of Pillow, or an array of height x width, or x 1, 3 or 4 channels."""
    raise NotImplementedError


def log_table(run: ActiveRun, table: object, name: str) -> None:
    """A frame, or a mapping of columns, or a list of rows; the suffix of `name` says the format."""
    raise NotImplementedError
