"""Project: opens the repository once, and gives one method a verb. It is the face of the library."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exptrack.analysis.codec import decode_environment
from exptrack.backends.git.repository import find_repository
from exptrack.errors import RecordError
from exptrack.model.run import Run
from exptrack.model.settings import Settings
from exptrack.operations.context import SETTINGS, Context, read_settings
from exptrack.store import runs
from exptrack.store.parsed import ParsedYaml

# Each method imports what it needs: `exptrack run` opens a project, too, and would pay 8 ms for reading runs.
if TYPE_CHECKING:
    from exptrack.analysis.frame import Frame
    from exptrack.analysis.history import Point
    from exptrack.model.application import Applied, Part
    from exptrack.model.checking import Checked
    from exptrack.model.collection import Collected
    from exptrack.model.comparison import Comparison
    from exptrack.model.difference import Area, Difference, Overview
    from exptrack.model.environment import Environment
    from exptrack.model.experimentstate import ExperimentState
    from exptrack.model.reproduction import Reproduction
    from exptrack.model.sharing import Fetched, Progress, Pushed
    from exptrack.model.verification import Verification
    from exptrack.operations.branch import Branch
    from exptrack.operations.compare import Asked
    from exptrack.operations.content import Content
    from exptrack.operations.listing import Runs
    from exptrack.operations.reproducing.replay import Manner
    from exptrack.operations.sharing.arriving import Filter


class Project:
    """The project that a folder lies in: the folder of the nearest `exptrack.yaml`, else the root of the repository.

    `settings` count instead of `exptrack.yaml`. Raises RepositoryError if `directory` is in no repository with a work tree, SettingsError
    if `exptrack.yaml` cannot be used.
    """

    def __init__(
        self,
        directory: str | Path = ".",
        notice: Callable[[str], None] | None = None,
        *,
        settings: Settings | None = None,
    ) -> None:
        self.directory = Path(directory).absolute()
        repository = find_repository(self.directory)
        folder = _find_project(self.directory.resolve(), repository.top.resolve())
        project = folder.relative_to(repository.top.resolve()).as_posix()
        yaml = ParsedYaml(repository.shared)
        settings = read_settings(folder / SETTINGS, yaml.load) if settings is None else settings
        self.context = Context(repository, project, settings, yaml, *([notice] if notice else []))

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

    def experiments(self, name: str | None = None) -> tuple[ExperimentState, ...]:
        """The experiments and how far each is, or the one of this name; raises ExptrackError if there is none of that name."""
        from exptrack.operations.experiments import list_experiments

        return list_experiments(self.context, name)

    def compare(self, *words: str, asked: Asked | None = None, **options: Any) -> Comparison:
        """The configurations of the runs that `words` mean (queries and revs; else all), and what may be said of each beside the baseline.

        `options` are the other fields of `operations.compare.Asked`, such as `metric`, `baseline` and `experiment`. Raises ExptrackError.
        """
        from exptrack.operations.compare import Asked, compare

        return compare(self.context, asked or Asked(words, **options))

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

        from exptrack.model.sharing import Silence
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

    def push(
        self,
        remote: str | None = None,
        runs: Sequence[str] = (),
        *,
        others: bool = False,
        data: bool = True,
        progress: Progress | None = None,
    ) -> Pushed:
        """Share runs by a Git remote: their data first, then the runs, then annotations.

        `runs` are revs and queries; else those that were recorded here go, with `others` all. Without `data` it is noted with each run
        that its data is not shared. Runs that stay here are among the result's `clashes` and `held`. Raises RepositoryError, DataError, RevError.
        """
        from exptrack.operations.push import Order, push

        return push(self.context, Order(tuple(runs), remote=remote, is_all=others, has_data=data), progress)

    def fetch(
        self, remote: str | None = None, wanted: Filter | None = None, progress: Progress | None = None
    ) -> Fetched:
        """Get the runs of others that are `wanted` (else all) from a Git remote, and their annotations; raises RepositoryError."""
        from exptrack.operations.fetch import Order, fetch
        from exptrack.operations.sharing.arriving import Filter

        return fetch(self.context, Order(remote, wanted or Filter()), progress)

    def pull(
        self, remote: str | None = None, wanted: Filter | None = None, progress: Progress | None = None
    ) -> Fetched:
        """As `fetch`, and the data of these runs comes too; what cannot be had is among the result's `lacking`."""
        from exptrack.operations.fetch import Order, fetch
        from exptrack.operations.sharing.arriving import Filter

        return fetch(self.context, Order(remote, wanted or Filter(), has_data=True), progress)

    def environment(self, run: str | Run) -> Environment | None:
        """What a run (or the run that a rev names) ran on; None if it was not captured or cannot be read."""
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

    def history(self, run: str | Run, metric: str) -> tuple[Point, ...]:
        """The values of a metric over the steps of a run, in the order in which they were logged; raises ExptrackError."""
        from exptrack.operations.histories import parse_history, read_history

        return parse_history(read_history(self.context, self._find(run), metric))

    def content(self, run: str | Run, path: str) -> Content:
        """A file or folder of a run by its path from the root of the repository, data out of the DVC cache; raises ExptrackError."""
        from exptrack.operations.content import find_content

        return find_content(self.context, self._find(run), path)

    def verify(
        self, *words: str, full: bool = False, offline: bool = False, progress: Progress | None = None
    ) -> Verification:
        """Look whether all runs, or those that `words` name (revs, queries, ranges), are whole, and where their data is; changes nothing.

        With `full` all that is stored is read and compared with its hash; `offline` asks no DVC remote. Raises RevError, QueryError.
        """
        from exptrack.model.sharing import Silence
        from exptrack.operations.verify import verify

        return verify(self.context, words, full=full, offline=offline, progress=progress or Silence())

    def remove(self, *runs: str | Run, reason: str | None = None) -> tuple[str, ...]:
        """Move runs, each a run, a rev or a query, into the trash, and give their names; others hear of it by the next `push`.

        Raises RevError, QueryError, and ExptrackError for a run that is under way.
        """
        from exptrack.operations.remove import choose, remove

        words = [one.oid if isinstance(one, Run) else one for one in runs]
        return remove(self.context, choose(self.context, words), reason)

    def restore(self, *names: str) -> tuple[str, ...]:
        """Bring removed runs back, all or none, each by its name or oid, and give their names; raises RevError, NameTakenError, RecordError."""
        from exptrack.operations.remove import restore

        return restore(self.context, names)

    def collect(
        self,
        remote: str | None = None,
        *,
        force: bool = False,
        projects: Sequence[str | Path] = (),
        progress: Progress | None = None,
    ) -> Collected:
        """Find data in the DVC cache, or in the DVC remote of this name, that nothing uses, and delete it with `force`.

        `projects` are folders of other repositories that use the same cache or remote. Raises DataError, RepositoryError; then nothing
        that is used was deleted.
        """
        from exptrack.model.sharing import Silence
        from exptrack.operations.collect import collect

        folders = [self.directory / folder for folder in projects]
        return collect(
            self.context,
            force=force,
            remote=remote,
            projects=folders,
            progress=progress or Silence(),
            folder=self.directory,
        )

    def _find(self, run: str | Run) -> Run:
        return run if isinstance(run, Run) else self.run(run)

    def files(self, commit: str, paths: Sequence[str]) -> Mapping[str, bytes]:
        """The content of those of `paths` that a commit holds."""
        return runs.read_files(self.context.repository, commit, paths)


def _find_project(directory: Path, top: Path) -> Path:
    folders = (directory, *directory.parents) if directory.is_relative_to(top) else ()
    return next((folder for folder in folders if folder == top or (folder / SETTINGS).is_file()), top)
