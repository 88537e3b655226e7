"""What a script may ask of its own run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exptrack.errors import ExptrackError

if TYPE_CHECKING:
    from exptrack.analysis.frame import Frame
    from exptrack.tracking.run import ActiveRun


def read_history(run: ActiveRun, metric: str) -> Frame:
    """The whole history of a metric as a pandas frame: so far of a run under way, else as it was recorded.

    Raises ExptrackError if there is none. Where nothing is recorded the frame is empty.
    """
    from exptrack.analysis.points import Points
    from exptrack.operations.recording.histories import read_logged
    from exptrack.project import Project
    from exptrack.tracking.place import find_folders

    if run.name is None or run.folder is None:
        return Points().to_dataframe()
    if not (run.folder / "stream").exists():
        return Project(run.directory or find_folders()[-1]).history(run.name, metric).to_dataframe()
    found = read_logged(run.folder).histories
    points = found.get(metric)
    if points is None:
        known = ", ".join(sorted(found)) or "nothing so far"
        raise ExptrackError(f"run '{run.name}' has no history of '{metric}': there is {known}")
    return points.to_dataframe()
