"""The files that the script of a run logged."""

from __future__ import annotations

from exptrack.analysis.artifacts import FOLDER, check_name
from exptrack.backends.git import objects
from exptrack.errors import ExptrackError
from exptrack.model.data import Pointer
from exptrack.model.run import Run
from exptrack.operations.context import Context

GIT = "git"  # stands for the algorithm of the digest of a file that is in the run's commit


def list_artifacts(context: Context, run: Run) -> tuple[Pointer, ...]:
    """Each with its path in the run, its size and its digest: of what DVC caches that of its pointer, else Git's own."""
    if not run.record.artifacts:
        return ()
    kept = {one.path: one for one in run.record.kept}
    paths = [FOLDER + name for name in run.record.artifacts if _is_name(name)]
    small = [path for path in paths if path not in kept]
    found = dict(zip(small, objects.measure(context.repository, [f"{run.oid}:{path}" for path in small]), strict=True))
    listed = (
        kept.get(path) or (Pointer(path, one.oid, GIT, one.size) if (one := found[path]) else None) for path in paths
    )
    return tuple(one for one in listed if one is not None)


def _is_name(name: str) -> bool:
    """Whether it is a name as exptrack makes them; who can push to a remote can make a run by hand."""
    try:
        return check_name(name) == name
    except ExptrackError:
        return False
