"""The process that runs a DVC pipeline, stage by stage, as `dvc repro` does: `python -P -m exptrack.backends.dvc.driver`.

It is the only place where dvc itself decides what runs. Each stage goes through DVC's `Stage.reproduce`, under DVC's locks, so that run
cache, `dvc.lock`, outs and ignore lines are what `dvc repro` leaves. Besides, it

- writes down what happens to each stage (`stages.py` reads that), and why nothing ran,
- refuses before anything runs what cannot end well: a dependency that is not there and that no stage makes,
- lets each stage have the files that we were started with (locks, which say that a stage outlived us),
- waits for DVC's lock when a command has ended, however long it takes, so that no result is lost to a `dvc add` next door,
- leaves Git's index alone (no autostage), asks nothing, and calls nobody: updates and analytics belong to DVC's command line.

The environment of the stages is ours, unchanged, with DVC_ROOT and DVC_STAGE as DVC sets them.

Exit status: 0; the status of the command that failed (128 + n for signal n), or 1 if a stage failed otherwise; 2 if nothing ran. Why a
stage failed is a line on stderr, why nothing ran is written down only. What DVC says goes to stderr, since stdout is the stages' own.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from exptrack.analysis.secrets import mask, mask_tree
from exptrack.backends.dvc.ourselves import attentive, die, inherited_files, passing_on
from exptrack.backends.dvc.planning import (
    BusyError,
    MissingError,
    Order,
    address,
    check_dependencies,
    explain,
    find_blocker,
    git_top,
    hold_lock,
    make_plan,
    open_repo,
)
from exptrack.backends.dvc.project import one_line
from exptrack.backends.dvc.runcache import share_run_cache
from exptrack.backends.dvc.stages import REFUSED, RUNNING
from exptrack.errors import DataError, ExptrackError
from exptrack.model.pipeline import StageState

_FAILED, _REFUSED = 1, 2
# SIGINT, and what a shell makes of it.
_INTERRUPTED = frozenset({-signal.SIGINT, 128 + signal.SIGINT})


class StageError(ExptrackError):
    """A stage failed; `status` is to be ours."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def entry() -> int:
    """As `main`, and then the process ends at once, unless a thread still works. Taking DVC's 900 modules apart took 70 ms, collecting garbage among them 40."""
    gc.disable()  # until they are imported
    status = main()
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        return status
    atexit._run_exitfuncs()  # noqa: SLF001 - DVC's libraries say goodbye
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def main() -> int:
    """Run what the arguments say; see above for the status that comes back."""
    inherited = inherited_files()
    order, file = _read_arguments()
    try:
        with _Events(file) as events:
            return _run(order, events, inherited)
    except DataError as error:
        _say(f"exptrack: {error}")
        return _REFUSED


def _run(order: Order, events: _Events, inherited: tuple[int, ...]) -> int:
    try:
        with Pipeline(order) as pipeline, passing_on(inherited):
            pipeline.run(events)
    except KeyboardInterrupt:
        die(signal.SIGINT)
    except Exception as error:  # DVC raises what its libraries raise, and this is where it ends
        if os.environ.get("EXPTRACK_DEBUG") == "1":
            raise
        said = str(error) if isinstance(error, ExptrackError) else explain(error)
        if isinstance(error, StageError):
            _say(f"exptrack: {said}")
            if error.status in _INTERRUPTED:
                die(signal.SIGINT)
            return error.status
        missing = error.missing if isinstance(error, MissingError) else ()
        events.write(state=REFUSED, reason=said, missing=missing)
        return _REFUSED
    return 0


def _read_arguments() -> tuple[Order, Path]:
    from argparse import ArgumentParser

    parser = ArgumentParser(prog="exptrack.backends.dvc.driver", allow_abbrev=False)
    parser.add_argument("--events", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--single-item", action="store_true")
    parser.add_argument("targets", nargs="*")
    given = parser.parse_args()
    # DVC names stages from the working directory, which has no links in it.
    order = Order(given.root.resolve(), tuple(given.targets), given.force, given.single_item)
    return order, given.events


def _say(line: str) -> None:
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


class _Events:
    """The file of events. What a full disk does not take is written before the next line; it never stops the pipeline."""

    def __init__(self, file: Path) -> None:
        try:
            self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        except OSError as error:
            raise DataError(f"cannot write {file}: {one_line(error)}") from error
        self._unwritten = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def write(self, **fields: object) -> None:
        self._unwritten += json.dumps(fields, default=str).encode() + b"\n"
        with suppress(OSError):
            self._unwritten = self._unwritten[os.write(self._descriptor, self._unwritten) :]


class Pipeline:
    """The stages of one order, planned and checked on entry, under DVC's lock until the end."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._stop: list[int] = []
        self._restored: set[Any] = set()
        self._has_done_something = False

    def __enter__(self) -> Self:
        from contextlib import ExitStack

        with ExitStack() as stack:
            stack.enter_context(attentive(self._stop))
            self._repo = stack.enter_context(open_repo(self._order.root))
            gc.freeze()
            gc.set_threshold(100_000, 50, 100)
            gc.enable()
            stack.enter_context(hold_lock(self._repo))
            self._plan = make_plan(self._repo, self._order)
            check_dependencies(self._repo, self._plan)
            share_run_cache(self._repo.stage_cache, self._restored.add)
            self._exits = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def run(self, events: _Events) -> None:
        """Run all stages in their order; raises StageError at the first that fails."""
        has_changed = False
        for stage in self._plan:
            if self._stop:
                die(self._stop[0])
            if has_changed:
                _say("")
            has_changed = self._run_stage(stage, events)
            self._has_done_something |= has_changed
        if not self._has_done_something:
            _say("Data and pipelines are up to date.")

    def _run_stage(self, stage: Any, events: _Events) -> bool:
        """Run one stage, and give whether anything had to be done."""
        facts = {"stage": address(stage), "started": time.time(), "command": _command(stage)}
        write: Callable[..., None] = events.write if stage.cmd else _nothing
        write(state=RUNNING, **facts)
        begun = time.monotonic()
        try:
            has_changed = self._reproduce(stage)
        except Exception as error:
            blocker = find_blocker(error, address(stage))
            if blocker and not self._has_done_something:
                raise blocker from error
            duration = time.monotonic() - begun
            events.write(state=StageState.FAILED, duration=duration, deps=self._deps_now(stage), outs={}, **facts)
            raise _stage_error(address(stage), blocker or error) from error
        write(
            state=self._state(stage, has_changed=has_changed),
            duration=time.monotonic() - begun,
            deps=self._digests(stage.deps),
            outs=self._digests(stage.outs),
            **facts,
        )
        return has_changed

    def _reproduce(self, stage: Any) -> bool:
        # As dvc.repo.reproduce does it for each stage.
        from dvc.log import logger

        if stage.frozen and not stage.is_import:
            logger.warning("%s is frozen. Its dependencies are not going to be reproduced.", stage)
        if stage.reproduce(force=self._order.force) is None:
            return False
        stage.dump(update_pipeline=False)
        return True

    def _state(self, stage: Any, *, has_changed: bool) -> StageState:
        if stage in self._restored:
            return StageState.RESTORED
        return StageState.RAN if has_changed and not stage.frozen else StageState.SKIPPED

    def _deps_now(self, stage: Any) -> dict[str, str]:
        """What a stage that failed depends on, as it is now: with force, DVC has not looked yet."""
        try:
            stage.save_deps()
        except Exception:  # noqa: BLE001 - one that is not there, say; the failure itself is what counts
            return {}
        return self._digests(stage.deps)

    def _digests(self, entries: Any) -> dict[str, str]:
        from dvc.dependency import ParamsDependency

        found: dict[str, str] = {}
        for entry in entries:
            value, path = entry.hash_info.value if entry.hash_info else None, self._path(entry)
            if isinstance(entry, ParamsDependency):
                found.update({f"{path}:{key}": text for key, text in _values(value).items()})
            elif value:
                found[path] = f"{entry.hash_info.name}:{value}"
        return dict(sorted(found.items()))

    def _path(self, entry: Any) -> str:
        if entry.protocol != "local":
            return mask(str(entry))
        path, top = Path(entry.fs_path), git_top(self._order.root)
        return (path.relative_to(top) if path.is_relative_to(top) else path).as_posix()


def _stage_error(stage: str, error: Exception) -> StageError:
    from dvc.stage.exceptions import StageCmdFailedError

    if isinstance(error, StageCmdFailedError):
        status = _status(str(error))
        if status in _INTERRUPTED:
            return StageError(f"stage '{stage}' was interrupted", status)
        how = f"signal {-status}" if status < 0 else f"status {status}"
        return StageError(
            f"stage '{stage}' failed: its command ended with {how}", 128 - status if status < 0 else status
        )
    if isinstance(error, BusyError):
        return StageError(f"stage '{stage}' did not run: {error}", _FAILED)
    return StageError(f"stage '{stage}' failed: {explain(error)}", _FAILED)


def _nothing(**_: object) -> None:
    """A `.dvc` file of data is a stage to DVC, but nothing that is worth an entry."""


def _command(stage: Any) -> str:
    return mask("\n".join(stage.cmd) if isinstance(stage.cmd, list) else stage.cmd or "")


def _values(params: object) -> dict[str, str]:
    tree = mask_tree(params) if isinstance(params, dict) else {}
    return {key: json.dumps(value, sort_keys=True, default=str, ensure_ascii=False) for key, value in tree.items()}


def _status(message: str) -> int:
    """The status of a stage's command; DVC's error has it in its text alone."""
    try:
        return int(message.rpartition(", exited with ")[2]) or _FAILED
    except ValueError:
        return _FAILED


if __name__ == "__main__":
    raise SystemExit(entry())
