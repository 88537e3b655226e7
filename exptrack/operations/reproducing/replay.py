"""A work tree of its own in which a recorded run is executed again: a slot at the run's snapshot, or at other code, with its data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os.path import relpath
from pathlib import Path
from typing import NamedTuple

from exptrack.analysis.codec import decode_environment
from exptrack.errors import ExptrackError, RecordError
from exptrack.model.environment import Environment
from exptrack.model.reproduction import PRESENT, RECORDED
from exptrack.model.run import Run
from exptrack.model.settings import Settings
from exptrack.model.tree import Tree
from exptrack.operations.context import Context
from exptrack.operations.environment import environment_cache
from exptrack.operations.files import Committed
from exptrack.operations.recording.given import change_params, write_params
from exptrack.operations.recording.needs import Needs, bring_data, find_needs, name_places
from exptrack.operations.recording.request import Place, Request
from exptrack.operations.recording.surroundings import Move, is_environment, surround
from exptrack.operations.recording.words import lead
from exptrack.operations.reproducing.code import Code, settings_at
from exptrack.operations.sources import Reader
from exptrack.operations.ways import check_way
from exptrack.store import runs, slotlinks, slots
from exptrack.store.outset import Outset
from exptrack.store.private_index import is_dvc_file
from exptrack.store.slots import Slot

_SEEDS = ("EXPTRACK_SEED", "PYTHONHASHSEED")


class Manner(NamedTuple):
    """How a run is to be executed again.

    `at` is what to execute instead of the run's own snapshot: `worktree`, a rev, a commit. `environment` is `present` or `recorded`.
    `timeout` (seconds) is that of each of the `reruns`. `anyway` goes on where what the run used is not all there; `is_kept` keeps the
    work tree of each rerun. `environ` are the variables that the command would have here.
    """

    environ: Mapping[str, str]
    at: str | None = None
    environment: str = PRESENT
    reruns: int = 1
    timeout: float | None = None
    anyway: bool = False
    is_kept: bool = False


class Replay(NamedTuple):
    """What is executed again, and how; `notes` grow by what turns out on the way.

    `doubts` are those of them after which it is not sure that the same was executed on the same.
    """

    context: Context
    run: Run
    code: Code
    environment: Environment | None
    manner: Manner
    notes: dict[str, None]
    doubts: dict[str, None]

    def find_needs(self) -> Needs:
        """The data that it needs."""
        return find_needs(self.context, self.run, Committed(self.context.repository, self.code.commit), self.code.run)

    @contextmanager
    def arrange(self, name: str, outset: Outset, request: Request) -> Iterator[Place]:
        """A place in which the command works on the code alone, for the run `name`, whose journal exists.

        Of the user's work tree nothing is read but `.dvc/config`, `.dvc/config.local`, and what `capture.links` names. Raises DataError
        if data is not to be had, ExptrackError if the recorded environment cannot be built.
        """
        context, record, commit = self.context, self.run.record, self.code.commit
        files = Committed(context.repository, commit)
        needs = find_needs(context, self.run, files, self.code.run)
        changed = self._find_changed(files, request.seed)
        with slots.claim(context.repository, name) as slot:
            settings = settings_at(context, commit) or Settings()
            inside = context._replace(repository=slot.repository, settings=settings)
            slots.prepare(slot, commit, keep=[one.path for one in needs.inputs])
            self._complete(slot, settings.capture.links)
            write_params(slot.repository.top, context.project, changed)
            bring_data(context, inside, needs, is_fetched=True)
            directory = slot.repository.top / record.directory
            if not directory.is_dir():
                check_way(slot.repository.top, f"{record.directory}/.")
            directory.mkdir(parents=True, exist_ok=True)
            outputs = tuple(relpath(one.path, record.directory) for one in record.outputs)
            environ = _prepare_environ(request.environ, self.environment)
            moved = request._replace(directory=directory, environ=environ, outputs=outputs, overrides=record.overrides)
            if self.manner.environment == RECORDED:
                moved = self._activate(moved, slot.repository.top)
            moved, problems = self._surround(moved, Move(context.repository.top, slot.repository.top), files)
            yield Place(
                inside,
                moved,
                outset._replace(base=self.code.base, branch=None),
                links=settings.capture.links,
                locks=(slot.lock,),
                problems=problems,
            )
            if self.manner.is_kept:
                slot.keep()
                self.notes[
                    f"its work tree is kept in {slot.repository.top}; delete that folder when you are done with it"
                ] = None

    def _find_changed(self, files: Committed, seed: int | None) -> Mapping[str, Tree]:
        """The files of parameters of other code, as what was given for the run has them; its own snapshot has them so.

        Raises ExptrackError if that does not fit there.
        """
        context = self.context
        if self.manner.at is None or not (self.run.record.overrides or seed is not None):
            return {}
        reader = Reader(files, context.project, context.yaml.load)
        sources = reader.find_sources([path for path in files.paths if is_dvc_file(path)])
        settings = settings_at(context, self.code.commit) or Settings()
        try:
            return change_params(reader.params(sources.params), self.run.record.overrides, seed, settings.seed)
        except ExptrackError as error:
            raise ExptrackError(f"what '{self.run.name}' was given does not fit {self.manner.at}: {error}") from error

    def _complete(self, slot: Slot, links: Sequence[str]) -> None:
        """What a checkout alone does not bring: submodules, linked paths."""
        main = self.context.repository
        missing = slotlinks.link_paths(slot, main.top, links)
        lines = [
            *(
                f"the submodule {path} is empty: its commit is not on this machine; `git submodule update --init` fetches it"
                for path in slots.add_submodules(slot, main)
            ),
            *(f"{path}, named under capture.links, is not there" for path in missing),
            *(
                f"{path}, named under capture.links, is used as it is now"
                for path in links
                if path not in missing and not is_environment(main.top, path)
            ),
        ]
        self.notes.update(dict.fromkeys(lines))
        self.doubts.update(dict.fromkeys(lines))

    def _surround(self, request: Request, move: Move, files: Committed) -> tuple[Request, tuple[str, ...]]:
        """The request with words and variables that lead to the slot; and lines about what is taken from the user's work tree."""
        led = lead(move, request.directory, request.command, frozenset(files.paths))
        around = surround(
            move, request.directory, led.command, request.environ, environment_cache(self.context.repository.shared)
        )
        problems = (*around.problems, *(name_places(move, files) if self.run.record.is_pipeline else ()))
        self.notes.update(dict.fromkeys([*led.taken, *led.outside]))
        self.doubts.update(dict.fromkeys([*led.outside, *problems]))
        return request._replace(executed=led.command, environ=around.environ), problems

    def _activate(self, request: Request, top: Path) -> Request:
        from exptrack.operations.reproducing.rebuild import activate, rebuild, translate

        if self.environment is None:
            raise ExptrackError(
                f"the environment of '{self.run.name}' was not captured: leave out `--environment recorded`"
            )
        rebuilt = rebuild(self.context, self.environment, top)
        self.notes.update(dict.fromkeys(rebuilt.notes))
        command = translate(request.command, self.environment, rebuilt)
        return request._replace(command=command, environ=activate(request.environ, rebuilt.folder))


def read_environment(context: Context, run: Run) -> Environment | None:
    """What the run ran on; None if it was not captured or cannot be read."""
    data = runs.read_files(context.repository, run.oid, [runs.ENVIRONMENT]).get(runs.ENVIRONMENT)
    try:
        return decode_environment(data) if data else None
    except RecordError:
        return None


def _prepare_environ(environ: Mapping[str, str], environment: Environment | None) -> dict[str, str]:
    """The present variables, with the seeds as they were recorded, and nothing that waits for a reader."""
    environ = {**environ, "PAGER": "cat", "GIT_PAGER": "cat"}
    if environment is None:
        return environ
    without = {key: value for key, value in environ.items() if key not in _SEEDS}
    return without | {key: environment.variables[key] for key in _SEEDS if key in environment.variables}
