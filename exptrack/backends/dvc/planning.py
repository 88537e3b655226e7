"""What the driver does before a stage runs: open the DVC project, take its lock, order the stages, look for what cannot end well."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from exptrack.analysis.secrets import mask
from exptrack.backends.dvc.project import one_line
from exptrack.errors import DataError
from exptrack.errors import explain as explain_system

_BESIDE = "or run beside it with `--isolated`"
_WIDEST = 60  # letters of another process's command
_BLOCKER = re.compile(r"\(PID (\d+)\): (.*)")
_OWN = re.compile(r"driver\b.* --events (.+)/events --root ")


class Order(NamedTuple):
    """What to run: the DVC project at `root` (absolute, without links), `targets` as `dvc repro` takes them."""

    root: Path
    targets: tuple[str, ...] = ()
    force: bool = False
    single_item: bool = False


class MissingError(DataError):
    """Dependencies are not there; `missing` are names of stages, and paths from the root of the Git repository."""

    def __init__(self, message: str, missing: tuple[tuple[str, str], ...]) -> None:
        super().__init__(message)
        self.missing = missing


class BusyError(DataError):
    """Another process holds what is needed: who, and what it does and what to do."""

    def __init__(self, holder: str, reason: str) -> None:
        super().__init__(f"{holder} {reason}")


class _Problem(NamedTuple):
    stage: str
    path: str
    said: str
    is_missing: bool = True


@contextmanager
def open_repo(root: Path) -> Iterator[Any]:
    """The `dvc.repo.Repo` at `root`, with what DVC says going to stderr."""
    from dvc.repo import Repo

    for name in ("dvc", "dvc_objects", "dvc_data"):
        for handler in logging.getLogger(name).handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(sys.stderr)
    # Staging would change the user's index, and there is nobody to ask.
    with closing(Repo(str(root), config={"core": {"autostage": False, "interactive": False}})) as repo:
        repo.fs.open = partial(_open_whole, repo.fs.open, repo.tmp_dir)
        yield repo


def _open_whole(plain: Callable[..., Any], folder: str, path: str, mode: str = "r", **options: Any) -> Any:
    """What stands in for DVC's own `open`: a kill while DVC writes must not leave half a `dvc.lock`, which DVC then refuses."""
    if mode in {"w", "w+"} and os.path.basename(path) in {"dvc.lock", "rwlock"}:  # noqa: PTH119 - DVC's paths are strings
        return _written_whole(Path(path).resolve(), Path(folder) / f"{os.getpid()}.new", mode, options)
    return plain(path, mode, **options)


@contextmanager
def _written_whole(path: Path, new: Path, mode: str, options: Mapping[str, Any]) -> Iterator[IO[Any]]:
    with ExitStack() as stack:
        stack.callback(new.unlink, missing_ok=True)
        with new.open(mode, **options) as file:
            yield file
        if path.exists():
            new.chmod(path.stat().st_mode & 0o777)
        try:
            new.replace(path)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            path.write_bytes(new.read_bytes())


@contextmanager
def hold_lock(repo: Any) -> Iterator[None]:
    """DVC's lock, for which DVC waits three seconds; raises DataError if somebody else keeps it."""
    from dvc.lock import LockError
    from dvc.repo import lock_repo

    held = lock_repo(repo)
    try:
        held.__enter__()
    except LockError as error:
        raise BusyError(
            _holder(repo), f"holds the DVC lock {repo.lock.lockfile}; wait until it has ended, {_BESIDE}"
        ) from error
    try:
        _mend_rwlock(repo)
        # DVC lets go of it while a command runs. Whoever has it when the command ends must not cost us the stage.
        repo.lock._wait = True  # noqa: SLF001
        yield
    finally:
        held.__exit__(None, None, None)


def _holder(repo: Any) -> str:
    try:
        pid = int(Path(repo.lock.lockfile).read_bytes())
    except (OSError, ValueError):
        return "another process"
    command = ""
    with suppress(OSError):  # macOS has no such file
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return _name_process(pid, command)


def _name_process(pid: int, command: str) -> str:
    """One of our own drivers is known by its run, whose journal the events lie in."""
    if own := _OWN.search(command):
        return f"run '{Path(own[1]).name}'"
    told = " ".join(command.split())
    return f"process {pid} ({mask(told[:_WIDEST])}{'…' if len(told) > _WIDEST else ''})" if told else f"process {pid}"


def find_blocker(error: Exception, stage: str) -> BusyError | None:
    """Who works on files of a stage, if that is why DVC did not begin it."""
    from dvc.lock import LockError

    blocker = _BLOCKER.search(str(error)) if isinstance(error, LockError) else None
    if blocker is None:
        return None
    holder = _name_process(int(blocker[1]), blocker[2])
    return BusyError(holder, f"is at work on files of stage '{stage}'; wait until it has ended, {_BESIDE}")


def _mend_rwlock(repo: Any) -> None:
    """Delete a list of locked paths that a killed process left half written: DVC would refuse it for ever."""
    from dvc.lock import make_lock

    file = Path(repo.tmp_dir) / "rwlock"
    if not _is_torn(file):
        return
    hardlink = repo.config["core"].get("hardlink_lock", False)
    # Whoever writes it holds this lock; then it may be torn for a moment only.
    with make_lock(f"{file}.lock", tmp_dir=repo.tmp_dir, hardlink_lock=hardlink):
        if _is_torn(file):
            file.unlink()


def _is_torn(file: Path) -> bool:
    try:
        json.loads(file.read_bytes())
    except FileNotFoundError:
        return False
    except ValueError:
        return True
    return False


def make_plan(repo: Any, order: Order) -> list[Any]:
    """The stages to run in their order (`dvc.stage.Stage`).

    Without targets they are those at or below the working directory, if that is inside of the DVC project, with all that they depend
    on; `.dvc` files that no stage needs are left out. Raises DataError if there is none, and DVC's errors for broken files.
    """
    from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro

    graph = get_active_graph(repo.index.graph)
    here = Path.cwd()
    chosen = (
        collect_stages(repo, order.targets)
        if order.targets
        else [stage for stage in repo.index.stages if stage.cmd and _is_inside(stage, here, order.root)]
    )
    if not chosen:
        where = ", ".join(order.targets) or (here if here.is_relative_to(order.root) else order.root)
        raise DataError(f"{where} has no stage to run: write one into dvc.yaml, or give a command")
    return chosen if order.single_item and order.targets else plan_repro(graph, chosen)


def _is_inside(stage: Any, here: Path, root: Path) -> bool:
    return not here.is_relative_to(root) or Path(stage.path).is_relative_to(here)


def address(stage: Any) -> str:
    """The stage's name as DVC gives it at the root of the project."""
    path, name = stage.path_in_repo, getattr(stage, "name", None)
    return str(path if name is None else name if path == "dvc.yaml" else f"{path}:{name}")


def check_dependencies(repo: Any, plan: Sequence[Any]) -> None:
    """Raise DataError for dependencies that are not there and that no stage of the plan makes, and for missing parameters."""
    problems = [
        problem
        for stage in plan
        if stage.cmd and not stage.frozen
        for dep in stage.deps
        if (problem := _problem(repo, plan, stage, dep))
    ]
    if problems:
        more = f" (and {len(problems) - 1} more like it)" if len(problems) > 1 else ""
        top = git_top(Path(repo.root_dir))
        missing = tuple((one.stage, os.path.relpath(one.path, top)) for one in problems if one.is_missing)
        raise MissingError(problems[0].said + more, missing)


def git_top(root: Path) -> Path:
    """The root of the Git repository (or work tree) that `root` lies in."""
    return next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)


def _problem(repo: Any, plan: Sequence[Any], stage: Any, dep: Any) -> _Problem | None:
    from dvc.dependency import DatasetDependency, DbDependency, ParamsDependency, RepoDependency
    from dvc.exceptions import DvcException

    if dep.protocol != "local" or isinstance(dep, DatasetDependency | DbDependency | RepoDependency):
        return None
    is_there = dep.exists
    if is_there and not isinstance(dep, ParamsDependency):
        return None
    makers = [out for one in repo.index.stages for out in one.outs if _overlap(out, dep)]
    if any(out.stage in plan and out.stage.cmd and not out.stage.frozen for out in makers):
        return None
    name = f"stage '{address(stage)}'"
    if not is_there:
        said = f"{name} needs {os.path.relpath(dep.fs_path)}, which is not there: {_advice(repo, dep, makers)}"
        return _Problem(address(stage), dep.fs_path, said)
    try:
        dep.get_hash()
    except DvcException as error:
        return _Problem(address(stage), dep.fs_path, f"{name} cannot run: {one_line(error)}", is_missing=False)
    return None


def _overlap(out: Any, dep: Any) -> bool:
    return out.protocol == "local" and bool(dep.fs.overlaps(out.fs_path, dep.fs_path))


def _advice(repo: Any, dep: Any, makers: Sequence[Any]) -> str:
    if makers:
        word = "pull" if makers[0].changed_cache() else "checkout"
        return f"`dvc {word} {makers[0].stage.addressing}` brings it"
    if repo.scm_context.scm.is_ignored(dep.fs_path):
        return "Git ignores it and DVC does not know it; `dvc add` it, or name it under capture.links in exptrack.yaml"
    return "no stage makes it; restore it, or declare it as an out of the stage that does"


def explain(error: Exception) -> str:
    """What DVC says, in one line: its broken files with the place, and of long advice the first paragraph."""
    from dvc.utils.strictyaml import YAMLSyntaxError, YAMLValidationError

    if isinstance(error, YAMLValidationError):
        return f"{error.path}: {'; '.join(_violation(one) for one in error.exc.errors)}"
    if isinstance(error, YAMLSyntaxError):
        return f"{os.path.normpath(error.relpath)}: {_place(error.__cause__)}"
    if isinstance(error, OSError):
        return explain_system(error)
    if type(error).__module__.startswith(("dvc", "scmrepo")):
        return " ".join(str(error).strip().split("\n\n")[0].split()).rstrip(".")
    return f"{type(error).__name__}: {one_line(error)}"


def _violation(error: Any) -> str:
    return (
        f"{error.error_message} in {'.'.join(str(part) for part in error.path)}"
        if error.path
        else str(error.error_message)
    )


def _place(cause: Any) -> str:
    mark = getattr(cause, "problem_mark", None)
    problem = getattr(cause, "problem", None) or "it is no YAML"
    return f"{problem}, line {mark.line + 1}" if mark is not None else str(problem)
