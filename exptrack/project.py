"""Project: opens the repository once, and gives one method a verb. It is the face of the library."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from exptrack.backends.git.repository import find_repository
from exptrack.model.progress import Silence
from exptrack.model.run import Run
from exptrack.model.settings import Settings
from exptrack.operations.context import SETTINGS, Context, read_settings, silence
from exptrack.store.parsed import ParsedYaml
from exptrack.verbs import deciding, keeping, sharing

# Each method imports what it needs: `exptrack run` opens a project, too, and would pay 8 ms for reading runs.
if TYPE_CHECKING:
    from exptrack.analysis.frame import Frame
    from exptrack.analysis.points import Points
    from exptrack.model.application import Applied, Part
    from exptrack.model.checking import Checked
    from exptrack.model.comparison import Comparison
    from exptrack.model.difference import Area, Difference, Overview
    from exptrack.model.environment import Environment
    from exptrack.model.progress import Progress
    from exptrack.model.reproduction import Reproduction
    from exptrack.operations.branch import Branch
    from exptrack.operations.content import Content
    from exptrack.operations.listing import Runs
    from exptrack.operations.reproducing.replay import Manner


class Project:
    """The project that a folder lies in: the folder of the nearest `exptrack.yaml`, else the root of the repository.

    `settings` count instead of `exptrack.yaml`. Raises RepositoryError if `directory` is in no repository with a work tree, SettingsError
    if `exptrack.yaml` cannot be used. `notice` is told in lines what one should hear of meanwhile, `verbose` what is done beyond the
    answers, and `progress` how far it is (the first reading of many runs).
    """

    experiments = deciding.experiments
    compare = deciding.compare
    select = deciding.select
    unseal = deciding.unseal
    conclude = deciding.conclude

    push = sharing.push
    fetch = sharing.fetch
    pull = sharing.pull
    export = sharing.export

    verify = keeping.verify
    remove = keeping.remove
    restore = keeping.restore
    collect = keeping.collect

    def __init__(
        self,
        directory: str | Path = ".",
        notice: Callable[[str], None] | None = None,
        *,
        settings: Settings | None = None,
        verbose: Callable[[str], None] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.directory = Path(directory).absolute()
        repository = find_repository(self.directory)
        folder = _find_project(self.directory.resolve(), repository.top.resolve())
        project = folder.relative_to(repository.top.resolve()).as_posix()
        yaml = ParsedYaml(repository.shared)
        settings = read_settings(folder / SETTINGS, yaml.load) if settings is None else settings
        self.context = Context(
            repository, project, settings, yaml, notice or silence, verbose or silence, progress or Silence()
        )

    def __repr__(self) -> str:
        return f"<Project: {self.context.folder}>"

    @property
    def settings(self) -> Settings:
        return self.context.settings

    def runs(
        self,
        query: str | None = None,
        *,
        since: str | datetime | None = None,
        sort: str | None = None,
        number: int | None = None,
    ) -> Runs:
        """The runs for which `query` holds, or all; the one that started last first, or in the order of `sort`.

        `since` leaves out what started before: a date or time in UTC, or what git understands (`2.weeks`, `yesterday`). `sort` is a
        field, `metrics.KEY` or `params.KEY`, with `-` before it from the largest down. `number` is how many at most. Raises QueryError
        for a query, ExptrackError for a `since` or `sort`, that cannot be read or names what no run has.
        """
        from exptrack.operations.listing import list_runs

        return list_runs(self.context, query, since=since, sort=sort, number=number)

    def to_dataframe(self, what: str | Comparison | None = None) -> Frame:
        """As `runs(query).to_dataframe()`; of a comparison one row a configuration, best first, with its verdict."""
        if what is None or isinstance(what, str):
            return self.runs(what).to_dataframe()
        from exptrack.analysis.framecomparison import make_frame

        return make_frame(what)

    def run(self, rev: str) -> Run:
        """The run that `rev` names; raises RevError."""
        from exptrack.store import revs

        return revs.load(self.context.repository, rev)

    def diff(self, old: str | Run = "@", new: str | Run = ".", *, areas: Collection[Area] | None = None) -> Difference:
        """What differs between two sides: each a run or its rev, a branch or commit of Git, or `.` for the work tree. Raises RevError."""
        from exptrack.operations.diff import diff

        return diff(self.context, old, new, areas=areas)

    def overview(self, sides: Sequence[str | Run], *, areas: Collection[Area] | None = None) -> Overview:
        """What differs between several sides, each as `diff` takes it."""
        from exptrack.operations.diff import overview

        return overview(self.context, sides, areas=areas)

    def reproduce(self, run: str | Run, manner: Manner) -> Reproduction:
        """Execute a run again as `manner` says, record that, and say at which level it reproduces; raises RevError, DataError, ExptrackError.

        The command's output goes to the standard streams.
        """
        from exptrack.operations.reproduce import reproduce

        return reproduce(self.context, self._find(run), manner)

    def check(
        self,
        *words: str,
        at: str | None = None,
        environment: str = "present",
        remote: str | None = None,
        recent: int | None = None,
        progress: Progress | None = None,
    ) -> Checked:
        """Whether the runs that commits claim are what ran and still reproduce: those of a range `BASE..HEAD`, or runs by their revs.

        Without words all since the remote's default branch; with `recent` the newest so many claims of HEAD's history. What counts as
        reproduced stands in the `exptrack.yaml` of the base. Runs that are not here are fetched, those that are what they should be
        are executed again, and that is recorded. `at` is a commit whose code is executed instead of theirs, `environment` is `present` or
        `recorded`. The commands' output goes to the standard streams. Raises RevError, RepositoryError, SettingsError, ExptrackError.
        """
        import os

        from exptrack.operations.check import Asked, check

        asked = Asked(dict(os.environ), words, at, environment, remote, recent)
        return check(self.context, asked, progress or Silence())

    def apply(
        self, run: str | Run, parts: Collection[Part] | None = None, *, force: bool = False, dry: bool = False
    ) -> Applied:
        """Bring a run's code, parameters and data, or some `parts` of it, into the work tree; with `dry` only say what would change.

        What is saved nowhere else is only overwritten with `force`. Raises RevError, DataError, ExptrackError; then nothing was changed.
        """
        from exptrack.model.application import Part
        from exptrack.operations.apply import apply

        return apply(self.context, self._find(run), tuple(Part) if parts is None else parts, force=force, dry=dry)

    def branch(self, run: str | Run, name: str) -> Branch:
        """Make an ordinary branch whose one commit on the run's base has its changes and results; raises ExptrackError."""
        from exptrack.operations.branch import branch

        return branch(self.context, self._find(run), name)

    def environment(self, run: str | Run) -> Environment | None:
        """What a run (or the run that a rev names) ran on; None if it was not captured or cannot be read."""
        from exptrack.analysis.codec import decode_environment
        from exptrack.errors import RecordError
        from exptrack.store import runs

        data = self.files(self._find(run).oid, [runs.ENVIRONMENT]).get(runs.ENVIRONMENT)
        try:
            return decode_environment(data) if data else None
        except RecordError:
            return None

    def log(self, *words: str, since: str | datetime | None = None, number: int | None = None) -> Runs:
        """The runs for which all `words` hold, each a query, a range (`A..B`), a rev or a commit, as `exptrack log` takes them.

        Raises QueryError, RevError, and ExptrackError for a `since` that cannot be read.
        """
        from exptrack.operations.ranges import select_runs

        return select_runs(self.context, words, since=since, number=number)

    def history(self, run: str | Run, metric: str) -> Points:
        """The values of a metric over the steps of a run, in the order in which they were logged; raises ExptrackError.

        What is thinned in Git comes whole out of the DVC cache; where that has it not, `is_whole` is False.
        """
        from exptrack.operations.histories import load_history

        return load_history(self.context, self._find(run), metric)

    def content(self, run: str | Run, path: str) -> Content:
        """A file or folder of a run by its path from the root of the repository, data out of the DVC cache; raises ExptrackError."""
        from exptrack.operations.content import find_content

        return find_content(self.context, self._find(run), path)

    def _find(self, run: str | Run) -> Run:
        return run if isinstance(run, Run) else self.run(run)

    def files(self, commit: str, paths: Sequence[str]) -> Mapping[str, bytes]:
        """The content of those of `paths` that a commit holds."""
        from exptrack.store import runs

        return runs.read_files(self.context.repository, commit, paths)


def _find_project(directory: Path, top: Path) -> Path:
    folders = (directory, *directory.parents) if directory.is_relative_to(top) else ()
    return next((folder for folder in folders if folder == top or (folder / SETTINGS).is_file()), top)
