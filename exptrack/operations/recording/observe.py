"""What is looked at while the command runs, since it takes time and nobody waits for it: environment, data, what stayed out."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

from exptrack.analysis.codec import decode_record, encode_environment, encode_record
from exptrack.analysis.selection import is_source
from exptrack.analysis.wording import name_few
from exptrack.backends import dvc
from exptrack.backends.git.repository import Repository
from exptrack.errors import DataError, ExptrackError, RecordError, explain
from exptrack.model.data import Omission, Pointer, Reason
from exptrack.model.run import Record
from exptrack.model.settings import Capture, Large
from exptrack.operations.environment import capture_environment
from exptrack.store.journal import Journal

Files: TypeAlias = dict[str, bytes]


class Plan(NamedTuple):
    """What to look at. `dvc_root` is None where the project has no DVC, `words` are what the stages of a pipeline run."""

    command: tuple[str, ...]
    directory: Path
    environ: Mapping[str, str]
    capture: Capture
    pointers: tuple[Pointer, ...]
    omissions: tuple[Omission, ...]
    dvc_root: Path | None
    words: tuple[str, ...] = ()


class Found(NamedTuple):
    """What was found: the record so far (None if nothing had to be added), pointers of large files, the files of the environment."""

    record: Record | None
    large: tuple[Pointer, ...]
    environment: Files


class EnvironmentLook:
    """The look at the environment of a command, in a thread that starts at once: it waits for nothing that is asked of git meanwhile."""

    def __init__(
        self, command: Sequence[str], directory: Path, environ: Mapping[str, str], capture: Capture, cache: Path
    ) -> None:
        self._capture = partial(_environment_files, command, directory, environ, capture.environment, cache)
        self._answer: Files | Exception = {}
        self._thread = threading.Thread(target=self._look, name="exptrack-environment", daemon=True)
        self._thread.start()

    def _look(self) -> None:
        try:
            self._answer = self._capture()
        except (ExptrackError, OSError) as error:
            self._answer = error

    def wait(self) -> Files:
        """The files that hold the environment, by name; raises ExptrackError or OSError if it could not be captured."""
        self._thread.join()
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def _environment_files(
    command: Sequence[str], directory: Path, environ: Mapping[str, str], variables: Sequence[str], cache: Path
) -> Files:
    from exptrack.analysis.requirements import format_requirements

    found = capture_environment(command, directory, environ, variables, cache)
    return {
        "environment.json": encode_environment(found),
        "requirements.txt": format_requirements(found.packages, found.interpreter).encode(errors="replace"),
    }


class Observation:
    """The look, in a thread; each finding is saved in the journal as soon as it is there."""

    def __init__(
        self, repository: Repository, journal: Journal, record: Record, plan: Plan, environment: EnvironmentLook
    ) -> None:
        self._environment = environment
        self._repository = repository
        self._journal = journal
        self._record = record
        self._plan = plan
        self._thread = threading.Thread(target=self._look, name="exptrack-observation", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def wait(self) -> None:
        """Until all is looked at."""
        self._thread.join()

    def _look(self) -> None:
        self._attempt("environment", self._look_at_environment)
        self._attempt("large files", self._look_at_large)
        self._attempt("data", self._look_at_data)
        if "_known" in self.__dict__:
            with suppress(OSError):
                self._known.save()

    @cached_property
    def _known(self) -> dvc.StatCache:
        return dvc.StatCache(self._repository.shared / "cache" / "digests")

    def _attempt(self, what: str, look: Callable[[], None]) -> None:
        try:
            look()
        except (ExptrackError, OSError) as error:
            self._update(problems=(*self._record.problems, f"{what}: {explain(error)}"))

    def _update(self, **fields: object) -> None:
        self._record = self._record._replace(**fields)  # type: ignore[arg-type]
        with suppress(OSError):
            self._journal.save("found-record.json", encode_record(self._record))

    def _look_at_environment(self) -> None:
        for name, content in self._environment.wait().items():
            self._journal.save(f"found-{name}", content)

    def _look_at_data(self) -> None:
        if self._plan.pointers:
            root = self._plan.dvc_root
            looked = dvc.look(
                self._plan.pointers, self._repository.top, dvc.cache_dir(root) if root else None, self._known
            )
            self._update(data=looked)

    def _look_at_large(self) -> None:
        large = [omission for omission in self._plan.omissions if omission.reason is Reason.TOO_LARGE]
        if not large:
            return
        kept = self._cache(large)
        digests = {omission: self._digested(omission, kept) for omission in large}
        pointers = json.dumps([_fields(pointer) for pointer in kept.values()])
        self._journal.save("found-large.json", pointers.encode())
        self._update(not_captured=tuple(digests.get(omission, omission) for omission in self._record.not_captured))

    def _digested(self, omission: Omission, kept: Mapping[str, Pointer]) -> Omission:
        if omission.path in kept:
            return omission._replace(pointer=True)
        try:
            return omission._replace(digest=dvc.hash_file(self._repository.top / omission.path, self._known))
        except (DataError, OSError):  # gone by now, or unreadable: its size is known all the same
            return omission

    def _cache(self, large: Sequence[Omission]) -> dict[str, Pointer]:
        """Put what the limits allow into the DVC cache, small files first."""
        root, limits = self._plan.dvc_root, self._plan.capture.limits
        if root is None or self._plan.capture.large is Large.LIST:
            return {}
        kept: dict[str, Pointer] = {}
        total = 0
        for omission in sorted(large, key=lambda omission: omission.size or 0):
            size = omission.size or 0
            if size > limits.cached_file_size or total + size > limits.cached_total_size:
                break
            path = self._repository.top / omission.path
            if not path.is_relative_to(root):
                continue
            try:
                pointer = dvc.add_to_cache(root, path, self._repository.top, self._known)
            except (DataError, OSError) as error:
                self._update(problems=(*self._record.problems, f"{omission.path} is not kept: {explain(error)}"))
                continue
            kept[omission.path] = pointer._replace(source=f"{omission.path}.dvc")
            total += size
        return kept


def _fields(pointer: Pointer) -> dict[str, object]:
    return {name: getattr(pointer, name) for name in Pointer._fields}


def read_found(folder: Path) -> Found:
    """What was found by the time the command ended."""
    record: Record | None = None
    with suppress(OSError, RecordError):
        record = decode_record((folder / "found-record.json").read_bytes())
    pointers: tuple[Pointer, ...] = ()
    with suppress(OSError, ValueError, TypeError):
        pointers = tuple(Pointer(**fields) for fields in json.loads((folder / "found-large.json").read_bytes()))
    environment: Files = {}
    with suppress(OSError):
        environment = {
            name: (folder / f"found-{name}").read_bytes() for name in ("environment.json", "requirements.txt")
        }
    return Found(record, pointers, environment)


def describe_omissions(omissions: Sequence[Omission]) -> str | None:
    """One line that names what was not captured, the surprising first; None if there is nothing worth a line."""
    surprising = [
        omission for omission in omissions if omission.reason is not Reason.IGNORED or is_source(omission.path)
    ]
    if not surprising:
        return None
    return f"not captured: {name_few([f'{omission.path} ({omission.reason})' for omission in surprising], 3)}"
